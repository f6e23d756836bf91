"""Whole calls with the embedded recogniser, voice and flow: nothing is replaced. By sound only where sound matters."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
import wave
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

import voicebot
from voicebot import clock
from voicebot.call import Call
from voicebot.errors import BadInput
from voicebot.events import CallStarted, Event
from voicebot.personas import truth
from voicebot.personas.caller import Caller
from voicebot.personas.kinds import Recording, Rules
from voicebot.personas.medium import LineMedium
from voicebot.personas.role import Role
from voicebot.personas.run import SimulatedCall, play, simulate
from voicebot.personas.typed import TypedLine

TEMPLATES = Path(voicebot.__file__).parent / "templates"


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    """The agent file of a new project."""
    root = tmp_path / "front-desk"
    shutil.copytree(TEMPLATES / "blank", root)
    return root / "agents/agent.yaml"


def call(agent: Path, persona: str = "peter", seed: int = 1, **more: object) -> SimulatedCall:
    return simulate(agent, persona, seed=seed, **more)  # type: ignore[arg-type]  # any of its options


def typed(agent: Path, persona: str = "peter", seed: int = 1, **more: object) -> SimulatedCall:
    return call(agent, persona, seed, channel="text", **more)


# -- by sound ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[SimulatedCall, list[Event], Path]:
    """A call by sound, its events and the project."""
    root = tmp_path_factory.mktemp("kept") / "front-desk"
    shutil.copytree(TEMPLATES / "blank", root)
    seen: list[Event] = []
    done = call(root / "agents/agent.yaml", faces=[seen.append], calls_dir=root / "calls")
    return done, seen, root


Kept = tuple[SimulatedCall, list[Event], Path]


def test_a_caller_reaches_its_goal_and_the_project_is_left_as_it_was(kept: Kept) -> None:
    done, seen, root = kept
    assert (done.broke, done.content) == ("", True)
    data = json.loads((root / "data/callbacks.json").read_text())
    assert done.before["data/callbacks.json"] == data
    (written,) = [one for one in done.after["data/callbacks.json"] if one not in data]
    assert written["name"].casefold() == "peter miller"
    assert written["day"] == done.facts["day"]
    assert isinstance(seen[0], CallStarted)
    assert seen[0].caller == "Peter"
    assert done.ended == seen[-1]
    assert done.folder is not None
    assert done.folder.parent == root / "calls"
    assert {path.name for path in done.folder.iterdir()} >= {"events.jsonl", "call.wav", "agent.yaml", truth.FILE}
    assert done.turns >= 3
    assert done.wall_seconds < done.seconds


def test_the_callers_channel_sounds_where_the_truth_says_so_and_nowhere_else(kept: Kept) -> None:
    done, _, _ = kept
    assert done.folder is not None
    assert truth.read(done.folder) == list(done.sounds)
    assert [sound.text for sound in done.sounds] == list(done.said)
    caller, rate_hz = caller_channel(done.folder)
    spoken, edge = np.zeros(len(caller), bool), rate_hz // 50
    for sound in done.sounds:
        first, last = (int(ms * rate_hz / 1000) for ms in (sound.starts_ms, sound.ends_ms))
        spoken[first : last + 1] = True
        assert np.abs(caller[first : first + edge]).max() > 100, "silence is counted as speech"
        assert np.abs(caller[last - edge : last + 1]).max() > 100, "silence is counted as speech"
    assert np.abs(caller[~spoken]).max() < 250


def caller_channel(folder: Path) -> tuple[np.ndarray, int]:
    with wave.open(str(folder / "call.wav")) as file:
        both = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return both[0::2].astype(np.int32), file.getframerate()


def test_a_recorded_caller_is_heard_again_in_the_same_voice_and_as_long_after_each_reply(kept: Kept) -> None:
    done, seen, root = kept
    assert done.folder is not None
    told: list[Event] = []
    recording = Recording(call=done.folder.relative_to(root))
    again = call(root / "agents/agent.yaml", kind=recording, faces=[told.append], record=root / "again")
    assert again.broke == ""
    assert again.said == done.said[: len(again.said)]
    assert again.folder is not None
    (before, rate_hz), (after, _) = caller_channel(done.folder), caller_channel(again.folder)
    both = zip(done.sounds, again.sounds, pauses(done, seen), pauses(again, told), strict=False)
    for old, new, gap_before, gap_after in both:
        size = int((old.ends_ms - old.starts_ms) * rate_hz / 1000)
        spoken, repeated = (
            channel[(at := round(sound.starts_ms * rate_hz / 1000)) : at + size]
            for channel, sound in ((before, old), (after, new))
        )
        assert np.abs(spoken - repeated).max() < 200, "more than the noise of the second line"
        assert gap_after == pytest.approx(gap_before, abs=25)


def pauses(made: SimulatedCall, seen: list[Event]) -> list[float]:
    """From the end of the agent's last reply to each of the caller's sounds, in milliseconds."""
    stops = [event.t_ms for event in seen if event.type == "agent_speech_stopped"]
    return [sound.starts_ms - max(at for at in stops if at <= sound.starts_ms) for sound in made.sounds]


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
    assert done.content
    assert done.interruptions >= 1
    assert sum(sound.interrupts for sound in done.sounds) == done.interruptions
    assert any(heard and not heard.endswith(("?", ".")) for heard in cut)


# -- what broke ----------------------------------------------------------------------------------------------------


def test_a_caller_that_breaks_makes_no_verdict_on_the_agent(blank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(caller: Caller) -> None:
        raise ZeroDivisionError("the caller's own fault")

    monkeypatch.setattr(Caller, "run", breaks)
    done = typed(blank)
    assert done.broke == "the caller broke: ZeroDivisionError: the caller's own fault"


def test_a_line_that_breaks_makes_no_verdict_on_the_agent(blank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LineMedium, "_next_noise", lambda medium: None)
    assert call(blank).broke.startswith("the line broke: ")


def test_an_agent_that_crashes_has_failed_and_nothing_else_has(blank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crashes(one: Call, *_: object) -> None:
        raise ZeroDivisionError("the agent's fault")

    monkeypatch.setattr(Call, "turn_ended", crashes)
    done = typed(blank)
    assert done.broke == ""
    assert done.ended is not None
    assert (done.ended.reason, done.ended.detail) == ("failed", "ZeroDivisionError: the agent's fault")


def test_an_agent_that_does_not_let_go_of_the_call_is_left(blank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stays(line: object, ear: object) -> str:
        await asyncio.sleep(10_000)
        return "caller_hung_up"

    monkeypatch.setattr(TypedLine, "run", stays)
    assert typed(blank).broke == "the call did not end when the caller hung up, after 600 s."


def test_an_unknown_voice_stops_before_the_call(blank: Path) -> None:
    persona = blank.parents[1] / "personas/peter.yaml"
    persona.write_text(persona.read_text().replace("en-us+m6", "en-us+nobody"))
    with pytest.raises(BadInput, match="nobody"):
        call(blank)


# -- typed ---------------------------------------------------------------------------------------------------------


def test_a_typed_call_comes_to_the_same_end_in_no_time(blank: Path, tmp_path: Path) -> None:
    typed(blank)  # what is loaded once is loaded
    began = time.process_time()
    done = typed(blank, record=tmp_path / "this-very-folder")
    assert time.process_time() - began < 1.0
    assert (done.broke, done.content) == ("", True)
    assert done.after["data/callbacks.json"][-1]["name"].casefold() == "peter miller"
    assert done.folder == tmp_path / "this-very-folder"
    assert {path.name for path in done.folder.iterdir()} == {"events.jsonl", "agent.yaml", truth.FILE}
    assert [sound.text for sound in truth.read(done.folder)] == list(done.said)
    assert done.seconds > 5


def test_a_persona_plays_the_role_of_a_scenario(blank: Path) -> None:
    role = Role.model_validate({"goal": "Be called back on Monday.", "facts": {"name": "{caller}", "day": "monday"}})
    done = typed(blank, role=role, kind=Rules())
    assert done.content
    assert done.facts["name"] == "Peter Miller"
    assert datetime.fromisoformat(done.after["data/callbacks.json"][-1]["day"]).strftime("%A") == "Monday"


def test_a_call_takes_place_on_the_day_it_pretends(blank: Path) -> None:
    done = typed(blank, at=datetime(2027, 3, 1, 9, 30))
    assert done.facts["day"] == "2027-03-04"
    assert done.after["data/callbacks.json"][-1]["day"] == "2027-03-04"


def test_who_wants_a_person_is_handed_over_and_nothing_is_booked(tmp_path: Path) -> None:
    root = tmp_path / "clinic"
    shutil.copytree(TEMPLATES / "dental", root)
    done = typed(root / "agents/ava.yaml", "human")
    assert done.handed_over
    assert done.before == done.after
    assert done.ended is not None
    assert done.ended.reason == "handed_over"


def test_no_caller_outlives_its_call(blank: Path) -> None:
    async def leftovers() -> int:
        await play(blank, "peter", channel="text")
        return len(asyncio.all_tasks()) - 1

    assert clock.run(leftovers(), skip_idle=True) == 0
