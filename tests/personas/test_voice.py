from __future__ import annotations

import numpy as np
import pytest

from voicebot.errors import BadInput
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


async def test_an_unknown_voice_is_told_before_the_call() -> None:
    with pytest.raises(BadInput):
        await CallerVoice(Voice(engine="klingon-9"), 16000).load()
