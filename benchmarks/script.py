"""What a caller says and when: real speech over line noise, as mu-law frames, with the moments that matter.

The VAD stop of each turn is computed in advance by Pipecat's own analyzer over the very samples that are sent, so that
latency can be counted from it without asking the systems measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import soxr

from benchmarks import mulaw
from benchmarks.stubs import RATE_HZ
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
    """A caller's audio: `frames` of 20 ms mu-law, and the turns in it."""

    frames: list[bytes]
    turns: list[Turn]


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
    frames = [sent[at : at + FRAME] for at in range(0, len(sent), FRAME)]
    return Script(frames, [_turn(start, end, stops) for start, end in spoken])


def _turn(start: int, end: int, stops: list[float]) -> Turn:
    """Raises RuntimeError when the reference VAD does not hear the turn end once: the script is no good then."""
    ends_s = end / RATE_HZ
    after = [stop for stop in stops if ends_s - 0.3 <= stop <= ends_s + 1]
    if len(after) != 1:
        raise RuntimeError(f"the reference VAD heard the turn ending at {ends_s:.2f} s end {len(after)} times")
    return Turn(start / RATE_HZ, ends_s, after[0])


def vad_stops(pcm: bytes) -> list[float]:
    """Seconds at which Pipecat's Silero analyzer, with its default settings, reports the end of speech."""
    from pipecat.audio.vad.silero import SileroVADAnalyzer
    from pipecat.audio.vad.vad_analyzer import VADState

    analyzer = SileroVADAnalyzer()
    analyzer.set_sample_rate(RATE_HZ)
    stops, before = [], VADState.QUIET
    for at in range(0, len(pcm), 2 * FRAME):
        # its public method does this on a thread of its own, once per frame: ten times slower here
        state = analyzer._run_analyzer(pcm[at : at + 2 * FRAME])
        if before is VADState.STOPPING and state is VADState.QUIET:
            stops.append((at // 2 + FRAME) / RATE_HZ)
        before = state
    return stops


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
