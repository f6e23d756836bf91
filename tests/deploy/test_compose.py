"""The compose files: valid by the specification, without privileges, and of one mind with the image."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from voicebot.server.settings import Settings

FILES = ["compose.yaml", "compose.minimal.yaml"]
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<how>[-?])(?P<word>[^}]*))?\}")


def interpolated(text: str) -> str:
    """What compose makes of the variables when those are set that have to be."""
    return VARIABLE.sub(lambda found: found["word"] if found["how"] == "-" else "./given", text)


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest, deploy: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(interpolated((deploy / request.param).read_text()))
    return loaded


@pytest.fixture
def check() -> Callable[[dict[str, Any]], None]:
    """Raises ValueError for whatever the Compose Specification does not allow."""
    compose_spec = pytest.importorskip("compose_spec", reason="make extras installs compose-spec")

    def validate(file: dict[str, Any]) -> None:
        compose_spec.PyCompose.from_json(json.dumps(file)).validate()

    return validate


def ours(file: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: service for name, service in file["services"].items() if service["image"] == "voicebot"}


def seconds(duration: str) -> int:
    found = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", duration)
    assert found
    return 60 * int(found[1] or 0) + int(found[2] or 0)


def test_it_is_what_the_specification_allows(file: dict[str, Any], check: Callable[[dict[str, Any]], None]) -> None:
    check(file)
    wanted = {other for service in file["services"].values() for other in service.get("depends_on", [])}
    assert wanted <= file["services"].keys()


def test_the_specification_would_find_a_mistake(file: dict[str, Any], check: Callable[[dict[str, Any]], None]) -> None:
    next(iter(ours(file).values()))["restrat"] = "always"
    with pytest.raises(ValueError, match="restrat"):
        check(file)


def test_a_container_has_no_rights_and_a_root_that_it_cannot_write_to(file: dict[str, Any]) -> None:
    assert ours(file)
    for service in ours(file).values():
        assert service["read_only"]
        assert "/tmp" in service["tmpfs"]
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert not service["user"].startswith("0")


def test_it_is_given_longer_to_stop_than_calls_are_given_to_end(file: dict[str, Any]) -> None:
    for service in ours(file).values():
        drain_s = service["environment"].get("VOICEBOT_DRAIN", Settings.model_fields["drain_s"].default)
        assert seconds(service["stop_grace_period"]) >= float(drain_s) + 30


def test_two_servers_know_themselves_by_the_name_that_others_know_them_by(deploy: Path) -> None:
    file = yaml.safe_load(interpolated((deploy / "compose.yaml").read_text()))
    port = Settings.model_fields["port"].default
    advertised = {name: service["environment"]["VOICEBOT_ADVERTISE"] for name, service in ours(file).items()}
    assert advertised == {name: f"http://{name}:{port}" for name in ("voicebot-1", "voicebot-2")}
    proxied = re.findall(r"^\s+server \S+ (\S+)$", (deploy / "haproxy.cfg").read_text(), re.MULTILINE)
    assert [f"http://{address}" for address in proxied] == list(advertised.values())


def test_servers_of_one_project_do_not_share_what_is_their_own(deploy: Path) -> None:
    file = yaml.safe_load(interpolated((deploy / "compose.yaml").read_text()))
    own = str(Settings(project=Path("/project")).own_dir)
    assert all(any(mount.split(":")[0] == own for mount in service["tmpfs"]) for service in ours(file).values())
