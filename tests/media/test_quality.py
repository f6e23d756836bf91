"""What is wrong with a caller's audio is told once, and ordinary speech is left in peace."""

from __future__ import annotations

import time
from functools import cache

import numpy as np
import pytest
import soxr

from voicebot.evals.speech.callers import hissing_line, spoken
from voicebot.media.quality import Kind, Quality

RATE_HZ = 16000
TEXT = (
    "My number is five five five oh one four two, and I would like to book a cleaning for Tuesday at half past two. "
    "Please speak up, this line is terrible."
)


@cache
def speech(voice: str = "en-us+f2", rate_hz: int = RATE_HZ) -> np.ndarray:
    return np.frombuffer(spoken(TEXT, voice, 160, rate_hz), np.int16)


def notices(
    samples: np.ndarray,
    rate_hz: int = RATE_HZ,
    *,
    speaking: bool = True,
    chunk_ms: int = 20,
    at_s: list[float] | None = None,
) -> list[tuple[Kind, float]]:
    told: list[tuple[Kind, float]] = []
    quality = Quality(rate_hz, lambda kind, level: told.append((kind, level)))
    size = rate_hz * chunk_ms // 1000
    for index, start in enumerate(range(0, len(samples), size)):
        chunk = samples[start : start + size].astype(np.int16)
        now_s = at_s[index] if at_s else (start + len(chunk)) / rate_hz
        quality.hear(chunk.tobytes(), speaking=speaking, now_s=now_s)
    return told


@pytest.mark.parametrize("voice", ["en-us+f2", "en-us+robosoft3", "en-us+klatt3", "en-us+m6", "en-gb-x-rp+m3", "de"])
@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_ordinary_speech_is_left_in_peace(voice, rate_hz):
    assert notices(speech(voice, rate_hz), rate_hz) == []


def test_quiet_speech_is_told_with_its_level():
    ((kind, level),) = notices(speech() * 0.01)
    assert kind == "too_quiet"
    assert -64 < level < -50


def test_a_quiet_line_on_which_nobody_speaks_is_fine():
    assert notices(speech() * 0.01, speaking=False) == []


def test_clipped_speech_is_told():
    loud = np.clip(speech().astype(np.int32) * 4, -32768, 32767)
    ((kind, percent),) = notices(loud)
    assert kind == "clipping"
    assert percent > 0.2


def test_clipping_on_a_telephone_is_told_though_its_code_ends_below_full_scale():
    loud = np.clip(speech(rate_hz=8000).astype(np.int32) * 4, -32124, 32124)
    assert [kind for kind, _ in notices(loud, 8000)] == ["clipping"]


def test_a_single_sample_at_full_scale_is_no_clipping():
    samples = speech().copy()
    samples[::400] = 32767
    assert "clipping" not in [kind for kind, _ in notices(samples)]


def test_holes_in_speech_are_told():
    samples = speech().copy()
    for start in range(1000, len(samples), 4000):
        samples[start : start + 480] = 0
    ((kind, lost_ms),) = notices(samples)
    assert kind == "dropouts"
    assert lost_ms > 100


@pytest.mark.parametrize("start", [8000, 7900, 7530])
def test_a_hole_is_found_at_the_seam_of_two_blocks_too(start):
    tone = (8000 * np.sign(np.sin(np.arange(3 * RATE_HZ) * 0.2))).astype(np.int16)
    tone[tone == 0] = 1
    tone[start : start + 2400] = 0
    ((kind, lost_ms),) = notices(tone, speaking=False)
    assert kind == "dropouts"
    assert lost_ms == pytest.approx(150, abs=1)


def test_muting_is_no_hole():
    tone = np.full(3 * RATE_HZ, 8000, np.int16)
    tone[RATE_HZ : 2 * RATE_HZ] = 0
    assert notices(tone, speaking=False) == []


def test_a_telephone_in_a_wideband_call_is_told():
    for narrow in (speech(rate_hz=8000), np.frombuffer(hissing_line(speech(rate_hz=8000).tobytes()), np.int16)):
        ((kind, level),) = notices(soxr.resample(narrow, 8000, RATE_HZ))
        assert kind == "narrowband"
        assert level < -54


def test_audio_that_never_came_is_told_and_late_audio_is_not():
    tone = np.full(6 * RATE_HZ, 8000, np.int16)
    regular = [(index + 1) * 0.02 for index in range(300)]
    lost = [at if at < 2 else at + 0.3 for at in regular]
    late = [at if not 2 < at < 2.3 else 2.3 for at in regular]
    ((kind, lost_ms),) = notices(tone, at_s=lost)
    assert kind == "dropouts"
    assert lost_ms == pytest.approx(300, abs=1)
    assert notices(tone, at_s=late) == []


def test_it_is_told_once_and_again_when_it_was_good_in_between():
    quiet, good = np.tile(speech() * 0.01, 2), speech()
    assert [kind for kind, _ in notices(quiet)] == ["too_quiet"]
    assert [kind for kind, _ in notices(np.concatenate([quiet, good, quiet]))] == ["too_quiet"] * 2


def test_it_costs_less_than_a_thousandth_of_the_time():
    """20 us for a chunk of 20 ms; the least of several rounds, since noise only ever adds."""
    samples = np.tile(speech(), 2)
    chunks = len(samples) / (RATE_HZ * 0.02)

    def us() -> float:
        began = time.thread_time()
        notices(samples)
        return (time.thread_time() - began) / chunks * 1e6

    assert min(us() for _ in range(7)) < 20
