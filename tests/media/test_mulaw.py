from __future__ import annotations

import numpy as np
import pytest

from voicebot.media import mulaw


@pytest.mark.parametrize(
    ("sample", "code", "decoded"),
    # ITU-T G.711, table 2a: decision values and code words, at 14 bits; a 16-bit sample is four times as large
    [(0, 0xFF, 0), (3, 0xFF, 0), (4, 0xFE, 8), (-4, 0x7E, -8), (32767, 0x80, 32124), (-32768, 0x00, -32124)],
)
def test_samples_of_the_table(sample: int, code: int, decoded: int) -> None:
    pcm = np.array([sample], "<i2").tobytes()
    assert mulaw.encode(pcm) == bytes([code])
    assert np.frombuffer(mulaw.decode(bytes([code])), "<i2")[0] == decoded


def test_what_was_decoded_is_coded_the_same_again() -> None:
    codes = bytes(set(range(256)) - {0x7F})  # minus zero becomes zero
    assert mulaw.encode(mulaw.decode(codes)) == codes


def test_the_error_grows_with_the_loudness() -> None:
    samples = np.arange(-32768, 32768).astype("<i2")
    error = np.abs(mulaw.round_trip()[samples.view(np.uint16)].astype(int) - samples.astype(int))
    size = np.abs(samples.astype(int))
    assert error[size < 100].max() <= 8
    assert error[(size > 1000) & (size < 30000)].max() < 520
    assert np.all(error[size < 32000] <= size[size < 32000] / 16 + 8)
