"""Whole calls by sound, with the embedded recogniser, voice and flow: nothing is replaced."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import voicebot
from voicebot.errors import BadInput
from voicebot.evals import judge
from voicebot.events import CallEnded, CallStarted, Event
from voicebot.personas import persona as personas
from voicebot.personas.caller import Caller
from voicebot.personas.run import SimulatedCall, simulate

TEMPLATES = Path(voicebot.__file__).parent / "templates"


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    """The agent file of a new project."""
    root = tmp_path / "front-desk"
    shutil.copytree(TEMPLATES / "blank", root)
    return root / "agents/agent.yaml"


def call(agent: Path, persona: str = "peter", seed: int = 1, **more: object) -> SimulatedCall:
    found = judge.find(agent, personas.find(persona, agent.parents[1]))
    return simulate(agent, persona, seed=seed, **{"judge": found, **more})  # type: ignore[arg-type]  # any of its options


def test_a_caller_reaches_its_goal_and_the_project_is_left_as_it_was(blank: Path, tmp_path: Path) -> None:
    data = blank.parents[1] / "data/callbacks.json"
    before = data.read_bytes()
    seen: list[Event] = []
    done = call(blank, faces=[seen.append], calls_dir=tmp_path / "calls")
    assert (done.outcome, done.problems) == ("reached", [])
    assert data.read_bytes() == before
    assert isinstance(seen[0], CallStarted)
    assert seen[0].caller == "Peter"
    assert isinstance(seen[-1], CallEnded)
    assert done.folder is not None
    assert {path.name for path in done.folder.iterdir()} >= {"events.jsonl", "call.wav", "agent.yaml"}
    assert done.turns >= 3
    assert done.wall_seconds < done.seconds


def test_a_wrong_end_is_told_apart_from_none(blank: Path) -> None:
    wrong = call(blank, judge=lambda root, facts, ended: ["not what was wanted"])
    assert wrong.outcome == "wrong"
    assert wrong.problems == ["not what was wanted"]


def test_a_caller_that_breaks_makes_the_run_invalid(blank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(caller: Caller) -> None:
        raise ZeroDivisionError("the caller broke")

    monkeypatch.setattr(Caller, "run", breaks)
    done = call(blank)
    assert done.outcome == "invalid"
    assert done.problems == ["ZeroDivisionError: the caller broke"]


def test_an_unknown_voice_stops_before_the_call(blank: Path) -> None:
    persona = blank.parents[1] / "personas/peter.yaml"
    persona.write_text(persona.read_text().replace("en-us+m6", "en-us+nobody"))
    with pytest.raises(BadInput, match="nobody"):
        call(blank)


def test_who_wants_a_person_is_handed_over_and_nothing_is_booked(tmp_path: Path) -> None:
    root = tmp_path / "clinic"
    shutil.copytree(TEMPLATES / "dental", root)
    done = call(root / "agents/ava.yaml", "human")
    assert done.outcome == "reached"
    assert done.handed_over
    assert done.ended is not None
    assert done.ended.reason == "handed_over"


def test_an_interrupter_cuts_the_agent_short_and_still_gets_its_appointment(tmp_path: Path) -> None:
    root = tmp_path / "clinic"
    shutil.copytree(TEMPLATES / "dental", root)
    cut: list[str] = []
    done = call(
        root / "agents/ava.yaml",
        "interrupter",
        seed=5,
        faces=[lambda event: cut.append(event.heard) if event.type == "barge_in" else None],
    )
    assert done.outcome in ("reached", "handed_over"), done.problems
    assert done.interruptions >= 1
    assert any(heard and not heard.endswith(("?", ".")) for heard in cut)
