from __future__ import annotations

import asyncio

import numpy as np
import pytest
import soxr

from voicebot.media import Floats, to_floats, to_pcm
from voicebot.media.ear import Ear, Sensitivity
from voicebot.media.vad import Vad
from voicebot.tts.espeak import Espeak

SENTENCE = "I would like to book an appointment for next Tuesday, please."


async def speech(rate_hz: int, text: str = SENTENCE) -> Floats:
    pcm = b"".join([chunk.pcm async for chunk in Espeak("en-us+f2").speak(text)])
    samples = to_floats(pcm)
    loud = np.flatnonzero(np.abs(samples) > 0.02)
    samples = samples[loud[0] : loud[-1] + 1]
    return np.asarray(soxr.resample(samples, 22050, rate_hz), np.float32)


def noise(seconds: float, rate_hz: int, db: float = -62) -> Floats:
    return np.random.default_rng(1).normal(0, 10 ** (db / 20), int(seconds * rate_hz)).astype(np.float32)


class Log:
    def __init__(self, rate_hz: int) -> None:
        self.rate_hz, self.samples, self.events = rate_hz, 0, list[tuple[str, float]]()
        self.pauses = list[tuple[str, float]]()

    def heard(self, pcm: bytes) -> None:
        self.samples += len(pcm) // 2

    def speech_started(self, ago_ms: float) -> None:
        self.events.append(("start", self.samples * 1000 / self.rate_hz - ago_ms))

    def pause_began(self) -> None:
        self.pauses.append(("began", self.samples * 1000 / self.rate_hz))

    def pause_over(self) -> None:
        self.pauses.append(("over", self.samples * 1000 / self.rate_hz))

    def speech_stopped(self, ago_ms: float) -> None:
        self.events.append(("stop", self.samples * 1000 / self.rate_hz - ago_ms))


def listen(audio: Floats, rate_hz: int, sensitivity: Sensitivity | None = None) -> tuple[Log, Ear]:
    log = Log(rate_hz)
    ear = Ear(rate_hz, log, sensitivity)
    pcm, size = to_pcm(audio), rate_hz // 50 * 2
    for start in range(0, len(pcm), size):
        ear.audio(pcm[start : start + size])
    ear.close()
    return log, ear


@pytest.mark.parametrize("rate_hz", [8000, 16000])
async def test_speech_is_found_where_it_is(rate_hz: int):
    said = await speech(rate_hz)
    log, _ = listen(np.concatenate((noise(2, rate_hz), said, noise(2, rate_hz))), rate_hz)
    assert [kind for kind, _ in log.events] == ["start", "stop"]
    (_, start_ms), (_, stop_ms) = log.events
    assert start_ms == pytest.approx(2000, abs=120)
    assert stop_ms == pytest.approx(2000 + len(said) * 1000 / rate_hz, abs=200)


async def test_a_pause_begins_before_speech_has_stopped_and_may_be_over():
    said = await speech(8000, "Tomorrow")
    audio = np.concatenate((said, noise(0.25, 8000), said, noise(1, 8000)))
    log, _ = listen(audio, 8000, Sensitivity(pause_ms=64, stop_ms=320))
    assert [kind for kind, _ in log.events] == ["start", "stop"]
    kinds = [kind for kind, _ in log.pauses]
    assert kinds[:2] == ["began", "over"]
    assert kinds[-1] == "began"
    assert log.pauses[-1][1] == pytest.approx(log.events[-1][1] + 64, abs=20)


@pytest.mark.parametrize("db", [-80, -60, -50, -40])
def test_noise_is_not_speech(db: float):
    log, _ = listen(noise(20, 16000, db), 16000)
    assert log.events == []


def test_digital_silence_and_a_click_are_not_speech():
    audio = np.zeros(16000 * 5, np.float32)
    audio[40000:40160] = 0.9
    log, _ = listen(audio, 16000)
    assert log.events == []


async def test_speech_after_a_long_silence_is_still_heard():
    said = await speech(8000)
    log, _ = listen(np.concatenate((noise(60, 8000, -50), said, noise(1, 8000))), 8000)
    assert [kind for kind, _ in log.events][:1] == ["start"]
    assert log.events[0][1] == pytest.approx(60_000, abs=150)


async def test_the_ear_keeps_the_newest_audio():
    said = await speech(16000)
    _, ear = listen(np.concatenate((noise(9, 16000), said)), 16000)
    assert ear.last(500) == to_pcm(said)[-16000:]
    assert len(ear.last(60_000)) <= 2 * 16000 * 9


async def test_streams_scored_together_are_scored_as_if_alone():
    said = await speech(8000)
    parts = [np.concatenate((noise(0.1 * i, 8000), said, noise(1, 8000))) for i in range(6)]
    alone = [probabilities_of([part])[0] for part in parts]
    together = await batched(parts)
    for one, other in zip(alone, together, strict=True):
        assert len(one) == len(other)
        np.testing.assert_allclose(one, other, atol=1e-3)


def probabilities_of(parts: list[Floats]) -> list[list[float]]:
    got: list[list[float]] = [[] for _ in parts]
    vads = [Vad(8000, got[i].append) for i in range(len(parts))]
    for vad, part in zip(vads, parts, strict=True):
        vad.feed(part)
        vad.close()
    return got


async def batched(parts: list[Floats]) -> list[list[float]]:
    got: list[list[float]] = [[] for _ in parts]
    vads = [Vad(8000, got[i].append) for i in range(len(parts))]
    for start in range(0, max(map(len, parts)), 160):
        for vad, part in zip(vads, parts, strict=True):
            vad.feed(part[start : start + 160])
        await asyncio.sleep(0.0005)
    await asyncio.sleep(0.05)
    for vad in vads:
        vad.close()
    return got
