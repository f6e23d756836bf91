"""A clause sounds the same however it is cut into pieces, so a phrase that is kept sounds as when it was made."""

from __future__ import annotations

import numpy as np
import pytest

from voicebot.media.resample import Resampler


def resampled(pcm: bytes, samples: int, from_hz: int, to_hz: int) -> bytes:
    """In pieces of so many samples."""
    resample, size = Resampler(from_hz, to_hz), 2 * samples
    pieces = [resample(pcm[start : start + size]) for start in range(0, len(pcm), size)]
    return b"".join([*pieces, resample(b"", last=True)])


def noise(seconds: float, rate_hz: int) -> bytes:
    return np.random.default_rng(1).normal(0, 9000, int(seconds * rate_hz)).clip(-32768, 32767).astype("<i2").tobytes()


@pytest.mark.parametrize("to_hz", [8_000, 16_000])
def test_pieces_of_any_size_give_the_same_samples(to_hz: int) -> None:
    pcm = noise(1, 22_050)
    whole = resampled(pcm, 22_050, 22_050, to_hz)
    assert len(whole) == pytest.approx(2 * to_hz, abs=4)
    assert all(resampled(pcm, samples, 22_050, to_hz) == whole for samples in (333, 2205, 4410))


def test_loud_sound_is_cut_off_at_full_scale_and_does_not_turn_over() -> None:
    square = np.tile(np.repeat(np.array([32767, -32768], "<i2"), 50), 100).tobytes()
    samples = np.frombuffer(resampled(square, 2205, 22_050, 16_000), "<i2").astype(int)
    assert abs(np.diff(samples)).max() < 65_000
    assert samples.max() == 32_767


def test_equal_rates_pass_through() -> None:
    pcm = noise(0.1, 16_000)
    assert resampled(pcm, 100, 16_000, 16_000) == pcm
