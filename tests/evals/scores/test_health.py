"""Faults that are put into a recording are found, and speech without faults has none."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.doubles.measured_call import hum
from voicebot.evals.scores.health import clipping, cut_offs, dropouts, ends_in_sound, loops
from voicebot.evals.scores.spans import Span
from voicebot.evals.speech.callers import spoken
from voicebot.media.dtmf import tones

RATE_HZ = 16000


@cache
def speech() -> np.ndarray:
    """Three sentences of eSpeak NG with silence around them."""
    text = (
        "Your appointment is on Tuesday at half past nine. Is there anything else? Five five five, zero one four two."
    )
    quiet = np.zeros(RATE_HZ // 2, np.int16)
    pcm = np.frombuffer(spoken(text, "en-us+f2", 150, RATE_HZ), "<i2")
    return np.concatenate((quiet, pcm, quiet))


def ms(samples: int) -> float:
    return samples * 1000 / RATE_HZ


def loud_place(samples: np.ndarray, from_ms: float = 800) -> int:
    """A sample in the midst of loud sound."""
    level = np.convolve(np.abs(samples.astype(float)), np.ones(400) / 400, "same")
    start = int(from_ms * RATE_HZ / 1000)
    return start + int(np.argmax(level[start:] > 2500))


def test_clean_speech_has_no_faults():
    assert dropouts(speech(), RATE_HZ) == []
    assert clipping(speech(), RATE_HZ) == []
    assert loops(speech(), RATE_HZ) == []
    assert cut_offs(speech(), RATE_HZ) == []


def test_nothing_has_no_faults():
    for samples in (np.zeros(0, np.int16), np.zeros(10, np.int16), np.zeros(RATE_HZ, np.int16)):
        assert dropouts(samples, RATE_HZ) == clipping(samples, RATE_HZ) == loops(samples, RATE_HZ) == []
        assert cut_offs(samples, RATE_HZ) == []
        assert not ends_in_sound(samples, RATE_HZ)


@pytest.mark.parametrize(("length_ms", "found"), [(4, 0), (20, 1), (120, 1), (450, 0)])
def test_a_hole_in_the_midst_of_sound_is_a_dropout(length_ms: int, found: int):
    samples = hum(3000, RATE_HZ).copy()
    at = 16_000
    while min(abs(int(samples[at - 1])), abs(int(samples[at + length_ms * 16]))) < 1000:
        at += 1
    samples[at : at + length_ms * 16] = 0
    holes = dropouts(samples, RATE_HZ)
    assert len(holes) == found
    if found:
        assert (holes[0].starts_ms, holes[0].ends_ms) == pytest.approx((ms(at), ms(at) + length_ms), abs=1)
        assert dropouts(samples, RATE_HZ, [Span(ms(at), ms(at) + 200)]) == []  # the agent was told to pause


@pytest.mark.parametrize(("ringing_ms", "found"), [(2, 1), (4, 0)])
def test_a_hole_into_which_a_resampler_rings_for_a_moment_is_a_dropout(ringing_ms: int, found: int):
    samples = hum(3000, RATE_HZ).copy()
    at = 16_000 + int(np.argmax(np.abs(samples[16_000:]) > 2000))
    samples[at : at + 50 * 16] = 0
    ringing = np.resize(np.array([3, -3], np.int16), ringing_ms * 16)
    samples[at : at + len(ringing)] = ringing
    assert len(dropouts(samples, RATE_HZ)) == found


def test_clipped_stretches_are_counted_once_each():
    samples = speech().copy()
    at = loud_place(samples)
    samples[at : at + 3] = 32767
    samples[at + 100 : at + 105] = -32768  # 6 ms later: the same stretch
    samples[at + 4000 : at + 4002] = 32767  # two samples are a peak
    (found,) = clipping(samples, RATE_HZ)
    assert (found.starts_ms, found.ends_ms) == pytest.approx((ms(at), ms(at + 105)))


@pytest.mark.parametrize("length_ms", [40, 100, 333, 900])
def test_a_piece_that_is_played_twice_is_a_loop(length_ms: int):
    at, size = loud_place(speech()), length_ms * RATE_HZ // 1000
    samples = np.concatenate((speech()[: at + size], speech()[at : at + size], speech()[at + size :]))
    (found,) = loops(samples, RATE_HZ)
    assert found.starts_ms <= ms(at) + 20
    assert found.ends_ms >= ms(at + 2 * size) - 20


def test_a_stutter_is_one_loop():
    at, size = loud_place(speech()), 60 * 16
    samples = np.concatenate((speech()[: at + size], *[speech()[at : at + size]] * 6, speech()[at + size :]))
    assert len(loops(samples, RATE_HZ)) == 1


def test_touch_tones_and_phrases_said_again_later_are_no_loops():
    keys = np.frombuffer(b"".join(tones("5550142", RATE_HZ)), "<i2")
    assert loops(keys, RATE_HZ, [Span(0, ms(len(keys)))]) == []
    assert loops(np.concatenate((speech(), speech())), RATE_HZ) == []


def test_speech_that_stops_in_mid_sound_is_a_cut_off():
    at = loud_place(speech())
    samples = np.concatenate((speech()[:at], np.zeros(RATE_HZ, np.int16)))
    (found,) = cut_offs(samples, RATE_HZ)
    assert found.ends_ms == pytest.approx(ms(at), abs=5)
    assert cut_offs(samples, RATE_HZ, [ms(at) + 100]) == []  # the caller interrupted
    assert len(cut_offs(samples, RATE_HZ, [ms(at) + 1000])) == 1


def test_most_cuts_within_words_are_found():
    places = [at for at in range(8000, len(speech()) - 8000, 701) if np.abs(speech()[at - 160 : at]).mean() > 1000]
    cut = [np.concatenate((speech()[:at], np.zeros(RATE_HZ, np.int16))) for at in places]
    found = sum(bool(cut_offs(samples, RATE_HZ)) for samples in cut)
    assert len(places) > 60
    assert found >= 0.95 * len(places)


def test_a_recording_that_ends_in_mid_sound():
    at = loud_place(speech())
    assert ends_in_sound(speech()[:at], RATE_HZ)
    assert not ends_in_sound(speech(), RATE_HZ)
    assert not ends_in_sound(np.concatenate((speech()[:at], np.zeros(RATE_HZ, np.int16))), RATE_HZ)
