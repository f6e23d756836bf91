"""What makes callers hard to understand, one thing at a time: their pace, their accent, noise, the telephone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from voicebot.evals.speech.callers import hissing_line, spoken
from voicebot.personas.persona import Voice

Noise = Literal["white", "babble"]
_ACTIVE = 10 ** (-50 / 20) * 32768
_BABBLERS = ("en-us+m1", "en-us+f1", "en-gb-x-rp+m4", "en-us+m7", "en-029+f3", "en-gb-scotland+m2")
_BABBLE = (
    "I told them that we would come by on the weekend if the weather holds, and they said it was fine with them. "
    "Did you see the game last night? It went on for hours, nobody could believe it in the end. "
)
_SEED = 7


@dataclass(frozen=True)
class Condition:
    """One way of speaking and one kind of line. What is not given is as the voice has it."""

    what: str
    rate_hz: int = 16000
    rate_wpm: int | None = None
    accent: str = ""
    """An eSpeak voice; the caller keeps their variant of it."""
    noise: Noise | None = None
    snr_db: float = 0.0
    telephone: bool = False

    def sound(self, text: str, voice: Voice) -> bytes:
        """`text` as it arrives: s16le mono at `rate_hz`."""
        pcm = spoken(text, self.engine(voice), self.rate_wpm or voice.rate_wpm, self.rate_hz)
        if self.noise:
            pcm = noisy(pcm, self.noise, self.snr_db, self.rate_hz)
        return hissing_line(pcm) if self.telephone else pcm

    def engine(self, voice: Voice) -> str:
        base, plus, variant = voice.engine.partition("+")
        return f"{self.accent or base}{plus}{variant}"


CLEAN = Condition("clean")
TELEPHONE = Condition("8 kHz telephone", rate_hz=8000, telephone=True)
CONDITIONS = (
    CLEAN,
    *(Condition(f"{rate} words a minute", rate_wpm=rate) for rate in (120, 200, 250)),
    *(
        Condition(f"accent {accent}", accent=accent)
        for accent in ("en-gb-x-rp", "en-gb-scotland", "en-us-nyc", "en-029")
    ),
    *(Condition(f"white noise {snr} dB", noise="white", snr_db=snr) for snr in (20, 10, 5)),
    *(Condition(f"babble {snr} dB", noise="babble", snr_db=snr) for snr in (20, 10, 5)),
    TELEPHONE,
)


def noisy(pcm: bytes, noise: Noise, snr_db: float, rate_hz: int) -> bytes:
    """`pcm` with noise beneath all of it, `snr_db` below the level of what is not silence in it."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    under = _white(len(samples)) if noise == "white" else np.resize(_babble(rate_hz), len(samples))
    gain = level(samples, rate_hz) / level(under, rate_hz) * 10 ** (-snr_db / 20)
    return np.clip(np.round(samples + gain * under), -32768, 32767).astype("<i2").tobytes()


def level(samples: NDArray[np.float64], rate_hz: int) -> float:
    """Root mean square of the 20 ms frames that are not silence; of all when there is nothing else."""
    size = rate_hz // 50
    power = np.mean(np.square(samples[: len(samples) // size * size].reshape(-1, size)), axis=1)
    active = power[power > _ACTIVE**2]
    return float(np.sqrt((active if len(active) else power).mean())) or 1.0


def _white(size: int) -> NDArray[np.float64]:
    return np.random.default_rng(_SEED).normal(0, 3000, size)


@cache
def _babble(rate_hz: int) -> NDArray[np.float64]:
    """Six people at other tables, each some seconds ahead of the next."""
    voices = [np.frombuffer(spoken(_BABBLE, name, 160, rate_hz), "<i2").astype(np.float64) for name in _BABBLERS]
    size = min(map(len, voices))
    shifted: Sequence[NDArray[np.float64]] = [
        np.roll(voice[:size], index * size // len(voices)) / level(voice, rate_hz) for index, voice in enumerate(voices)
    ]
    mixed: NDArray[np.float64] = np.sum(shifted, axis=0) * 1000
    return mixed
