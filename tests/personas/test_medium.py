"""A line does to the caller's sound what it says, the same for the same seed."""

from __future__ import annotations

import time
from typing import get_args

import numpy as np
import pytest

from voicebot.personas import noise
from voicebot.personas.line import LINES, Line, Loss, Noise, NoiseKind
from voicebot.personas.medium import PACKET_MS, LineMedium, carried

SECONDS = 8
KINDS = get_args(NoiseKind)


def tone(rate_hz: int, hz: float = 440, seconds: float = SECONDS, rms: float = noise.SPEECH_RMS) -> bytes:
    wave = np.sin(2 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz)
    return bytes((wave * rms * np.sqrt(2)).astype("<i2").tobytes())


def silence(rate_hz: int, seconds: float = SECONDS) -> bytes:
    return bytes(2 * int(seconds * rate_hz))


def samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, "<i2").astype(float)


def level_db(pcm: bytes) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples(pcm) ** 2)) / 32768))


def lost(pcm: bytes, line: Line) -> np.ndarray:
    """Which packets hold nothing."""
    packets = samples(pcm).reshape(-1, line.rate_hz * PACKET_MS // 1000)
    return np.asarray(packets.any(axis=1) == 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_noise_is_as_strong_as_it_says_also_while_nobody_speaks(kind: NoiseKind, rate_hz: int) -> None:
    line = Line(rate_hz=rate_hz, noise=Noise(kind=kind, snr_db=12))
    heard = carried(silence(rate_hz, noise.BED_S), line, seed=3)
    assert level_db(heard) == pytest.approx(noise.SPEECH_DB - 12, abs=0.3)


def test_kinds_of_noise_differ() -> None:
    def share_above(kind: NoiseKind, hz: float) -> float:
        power = np.abs(np.fft.rfft(noise.bed(kind, 16000))) ** 2
        return float(power[np.fft.rfftfreq(noise.BED_S * 16000, 1 / 16000) > hz].sum() / power.sum())

    assert share_above("white", 1000) > 0.8 > share_above("babble", 1000) > share_above("car", 1000)
    assert share_above("hum", 800) < 0.05
    packets = noise.bed("street", 16000).reshape(-1, 16000).std(axis=1)
    assert packets.max() > 2 * packets.min(), "cars come and go"


def test_no_line_is_silent() -> None:
    assert -70 < level_db(carried(silence(16000), LINES["clean"])) < -62


@pytest.mark.parametrize("name", LINES)
def test_the_same_seed_gives_the_same_sound_and_another_seed_another(name: str) -> None:
    line = LINES[name]
    said = tone(line.rate_hz, seconds=2)
    assert carried(said, line, seed=5) == carried(said, line, seed=5)
    assert carried(said, line, seed=5) != carried(said, line, seed=6)


def test_speech_arrives_in_whole_packets_whatever_its_length() -> None:
    medium = LineMedium(Line())
    assert {len(medium.carry(bytes(size))) for size in (0, 2, 638, 640)} == {640}


def test_a_clean_line_leaves_speech_as_it_is() -> None:
    said = tone(16000)
    difference = samples(carried(said, Line())) - samples(said)
    assert np.sqrt(np.mean(difference**2)) < 40


def test_the_telephone_is_coarse_where_it_is_loud() -> None:
    loud, soft = (tone(8000, rms=rms) for rms in (8000, 100))
    line = Line(rate_hz=8000)
    for said, worst in ((loud, 700), (soft, 100)):
        assert 0 < np.abs(samples(carried(said, line)) - samples(said)).max() <= worst
    assert len(np.unique(samples(carried(loud, line)))) <= 256


def test_muffling_takes_the_high_frequencies_and_leaves_the_low_ones() -> None:
    line = Line(muffled_hz=2000)
    low, high = (level_db(carried(tone(16000, hz), line)) for hz in (500, 4000))
    assert low == pytest.approx(noise.SPEECH_DB, abs=0.3)
    assert high < noise.SPEECH_DB - 35


def test_gain_is_for_voice_and_noise_alike() -> None:
    plain = Line(noise=Noise(kind="white", snr_db=10))
    soft = plain.model_copy(update={"gain_db": -12})
    for said in (tone(16000), silence(16000)):
        assert level_db(carried(said, plain)) - level_db(carried(said, soft)) == pytest.approx(12, abs=0.1)


def test_clipping_stays_inside_sixteen_bits() -> None:
    heard = samples(carried(tone(16000, rms=20000), Line(gain_db=20)))
    assert heard.max() == 32767
    assert heard.min() == -32768


@pytest.mark.parametrize(("percent", "burst"), [(5, 1), (10, 4), (30, 2)])
def test_so_many_packets_are_lost_in_such_bursts(percent: float, burst: float) -> None:
    line = Line(loss=Loss(percent=percent, burst=burst, conceal=False))
    gone = lost(carried(tone(16000, seconds=400), line, seed=1), line)
    starts = np.count_nonzero(gone[1:] & ~gone[:-1]) + int(gone[0])
    assert gone.mean() * 100 == pytest.approx(percent, rel=0.2)
    assert gone.sum() / starts == pytest.approx(burst, rel=0.2)


def test_concealment_fills_short_gaps_with_a_fading_echo() -> None:
    conceals = Line(loss=Loss(percent=20, burst=6))
    open_gaps = conceals.model_copy(update={"loss": Loss(percent=20, burst=6, conceal=False)})
    said = tone(16000, seconds=60)
    filled, gone = (lost(carried(said, line, seed=2), line) for line in (conceals, open_gaps))
    assert 0 < filled.sum() < gone.sum(), "a long gap is silent in the end"
    first = np.flatnonzero(gone[1:] & ~gone[:-1])[0] + 1
    packets = samples(carried(said, conceals, seed=2)).reshape(-1, 320)
    assert packets[first].std() == pytest.approx(0.7 * packets[first - 1].std(), rel=0.02)


def test_a_line_costs_less_than_a_fiftieth_of_the_time_it_carries() -> None:
    line = Line(rate_hz=8000, noise=Noise(kind="street", snr_db=10), loss=Loss(percent=5), muffled_hz=3000, gain_db=-3)
    medium, said = LineMedium(line), tone(8000, seconds=PACKET_MS / 1000)
    medium.carry(said)
    began = time.process_time()
    for _ in range(500):
        medium.carry(said)
    assert time.process_time() - began < 0.02 * 500 * PACKET_MS / 1000
