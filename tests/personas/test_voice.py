from __future__ import annotations

import numpy as np
import pytest

from voicebot.personas import noise
from voicebot.personas.persona import Voice
from voicebot.personas.voice import CallerVoice


def samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, np.int16).astype(float)


@pytest.mark.parametrize("rate_hz", [8000, 16000])
async def test_speech_comes_at_the_rate_of_the_line(rate_hz: int) -> None:
    pcm = await CallerVoice(Voice(), rate_hz).say("on thursday at three o'clock, please.")
    assert 1.2 < len(pcm) / 2 / rate_hz < 3.5
    assert np.sqrt(np.mean(samples(pcm) ** 2)) > 500


async def test_dots_are_a_pause_in_the_same_breath() -> None:
    voice = CallerVoice(Voice(), 16000)
    pcm = samples(await voice.say("tuesday... no, wednesday."))
    loud = np.abs(pcm) > 200
    edges = np.flatnonzero(loud)
    longest_gap_s = np.max(np.diff(edges)) / 16000
    assert 0.3 < longest_gap_s < 0.8


async def test_callers_are_equally_loud_whatever_their_voice() -> None:
    for engine in ("en-us+klatt", "en-us+f2", "en-us+steph3"):
        pcm = await CallerVoice(Voice(engine=engine), 16000).say("I'd like to come in on Thursday afternoon, please.")
        loudness_db = 20 * np.log10(noise.level(samples(pcm), 16000) / 32768)
        assert loudness_db == pytest.approx(noise.SPEECH_DB, abs=2), engine
    soft = await CallerVoice(Voice(engine="en-us+f2", loudness_db=-12), 16000).say("on thursday.")
    plain = await CallerVoice(Voice(engine="en-us+f2"), 16000).say("on thursday.")
    ratio = noise.level(samples(plain), 16000) / noise.level(samples(soft), 16000)
    assert 20 * np.log10(ratio) == pytest.approx(12, abs=1.5)
