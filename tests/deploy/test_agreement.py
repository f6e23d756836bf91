"""What the files of deploy/ and the pages about them call by name is what the code calls so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from voicebot.paths import MODELS_SETTING
from voicebot.server.capacity import admission, limit
from voicebot.server.processes import patience
from voicebot.server.rest import bodies, guard
from voicebot.transports import dialect

SETTING = re.compile(r"\bVOICEBOT_[A-Z_]+\b")
METRIC = re.compile(r"\bvoicebot_[a-z0-9_]+\b")
FUZZ_SETTING = "VOICEBOT_FUZZ_S"
"""For tests: tests/doubles/fuzzing.py."""
PROBE = re.compile(r"/(?:livez|readyz|metrics)\b")


@pytest.fixture(scope="module")
def told(root: Path, deploy: Path) -> str:
    """All of it, in one."""
    files = [path for path in sorted(deploy.rglob("*")) if path.is_file()]
    pages = [root / "docs" / "deploy.md", root / "docs" / "serve.md"]
    assert len(files) >= 15
    return "\n".join(path.read_text() for path in [*files, *pages])


def test_every_setting_is_one_of_the_command(told: str) -> None:
    from voicebot.commands import app

    command: Any = typer.main.get_command(app)
    known = {str(option.envvar) for option in command.commands["serve"].params if option.envvar}
    known |= {MODELS_SETTING, FUZZ_SETTING}
    assert len(set(SETTING.findall(told))) >= 6
    assert set(SETTING.findall(told)) - known == set()


def test_every_metric_is_one_that_is_measured(told: str, known: dict[str, set[str]]) -> None:
    assert "voicebot_calls_active" in METRIC.findall(told)
    assert set(METRIC.findall(told)) - known.keys() - families(known) == set()


def test_the_page_about_metrics_has_them_all(root: Path, known: dict[str, set[str]]) -> None:
    assert set(METRIC.findall((root / "docs" / "metrics-server.md").read_text())) == families(known)


def families(known: Iterable[str]) -> set[str]:
    """What the series belong to: of a histogram there are several."""
    return {re.sub(r"_(?:bucket|sum|count)$", "", name) for name in known if name.startswith("voicebot_")}


def test_every_probe_is_a_path_that_answers(told: str, root: Path) -> None:
    paths = json.loads((root / "docs" / "openapi.json").read_text())["paths"].keys()
    asked = set(PROBE.findall(told))
    assert asked == {"/livez", "/readyz", "/metrics"}
    assert asked - paths == set()


def test_pods_are_added_before_those_there_are_full(deploy: Path) -> None:
    base = deploy / "kustomize"
    settings = dict(re.findall(r"- (VOICEBOT_\w+)=(\d+)", (base / "base" / "kustomization.yaml").read_text()))
    full = int(settings["VOICEBOT_WORKERS"]) * int(settings["VOICEBOT_CALLS"])
    hpa = yaml.safe_load((base / "base" / "scaling.yaml").read_text())["spec"]
    keda = yaml.safe_load((base / "keda" / "scaling.yaml").read_text())["spec"]
    target = int(hpa["metrics"][0]["pods"]["target"]["averageValue"])
    assert 0.4 * full <= target <= 0.75 * full
    assert int(keda["triggers"][0]["metadata"]["threshold"]) == target
    assert keda["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == hpa["behavior"]
    assert (keda["minReplicaCount"], keda["maxReplicaCount"]) == (hpa["minReplicas"], hpa["maxReplicas"])


def test_the_figures_on_the_page_about_serving_are_those_of_the_code(root: Path) -> None:
    page = " ".join((root / "docs" / "serve.md").read_text().split())
    told = [
        f"A request has {patience.PATIENCE_S:g} seconds to arrive",
        f"{bodies.MOST_BYTES >> 10} KiB for its body",
        f"a message on a stream has {dialect.MOST_BYTES >> 10} KiB",
        f"A key may ask {guard.KEY_PER_MINUTE} times a minute",
        f"the event loop is {admission.LATE_MS:g} ms late",
        f"until it is {admission.ON_TIME_MS:g} ms late",
        f"less than {admission.RESERVE_BYTES >> 20} MiB are left",
        f"Without that it takes {limit.DEFAULT},",
    ]
    assert [figure for figure in told if figure not in page] == []
