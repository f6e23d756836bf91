"""The caller of a recorded call once more: the sounds of the recording, at the same points.

A sound belongs to the agent's reply that it followed, or into which it fell. In the new call it comes as long after the
end, or the beginning, of the next reply; so the caller waits when the agent has got slower, and still interrupts.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np

from voicebot import events
from voicebot.errors import BadInput
from voicebot.events import (
    AgentResumed,
    AgentSpeechStarted,
    AgentSpeechStopped,
    CallEnded,
    CallerSpeechStarted,
    CallerSpeechStopped,
    Event,
    TranscriptFinal,
)
from voicebot.paths import shown

from . import truth
from .mind import wanted
from .persona import Persona
from .truth import Sound
from .words import Move

AROUND_MS = 60.0
"""So much more than the sound itself is cut out at both ends, so that no first or last consonant is lost."""
_SILENCES = 2


@dataclass(frozen=True)
class Cue:
    """One thing that the recorded caller did, and when."""

    sound: Sound | None
    """None for hanging up."""
    pcm: bytes
    when: Literal["after", "during", "goes_on"]
    """So long after the end of the agent's reply, after its beginning, or after the caller's own last sound."""
    ms: float


@dataclass(frozen=True)
class Recorded:
    """What is replayed of a call."""

    cues: Sequence[Cue]
    rate_hz: int


class Replay:
    """The `Words` of a recorded call."""

    def __init__(self, recorded: Recorded, persona: Persona, today: date) -> None:
        self._cues = list(recorded.cues)
        self._silences = 0
        self.wants: Mapping[str, str] = wanted(persona, today)
        self.lost: list[str] = []

    @property
    def content(self) -> bool:
        """Everything was done as in the recording."""
        return not self._cues

    @property
    def pause_ms(self) -> float | None:
        return self._cues[0].ms if self._cues and self._cues[0].when == "after" else None

    @property
    def unprompted_ms(self) -> float | None:
        return self._cues[0].ms if self._cues and self._cues[0].when == "goes_on" else None

    @property
    def cut_in_ms(self) -> float | None:
        return self._cues[0].ms if self._cues and self._cues[0].when == "during" else None

    def cuts_in(self, heard: str, clause: str) -> bool:
        """Only by time, never by words."""
        return False

    async def answer(self, heard: str, *, cutting_in: bool = False) -> Move | None:
        self._silences = 0
        return self._next()

    async def silence(self) -> Move | None:
        """The agent does not answer, or not hang up, where it did: go on, and in the end hang up."""
        self.lost.append("silence")
        self._silences += 1
        if self._cues and self._silences < _SILENCES:
            return self._next()
        left = sum(cue.sound is not None for cue in self._cues)
        given_up = f"gave up with {left} sound{'s' if left > 1 else ''} of the recording to go"
        self.lost.append(given_up if left else "the agent does not hang up, as it did in the recording")
        return Move(hang_up=True)

    async def again(self) -> Move | None:
        """The recorded caller did not say it again; the next thing they said comes instead."""
        return self._next()

    def _next(self) -> Move | None:
        if not self._cues:
            return None
        cue = self._cues.pop(0)
        if cue.sound is None:
            return Move(hang_up=True)
        return Move(cue.sound.text, kind=cue.sound.kind, pcm=cue.pcm, margin_ms=AROUND_MS, confused=cue.sound.confused)


def read(folder: Path) -> Recorded:
    """The caller of the call recorded in `folder`. Raises BadInput when there is no such recording."""
    audio, log = folder / "call.wav", folder / "events.jsonl"
    for path in (audio, log):
        if not path.is_file():
            raise BadInput(f"{shown(path)} does not exist. A caller of kind 'recording' needs the folder of a call.")
    try:
        told = [events.parse(line) for line in log.read_bytes().splitlines() if line.strip()]
        samples, rate_hz = _caller_channel(audio)
    except (ValueError, wave.Error, EOFError) as error:
        raise BadInput(f"{shown(folder)} cannot be replayed: {error}") from None
    sounds = truth.read(folder) or list(heard(told))
    if not sounds:
        raise BadInput(f"{shown(folder)} cannot be replayed: its caller says nothing.")
    replies = list(_replies(told))
    cues = list(_cues(sounds, replies, samples, rate_hz))
    return Recorded([*cues, *_hanging_up(told, sounds, replies)], rate_hz)


def _caller_channel(path: Path) -> tuple[np.ndarray[tuple[int], np.dtype[np.int16]], int]:
    with wave.open(str(path)) as file:
        if file.getnchannels() != 2 or file.getsampwidth() != 2:
            raise ValueError("call.wav is not a stereo recording of 16 bits.")
        both = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return both[0::2].astype(np.int16), file.getframerate()


def _replies(told: Sequence[Event]) -> Iterator[tuple[float, float]]:
    """When the agent spoke."""
    began: float | None = None
    for event in told:
        if isinstance(event, AgentSpeechStarted):
            began = event.t_ms
        elif isinstance(event, AgentSpeechStopped) and began is not None:
            yield began, event.t_ms
            began = None


def heard(told: Sequence[Event]) -> Iterator[Sound]:
    """The caller's sounds as the call's own ear heard them, where nobody wrote down the truth (a real caller).

    What was given no words wanted no answer; neither did what the agent talked on after.
    """
    began: float | None = None
    found: list[Sound] = []
    for event in told:
        if isinstance(event, CallerSpeechStarted):
            began = event.speech_start_ms
        elif isinstance(event, CallerSpeechStopped) and began is not None:
            found.append(Sound(kind="noise", starts_ms=began, ends_ms=max(began, event.speech_end_ms)))
            began = None
        elif isinstance(event, TranscriptFinal) and event.text and found:
            found[-1] = found[-1].model_copy(update={"kind": "speech", "text": event.text})
        elif isinstance(event, AgentResumed) and found:
            kind = "backchannel" if found[-1].text else "noise"
            found[-1] = found[-1].model_copy(update={"kind": kind})
    yield from found


def _cues(
    sounds: Sequence[Sound], replies: Sequence[tuple[float, float]], samples: np.ndarray, rate_hz: int
) -> Iterator[Cue]:
    last_ms = 0.0
    """Where the caller's last sound ended."""
    for sound in sounds:
        during = next((began for began, ended in replies if began <= sound.starts_ms < ended), None)
        ended_ms = max((ended for _, ended in replies if ended <= sound.starts_ms), default=0.0)
        pcm = _cut(samples, rate_hz, sound)
        if during is not None:
            yield Cue(sound, pcm, "during", max(0.0, sound.starts_ms - during - AROUND_MS))
        elif ended_ms >= last_ms and ended_ms > 0:
            yield Cue(sound, pcm, "after", max(0.0, sound.starts_ms - ended_ms - AROUND_MS))
        else:
            yield Cue(sound, pcm, "goes_on", max(0.0, sound.starts_ms - last_ms - 2 * AROUND_MS))
        last_ms = sound.ends_ms


def _cut(samples: np.ndarray, rate_hz: int, sound: Sound) -> bytes:
    first = max(0, round((sound.starts_ms - AROUND_MS) * rate_hz / 1000))
    last = round((sound.ends_ms + AROUND_MS) * rate_hz / 1000)
    return samples[first:last].astype("<i2").tobytes()


def _hanging_up(
    told: Sequence[Event], sounds: Sequence[Sound], replies: Sequence[tuple[float, float]]
) -> Iterator[Cue]:
    """Where it was the caller who did."""
    end = next((event for event in told if isinstance(event, CallEnded)), None)
    if end is None or end.reason != "caller_hung_up":
        return
    spoke_ms, heard_ms = sounds[-1].ends_ms, max((ended for _, ended in replies), default=0.0)
    yield Cue(None, b"", "after" if heard_ms > spoke_ms else "goes_on", max(0.0, end.t_ms - max(spoke_ms, heard_ms)))
