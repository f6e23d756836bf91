from __future__ import annotations

import numpy as np
import pytest

from voicebot.evals.speech.callers import hissing_line, spoken
from voicebot.stt import loudness, upper_band
from voicebot.stt.cepstra import CEPSTRA, Cepstra, LogMel

TEXT = "I would like to book a cleaning on Friday, please."


def speech(rate_hz: int = 16_000) -> bytes:
    return spoken(TEXT, "en-us+f2", 150, rate_hz)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000])
def test_a_frame_every_ten_milliseconds(rate_hz: int) -> None:
    frames = Cepstra(rate_hz).feed(bytes(2 * rate_hz))
    assert frames.shape == (98, CEPSTRA)  # the last window does not fit any more


def test_chunking_changes_nothing() -> None:
    pcm = speech()
    whole, cepstra = Cepstra(16_000).feed(pcm), Cepstra(16_000)
    parts = [cepstra.feed(pcm[start : start + 770]) for start in range(0, len(pcm), 770)]
    assert np.concatenate(parts) == pytest.approx(whole)


def test_digital_silence_is_heard_as_noise_not_as_minus_infinity() -> None:
    silence = Cepstra(16_000).feed(bytes(32_000))
    assert np.isfinite(silence).all()
    assert Cepstra(16_000).feed(b"").shape == (0, CEPSTRA)


def test_energy_is_highest_in_the_band_of_a_tone() -> None:
    seconds = np.arange(16_000) / 16_000
    tone = (8000 * np.sin(2 * np.pi * 1000 * seconds)).astype("<i2").tobytes()
    bands = LogMel(16_000).feed(tone).mean(axis=0)
    edges_hz = 700 * (
        10 ** (np.linspace(2595 * np.log10(1 + 130 / 700), 2595 * np.log10(1 + 6800 / 700), 27) / 2595) - 1
    )
    loudest = int(bands.argmax())
    assert edges_hz[loudest] < 1000 < edges_hz[loudest + 2]


def test_the_band_above_the_telephone_is_guessed_from_the_one_below() -> None:
    gain = loudness.gain(loudness.of(speech(), 16_000))
    upper = LogMel(16_000, gain).feed(speech())[:, 18:]
    guessed = upper_band.guess(LogMel(8_000, gain).feed(hissing_line(speech(8_000))))
    frames = min(len(upper), len(guessed))
    missed = np.abs(guessed[:frames] - upper[:frames]).mean()
    assert missed < 0.75 * np.abs(upper - upper.mean(axis=0)).mean()


@pytest.mark.parametrize("rate_hz", [8_000, 16_000])
def test_loudness_is_that_of_speech_not_of_the_silence_around_it(rate_hz: int) -> None:
    pcm = speech(rate_hz)
    padded = bytes(rate_hz // 2) + pcm
    assert loudness.of(padded, rate_hz) == pytest.approx(loudness.of(pcm, rate_hz), rel=0.25)


def test_gain_brings_any_voice_to_one_loudness() -> None:
    pcm = speech()
    quiet = (np.frombuffer(pcm, "<i2") // 10).astype("<i2").tobytes()
    for each in (pcm, quiet):
        loud = loudness.of(each, 16_000)
        assert loud * loudness.gain(loud) == pytest.approx(loudness.TARGET)
    assert loudness.gain(0.0) == loudness.gain(1.0) < 100
    assert loudness.of(b"\x00\x00", 16_000) == 0.0
