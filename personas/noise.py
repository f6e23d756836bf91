"""Noise made of numbers and of eSpeak voices: what is to be heard around a caller, and how loud speech is.

    bed("street", 16000)        # a stretch that can be repeated without a seam, at the level SPEECH_DB

Nothing is recorded and nothing is shipped; the same kind and rate give the same samples in every process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray

from voicebot.tts import espeakng

from .line import NoiseKind

Samples = NDArray[np.floating]

SPEECH_DB = -23.0
"""How loud an ordinary caller is: the level of the speech without its pauses, in decibels below full scale."""
SPEECH_RMS = 10 ** (SPEECH_DB / 20) * 32768
BED_S = 16
_SEED = 7
_ACTIVE_RMS = 10 ** (-50 / 20) * 32768
"""Frames below this are silence."""
_BABBLERS = ("en-us+m1", "en-us+f1", "en-gb-x-rp+m4", "en-us+m7", "en-029+f3", "en-gb-scotland+m2")
_BABBLE = (
    "I told them that we would come by on the weekend if the weather holds, and they said it was fine with them. "
    "Did you see the game last night? It went on for hours, nobody could believe it in the end. "
    "She is coming back on Sunday, or so I heard, and then we will see what happens with the garden. "
)


def level(samples: Samples, rate_hz: int) -> float:
    """Root mean square of the 20 ms frames that are not silence; of all when there is nothing else."""
    size = rate_hz // 50
    power = np.mean(np.square(samples[: len(samples) // size * size].reshape(-1, size)), axis=1)
    active = power[power > _ACTIVE_RMS**2]
    return float(np.sqrt((active if len(active) else power).mean())) if len(power) else 0.0


def at_speech_level(samples: Samples, rate_hz: int) -> Samples:
    """The same speech as loud as an ordinary caller."""
    return samples * (SPEECH_RMS / (level(samples, rate_hz) or SPEECH_RMS))


@cache
def bed(kind: NoiseKind, rate_hz: int) -> NDArray[np.float32]:
    """`BED_S` seconds of noise whose end goes on with its beginning, of root mean square `SPEECH_RMS`."""
    made = _KINDS[kind](rate_hz, np.random.default_rng(_SEED))
    scaled: NDArray[np.float32] = (made * SPEECH_RMS / np.sqrt(np.mean(np.square(made)))).astype(np.float32)
    return scaled


def _white(rate_hz: int, chance: np.random.Generator) -> Samples:
    return chance.normal(size=BED_S * rate_hz)


def _coloured(rate_hz: int, chance: np.random.Generator, shape: Callable[[Samples], Samples]) -> Samples:
    """White noise with another spectrum, `shape` of the frequency in Hz; made in the frequency domain, so seamless."""
    spectrum = np.fft.rfft(_white(rate_hz, chance))
    made: Samples = np.fft.irfft(spectrum * shape(np.fft.rfftfreq(BED_S * rate_hz, 1 / rate_hz)))
    return made


def _times(rate_hz: int) -> Samples:
    return np.arange(BED_S * rate_hz) / rate_hz


def _hum(rate_hz: int, chance: np.random.Generator) -> Samples:
    """A mains hum of 60 Hz with its harmonics, and a little hiss."""
    waves = [np.sin(2 * np.pi * 60 * n * _times(rate_hz) + n) / n for n in (1, 2, 3, 4, 5, 7, 9)]
    hum: Samples = np.sum(waves, axis=0)
    return hum + 0.05 * _white(rate_hz, chance)


def _street(rate_hz: int, chance: np.random.Generator) -> Samples:
    """A rumble, and every few seconds a car that comes and goes."""
    rumble = _coloured(rate_hz, chance, lambda hz: 1 / (hz + 40))
    tyres = _coloured(rate_hz, chance, lambda hz: hz / (hz + 300) / (1 + (hz / 1200) ** 2))
    passing = np.zeros(BED_S * rate_hz)
    for at_s in (2.0, 5.5, 9.0, 13.5):
        away_s = (_times(rate_hz) - at_s + BED_S / 2) % BED_S - BED_S / 2
        passing += chance.uniform(0.5, 1.5) * np.exp(-np.square(away_s / 0.9))
    street: Samples = rumble / rumble.std() + 1.5 * passing * tyres / tyres.std()
    return street


def _car(rate_hz: int, chance: np.random.Generator) -> Samples:
    """Inside a moving car: deep noise of the road, and the engine."""
    road = _coloured(rate_hz, chance, lambda hz: 1 / (1 + (hz / 120) ** 2) ** 0.6)
    engine = np.sum([np.sin(2 * np.pi * 45 * n * _times(rate_hz) + n) / n for n in (1, 2, 4)], axis=0)
    car: Samples = road / road.std() + 0.3 * engine
    return car


def _babble(rate_hz: int, chance: np.random.Generator) -> Samples:
    """Six people at other tables, each some seconds ahead of the next."""
    return _voices(rate_hz, len(_BABBLERS))


def _cafe(rate_hz: int, chance: np.random.Generator) -> Samples:
    """Two people at another table, the room, and dishes."""
    room = _coloured(rate_hz, chance, lambda hz: 1 / (hz + 200))
    clinks = np.zeros(BED_S * rate_hz)
    ring_s = _times(rate_hz)[: rate_hz // 5]
    for at in chance.integers(0, len(clinks) - len(ring_s), size=12):
        pitch_hz = chance.uniform(1800, 3600)
        clinks[at : at + len(ring_s)] += np.sin(2 * np.pi * pitch_hz * ring_s) * np.exp(-ring_s / 0.03)
    cafe: Samples = _voices(rate_hz, 2) / SPEECH_RMS + 0.4 * room / room.std() + clinks
    return cafe


def _voices(rate_hz: int, count: int) -> Samples:
    size = BED_S * rate_hz
    voices = [np.resize(_babbler(name, rate_hz), size) for name in _BABBLERS[:count]]
    mixed: Samples = np.sum([np.roll(voice, n * size // count) for n, voice in enumerate(voices)], axis=0)
    return mixed


def _babbler(name: str, rate_hz: int) -> Samples:
    chunks: list[bytes] = []

    def keep(pcm: bytes, _words: object) -> bool:
        chunks.append(pcm)
        return True

    espeakng.synthesise(_BABBLE, espeakng.Voice(name, 160, 50), keep, repeatable=True)
    spoken = np.frombuffer(b"".join(chunks), "<i2").astype(np.float32)
    samples: Samples = soxr.resample(spoken, espeakng.RATE_HZ, rate_hz)
    return at_speech_level(samples, rate_hz)


_KINDS: dict[NoiseKind, Callable[[int, np.random.Generator], Samples]] = {
    "white": _white,
    "hum": _hum,
    "babble": _babble,
    "street": _street,
    "car": _car,
    "cafe": _cafe,
}
