"""What a caller says and when: real speech over line noise, as mu-law, with the moments that matter.

The VAD stop of each turn is computed in advance by Pipecat's own analyzer over the very samples that are sent, so that
latency can be counted from it without asking the systems measured.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from voicebot.evals.bench.calls.reference import vad_stops
from voicebot.evals.bench.calls.stubs import RATE_HZ
from voicebot.media import mulaw
from voicebot.tts import espeakng

FRAME = RATE_HZ // 50
"""Samples in one frame on the wire: 20 ms, as Twilio sends them."""
TURN_S = 6.0
"""One turn of the caller every six seconds: ten a minute."""
_NOISE_DBFS = -60.0
"""Line noise. A real line is never digitally silent, and a system that skips zeros must not profit from it."""
_SPEECH_DBFS = -20.0
_UTTERANCES = (
    "My name is Sarah Miller.",
    "Where are you located?",
    "Tomorrow at ten would be great.",
    "I have had some tooth pain since last week.",
)
"""Sentences without a pause that Smart Turn surely takes to be complete (0.92 and more in twelve tries each), so that
every system has every reason to answer at once."""
_VOICE = "en-us+f2"

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Turn:
    """One thing the caller says. Times in seconds of the caller's audio."""

    starts_s: float
    ends_s: float
    vad_stop_s: float
    """When Pipecat's VAD, hearing this very audio, is sure that the caller has stopped."""


@dataclass(frozen=True)
class Script:
    """A caller's audio in mu-law, and the turns in it."""

    sound: bytes
    turns: list[Turn]

    @property
    def frames(self) -> list[bytes]:
        """20 ms each."""
        return [self.sound[at : at + FRAME] for at in range(0, len(self.sound), FRAME)]

    def first_turn(self) -> Script:
        """As much of it as one turn takes."""
        return Script(self.sound[: round(TURN_S * RATE_HZ)], self.turns[:1])

    def as_json(self) -> dict[str, Any]:
        return {"sound": b64encode(self.sound).decode(), "turns": [asdict(turn) for turn in self.turns]}

    @classmethod
    def of(cls, told: dict[str, Any]) -> Script:
        return cls(b64decode(told["sound"]), [Turn(**turn) for turn in told["turns"]])


def write(seed: int, turns: int) -> Script:
    """A caller with `turns` turns, one every `TURN_S` seconds, each a little early or late."""
    rng = np.random.default_rng(seed)
    samples = noise(rng, round(turns * TURN_S * RATE_HZ))
    spoken: list[tuple[int, int]] = []
    for number in range(turns):
        utterance = _speech()[int(rng.integers(len(_UTTERANCES)))]
        start = round((number * TURN_S + 0.6 + rng.uniform(0, 0.8)) * RATE_HZ)
        samples[start : start + len(utterance)] += utterance
        spoken.append((start, start + len(utterance)))
    sent = mulaw.encode(_pcm(samples))
    stops = vad_stops(mulaw.decode(sent))
    return Script(sent, [_turn(start, end, stops) for start, end in spoken])


def _turn(start: int, end: int, stops: list[float]) -> Turn:
    """Raises RuntimeError when the reference VAD does not hear the turn end once: the script is no good then."""
    ends_s = end / RATE_HZ
    after = [stop for stop in stops if ends_s - 0.3 <= stop <= ends_s + 1]
    if len(after) != 1:
        raise RuntimeError(f"the reference VAD heard the turn ending at {ends_s:.2f} s end {len(after)} times")
    return Turn(start / RATE_HZ, ends_s, after[0])


def noise(rng: np.random.Generator, samples: int) -> Samples:
    """White noise at the level of a quiet line."""
    return rng.normal(0, 10 ** (_NOISE_DBFS / 20), samples).astype(np.float32)


def noise_frames(rng: np.random.Generator, count: int) -> list[bytes]:
    """Frames of line noise, for a caller who does not speak yet."""
    sent = mulaw.encode(_pcm(noise(rng, count * FRAME)))
    return [sent[at : at + FRAME] for at in range(0, len(sent), FRAME)]


def _pcm(samples: Samples) -> bytes:
    return np.asarray(np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes()


@cache
def _speech() -> list[Samples]:
    return [_say(text) for text in _UTTERANCES]


def _say(text: str) -> Samples:
    """`text` spoken by eSpeak at `RATE_HZ` and `_SPEECH_DBFS`, without silence before or after."""
    chunks: list[bytes] = []

    def keep(pcm: bytes, _words: list[tuple[int, int]]) -> bool:
        chunks.append(pcm)
        return True

    espeakng.synthesise(text, espeakng.Voice(_VOICE, rate_wpm=165, pitch=50), keep)
    spoken = np.frombuffer(b"".join(chunks), np.int16).astype(np.float32) / 32768
    samples = np.asarray(soxr.resample(spoken, espeakng.RATE_HZ, RATE_HZ), np.float32)
    samples *= 10 ** (_SPEECH_DBFS / 20) / np.sqrt(np.mean(samples**2))
    audible = np.flatnonzero(np.abs(samples) > 0.01)
    return samples[audible[0] : audible[-1]]
