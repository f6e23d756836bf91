from __future__ import annotations

import asyncio
import wave
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tests.doubles.scripted_agent import RATE_HZ, ScriptedAgent
from voicebot import clock, events
from voicebot.errors import BadInput
from voicebot.personas import replayed, truth
from voicebot.personas.caller import Caller
from voicebot.personas.dice import Dice
from voicebot.personas.kinds import Recording
from voicebot.personas.mouth import SpeakingMouth
from voicebot.personas.persona import Persona
from voicebot.personas.temperament import Temperament
from voicebot.personas.truth import Sound

PETER = Path(__file__).parents[2] / "voicebot/templates/blank/personas/peter.yaml"
SATURDAY = date(2025, 11, 22)
REPLIES = [(0, 3000), (6000, 9000)]
"""When the agent spoke in the recording."""
CALL_ENDED_MS = 14_000


def recording(
    folder: Path,
    sounds: list[Sound],
    *,
    told: list[events.Event] | None = None,
    ended: str = "caller_hung_up",
) -> Path:
    """A call in which the agent spoke as in REPLIES. Each sound of the caller's is one second of a level of its own."""
    folder.mkdir()
    both = np.zeros((RATE_HZ * CALL_ENDED_MS // 1000, 2), "<i2")
    for number, sound in enumerate(sounds):
        both[int(sound.starts_ms * RATE_HZ / 1000) : int(sound.ends_ms * RATE_HZ / 1000), 0] = 20000 + number
    with wave.open(str(folder / "call.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(both.tobytes())
    log: list[events.Event] = [*(told or [])]
    for began, stopped in REPLIES:
        log += [
            events.AgentSpeechStarted(t_ms=began),
            events.AgentSpeechStopped(t_ms=stopped, heard="", said="", interrupted=False),
        ]
    log += [events.CallEnded(t_ms=CALL_ENDED_MS, reason=ended)]
    (folder / "events.jsonl").write_text("".join(f"{event.model_dump_json()}\n" for event in log))
    if told is None:
        truth.write(folder, sounds)
    return folder


def speech(starts_ms: float, text: str = "words", **more: object) -> Sound:
    return Sound.model_validate(
        {"kind": "speech", "starts_ms": starts_ms, "ends_ms": starts_ms + 1000, "text": text, **more}
    )


def replay(folder: Path, lines: list[str], *, barge_in: bool = True) -> tuple[ScriptedAgent, Caller]:
    """The recorded caller calls another agent."""

    async def both() -> tuple[ScriptedAgent, Caller]:
        agent, dice = ScriptedAgent(lines, barge_in=barge_in, stays=True), Dice(1)
        for number in range(9):
            await agent.voice.say(f"sound {number}")
        words = replayed.Replay(replayed.read(folder), Persona.load(PETER), SATURDAY)
        caller = Caller(words, SpeakingMouth(agent, agent.voice, dice), Temperament(), dice)
        async with asyncio.TaskGroup() as group:
            group.create_task(caller.run())
            group.create_task(agent.run(caller.hear))
        return agent, caller

    return clock.run(both(), skip_idle=True)


SHORT = "Hello there."
LONG = "Hello there, this is quite another agent who speaks for longer."


@pytest.mark.parametrize("greeting", [SHORT, LONG])
def test_each_utterance_keeps_its_distance_from_the_end_of_a_reply(tmp_path: Path, greeting: str) -> None:
    folder = recording(tmp_path / "call", [speech(3800, "one"), speech(10_500, "two")])
    agent, caller = replay(folder, [greeting, SHORT, SHORT])
    assert caller.said == ["one", "two"]
    distances = [
        sound.starts_ms / 1000 - ended for sound, (_, ended) in zip(caller.mouth.sounds, agent.line_times, strict=False)
    ]
    assert distances == pytest.approx([0.8, 1.5], abs=0.01)
    assert all(sound.ends_ms - sound.starts_ms == pytest.approx(1000, abs=1) for sound in caller.mouth.sounds)


def test_the_line_is_hung_up_as_in_the_recording(tmp_path: Path) -> None:
    folder = recording(tmp_path / "call", [speech(3800), speech(10_500)])
    agent, caller = replay(folder, [SHORT, SHORT])
    assert agent.hung_up
    assert caller.words.content
    assert caller.words.lost == []


def test_an_interruption_falls_into_the_same_place_of_a_reply(tmp_path: Path) -> None:
    folder = recording(tmp_path / "call", [speech(3800), speech(6700, interrupts=True)])
    agent, caller = replay(folder, [SHORT, LONG, SHORT])
    assert caller.mouth.sounds[1].interrupts
    assert caller.mouth.sounds[1].starts_ms / 1000 - agent.line_times[1][0] == pytest.approx(0.7, abs=0.01)


def test_a_murmur_stays_a_murmur_and_is_no_turn(tmp_path: Path) -> None:
    murmur = Sound(kind="backchannel", starts_ms=700, ends_ms=1000, text="uh-huh")
    folder = recording(tmp_path / "call", [murmur, speech(3800)])
    _, caller = replay(folder, [LONG, SHORT], barge_in=False)
    assert [sound.kind for sound in caller.mouth.sounds] == ["backchannel", "speech"]
    assert caller.mouth.sounds[0].starts_ms == pytest.approx(700, abs=10)
    assert caller.said == ["words"]
    assert caller.interruptions == 0


def test_who_paused_in_the_middle_goes_on_without_being_asked(tmp_path: Path) -> None:
    folder = recording(tmp_path / "call", [speech(3200, "on"), speech(4900, "thursday"), speech(10_500)])
    _, caller = replay(folder, [SHORT])
    first, second = caller.mouth.sounds[:2]
    assert second.starts_ms - first.ends_ms == pytest.approx(700, abs=10)


def test_an_agent_that_is_silent_where_it_answered_is_left_in_the_end(tmp_path: Path) -> None:
    folder = recording(tmp_path / "call", [speech(3800), speech(10_500), speech(12_500)])
    agent, caller = replay(folder, [])
    assert agent.hung_up
    assert not caller.words.content
    assert "gave up with 2 sounds of the recording to go" in caller.words.lost


def test_an_agent_that_does_not_hang_up_where_it_did_is_told(tmp_path: Path) -> None:
    folder = recording(tmp_path / "call", [speech(3800)], ended="agent_hung_up")
    _, caller = replay(folder, [SHORT, SHORT])
    assert caller.words.lost == ["silence", "the agent does not hang up, as it did in the recording"]


def test_without_the_truth_the_calls_own_ear_tells_words_from_other_sounds(tmp_path: Path) -> None:
    """As for a real caller, of whom nobody wrote down what they meant."""

    def heard(starts_ms: float, *then: events.Event) -> list[events.Event]:
        return [
            events.CallerSpeechStarted(t_ms=starts_ms + 200, speech_start_ms=starts_ms),
            events.CallerSpeechStopped(t_ms=starts_ms + 1200, speech_end_ms=starts_ms + 1000),
            *then,
        ]

    told = [
        *heard(500, events.AgentResumed(t_ms=1800)),
        *heard(3800, events.TranscriptFinal(t_ms=5000, text="call me back")),
        *heard(7000, events.TranscriptFinal(t_ms=8200, text="uh-huh"), events.AgentResumed(t_ms=8300)),
    ]
    folder = recording(tmp_path / "call", [speech(500), speech(3800), speech(7000)], told=told)
    cues = replayed.read(folder).cues
    assert [(cue.sound.kind, cue.sound.text, cue.when) for cue in cues if cue.sound] == [
        ("noise", "", "during"),
        ("speech", "call me back", "after"),
        ("backchannel", "uh-huh", "during"),
    ]


def test_what_is_no_recording_is_told_before_the_call(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"call\.wav does not exist"):
        replayed.read(tmp_path)
    mute = recording(tmp_path / "mute", [])
    with pytest.raises(BadInput, match="its caller says nothing"):
        replayed.read(mute)
    (mute / "call.wav").write_bytes(b"RIFFnothing")
    with pytest.raises(BadInput, match="cannot be replayed"):
        replayed.read(mute)


def test_a_recording_is_found_in_its_project_wherever_the_call_is_made_from(tmp_path: Path) -> None:
    assert Recording(call=Path("calls/1")).in_project(tmp_path).call == tmp_path / "calls/1"
    assert Recording(call=tmp_path / "else").in_project(Path("/project")).call == tmp_path / "else"
