"""A call's record made by hand: events, the truth of the caller's sounds, and a recording in which both sides hum."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from voicebot import events
from voicebot.evals.case import Case
from voicebot.evals.trial import Trial
from voicebot.personas import truth
from voicebot.personas.truth import Sound

RATE_HZ = 8000
CASE = Case(scenario="books", persona="maria", agent="ava")


def hum(length_ms: float, rate_hz: int = RATE_HZ, fade_ms: float = 40.0) -> np.ndarray:
    """A voice without words: it swells, changes its pitch, and fades out over its last `fade_ms`."""
    size = int(length_ms * rate_hz / 1000)
    t = np.arange(size) / rate_hz
    sound = 6000 * np.sin(2 * np.pi * (180 + 40 * np.sin(2 * np.pi * 1.3 * t)) * t) * (0.75 + 0.25 * np.cos(9 * t))
    fade = int(fade_ms * rate_hz / 1000)
    if fade:
        sound[-fade:] *= np.linspace(1, 0, fade) ** 2
    return sound.astype(np.int16)


def channel(spans: Sequence[tuple[float, float]], length_ms: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Silence with a hum in each span of milliseconds."""
    out = np.zeros(int(length_ms * rate_hz / 1000), np.int16)
    for start_ms, end_ms in spans:
        at = int(start_ms * rate_hz / 1000)
        out[at : at + int((end_ms - start_ms) * rate_hz / 1000)] = hum(end_ms - start_ms, rate_hz)
    return out


def trial(
    folder: Path,
    told: Sequence[events.Event],
    sounds: Sequence[Sound] = (),
    caller: np.ndarray | None = None,
    agent: np.ndarray | None = None,
    ended: str = "caller_hung_up",
) -> Trial:
    """The trial of a call with this record in `folder`; without the two channels there is no recording."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "events.jsonl").write_text("".join(f"{event.model_dump_json()}\n" for event in told))
    truth.write(folder, list(sounds))
    if caller is not None and agent is not None:
        size = max(len(caller), len(agent))
        both = [np.pad(side, (0, size - len(side))) for side in (caller, agent)]
        with wave.open(str(folder / "call.wav"), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(np.stack(both, axis=1).astype("<i2").tobytes())
    return Trial(case=CASE, folder=folder, ended=ended)
