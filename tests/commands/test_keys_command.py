"""`voicebot keys`: the secret alone on stdout, once; everything else is talk."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from voicebot.commands import run

pytest.importorskip("sqlalchemy", reason="the server's database is not installed (extra: server)")

SECRET = re.compile(r"vb_[a-z0-9]{12}_[\w-]{43}\n")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "ava.yaml").write_text("name: Ava\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VOICEBOT_DATABASE", raising=False)
    return tmp_path


def command(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert run(["keys", *words]) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_a_secret_is_alone_on_stdout_and_a_server_takes_it(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    out, err = command(capsys, "create", "ci", "--scope", "calls:write", "--scope", "calls:read", "--expires", "90d")
    assert SECRET.fullmatch(out)
    assert "the key 'ci'" in err
    assert "shown only now" in err
    assert out.strip() not in err
    assert asyncio.run(checked(here, out.strip())) == {"calls:read", "calls:write"}
    assert out.strip()[16:] not in "".join(command(capsys, "list", "--json"))


async def checked(root: Path, secret: str) -> frozenset[str]:
    from voicebot.server.state import State

    async with await State.open(f"sqlite:///{root}/.voicebot/state.db") as kept:
        key = await kept.keys.check(secret)
        assert key
        return key.scopes


def test_quietly_the_secret_is_all_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = command(capsys, "create", "ci", "-s", "calls:read,calls:write", "-q")
    assert SECRET.fullmatch(out)
    assert err == ""


def test_a_list_has_a_line_for_each_key_and_says_what_became_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(capsys, "list") == ("", "no keys yet. Make one: voicebot keys create ci --scope calls:read\n")
    command(capsys, "create", "ci", "-s", "calls:read")
    command(capsys, "create", "gone", "-s", "calls:read")
    new = json.loads(command(capsys, "rotate", "ci", "--overlap", "30m", "--json")[0])
    assert command(capsys, "revoke", "gone")[1].startswith("revoked gone (")
    assert command(capsys, "revoke", "gone")[1] == "gone was revoked already.\n"
    lines = [line.split("\t") for line in command(capsys, "list")[0].splitlines()]
    assert [(line[0], line[2]) for line in lines] == [("ci", "replaced"), ("ci", "active"), ("gone", "revoked")]
    old, current, _ = json.loads(command(capsys, "list", "--json")[0])
    assert old["successor"] == current["id"] == new["id"]
    assert abs(datetime.fromisoformat(old["expires_at"]) - datetime.now(UTC) - timedelta(minutes=30)) < timedelta(
        minutes=1
    )
    assert command(capsys, "list", "--quiet")[0].split() == [old["id"], current["id"]]


def test_rotating_without_overlap_ends_the_old_secret_now(capsys: pytest.CaptureFixture[str]) -> None:
    command(capsys, "create", "ci", "-s", "calls:read")
    out, err = command(capsys, "rotate", "ci", "--overlap", "0")
    assert SECRET.fullmatch(out)
    assert "the old secret is not valid any more" in err
    assert [key["state"] for key in json.loads(command(capsys, "list", "--json")[0])] == ["expired", "active"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["create", "ci"], "a key needs a scope"),
        (["create", "ci", "-s", "calls:raed"], "Did you mean 'calls:read'"),
        (["create", "c i", "-s", "calls:read"], "is no name for a key"),
        (["create", "ci", "-s", "calls:read", "--expires", "soon"], "--expires 'soon' is no length of time"),
        (["create", "ci", "-s", "calls:read", "--expires", "999999999w"], "is no length of time"),
        (["create", "ci", "-s", "calls:read", "--expires", "0"], "would have expired already"),
        (["rotate", "ci", "--overlap", "-1h"], "--overlap '-1h' is no length of time"),
        (["revoke", "ci"], "there is no key 'ci'"),
        (["list", "--database", "mysql://me:gehe1m@h/db"], "no state can be kept in 'mysql'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    _, err = command(capsys, *words, code=2)
    assert sentence in err
    assert "gehe1m" not in err


def test_outside_of_a_project_the_database_has_to_be_named(
    capsys: pytest.CaptureFixture[str], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "elsewhere").mkdir()
    (here / "agents" / "ava.yaml").unlink()
    monkeypatch.chdir(here / "elsewhere")
    assert "is no project" in command(capsys, "list", code=2)[1]
    command(capsys, "list", "--database", "sqlite:///x.db")
    monkeypatch.setenv("VOICEBOT_DATABASE", "postgresql://127.0.0.1:1/voicebot")
    assert "postgresql://127.0.0.1:1/voicebot cannot be reached" in command(capsys, "list", code=3)[1]
