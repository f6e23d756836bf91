"""What makes callers hard to understand, one thing at a time: their pace, their accent, noise, the telephone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voicebot.evals.speech.callers import spoken
from voicebot.personas.line import LINES, Line, Noise, NoiseKind
from voicebot.personas.medium import carried
from voicebot.personas.noise import at_speech_level
from voicebot.personas.persona import Voice

_SEED = 7


@dataclass(frozen=True)
class Condition:
    """One way of speaking and one kind of line. What is not given is as the voice has it."""

    what: str
    line: Line = LINES["clean"]
    rate_wpm: int | None = None
    accent: str = ""
    """An eSpeak voice; the caller keeps their variant of it."""

    @property
    def rate_hz(self) -> int:
        return self.line.rate_hz

    def sound(self, text: str, voice: Voice) -> bytes:
        """`text` as it arrives: s16le mono at `rate_hz`."""
        pcm = spoken(text, self.engine(voice), self.rate_wpm or voice.rate_wpm, self.rate_hz)
        samples = at_speech_level(np.frombuffer(pcm, "<i2").astype(np.float32), self.rate_hz)
        return carried(np.clip(np.round(samples), -32768, 32767).astype("<i2").tobytes(), self.line, _SEED)

    def engine(self, voice: Voice) -> str:
        base, plus, variant = voice.engine.partition("+")
        return f"{self.accent or base}{plus}{variant}"


def _noisy(kind: NoiseKind, snr_db: float) -> Line:
    return Line(noise=Noise(kind=kind, snr_db=snr_db))


CLEAN = Condition("clean")
TELEPHONE = Condition("8 kHz telephone", LINES["phone"])
CONDITIONS = (
    CLEAN,
    *(Condition(f"{rate} words a minute", rate_wpm=rate) for rate in (120, 200, 250)),
    *(
        Condition(f"accent {accent}", accent=accent)
        for accent in ("en-gb-x-rp", "en-gb-scotland", "en-us-nyc", "en-029")
    ),
    *(Condition(f"white noise {snr} dB", _noisy("white", snr)) for snr in (20, 10, 5)),
    *(Condition(f"babble {snr} dB", _noisy("babble", snr)) for snr in (20, 10, 5)),
    TELEPHONE,
)
