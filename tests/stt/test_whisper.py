"""Whisper as it runs: faster-whisper itself, on a model of half a megabyte that the tests make."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from voicebot import clock
from voicebot.errors import BadInput, Unavailable
from voicebot.evals.speech.callers import hissing_line, spoken
from voicebot.stt import STTStream, Transcript

pytest.importorskip("faster_whisper", reason='whisper needs faster-whisper: pip install "voicebot[local]"')

from tests.doubles.tiny_whisper import SENTENCE, tiny_whisper
from voicebot.stt import reading, whisper
from voicebot.stt.reading import Expected, Reading
from voicebot.stt.whisper import Whisper

RATE_HZ = 16_000
WORDS = SENTENCE.split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_whisper(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="module")
def ear(folder: Path) -> Whisper:
    return Whisper(folder)


def noise(seconds: float, level: float = 0.2, rate_hz: int = RATE_HZ) -> bytes:
    samples = np.random.default_rng(3).normal(0, level, int(seconds * rate_hz))
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def silence(seconds: float, rate_hz: int = RATE_HZ) -> bytes:
    return bytes(2 * int(seconds * rate_hz))


def sound(seconds: float) -> bytes:
    """As a stretch comes: with pre-roll, and with the silence by which its end was noticed."""
    return silence(0.3) + noise(seconds) + silence(0.2)


async def hear(stream: STTStream, pcm: bytes, rate_hz: int = RATE_HZ, *, real_time: bool = False) -> Transcript:
    """In chunks that cut samples in half, `real_time` on the clock of the call."""
    stream.start()
    for start in range(0, len(pcm), 641):
        stream.feed(pcm[start : start + 641])
        if real_time:
            await asyncio.sleep(641 / 2 / rate_hz)
    return await stream.finish()


def inside(stream: STTStream) -> whisper._Stretch:
    assert isinstance(stream, whisper._Stream)
    assert stream._stretch is not None
    return stream._stretch


def language(stream: STTStream) -> str | None:
    assert isinstance(stream, whisper._Stream)
    return stream._language


async def test_hears_what_is_said_and_how_sure_it_is(ear: Whisper) -> None:
    transcript = await hear(ear.stream(RATE_HZ, lambda _: None), sound(3))
    assert transcript.text == SENTENCE
    assert transcript.confidence is not None
    assert 0.9 < transcript.confidence <= 1.0


def test_interim_words_come_while_the_caller_speaks_and_never_flicker(ear: Whisper) -> None:
    interims: list[str] = []
    final = clock.run(hear(ear.stream(RATE_HZ, interims.append), sound(3), real_time=True), skip_idle=True)
    assert final.text == SENTENCE
    assert len(interims) >= 4
    assert all(SENTENCE.startswith(interim) for interim in interims)
    assert [len(interim) for interim in interims] == sorted(len(interim) for interim in interims)


def test_the_final_words_are_those_read_when_the_caller_fell_silent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings: list[float] = []

    def read(self: reading.Reader, pcm: bytes, rate_hz: int, expected: Expected) -> Reading:
        readings.append(len(pcm) / 2 / rate_hz)
        return Reading(SENTENCE, 0.9)

    monkeypatch.setattr(reading.Reader, "read", read)

    async def call() -> float:
        stream = Whisper(folder).stream(RATE_HZ, lambda _: None)
        pcm = sound(1.5) + silence(0.2)
        stream.start()
        for start in range(0, len(pcm), 640):
            stream.feed(pcm[start : start + 640])
            await asyncio.sleep(0.02)
        before, began_s = len(readings), asyncio.get_running_loop().time()
        assert (await stream.finish()).text == SENTENCE
        assert len(readings) == before
        return asyncio.get_running_loop().time() - began_s

    assert clock.run(call(), skip_idle=True) < 0.05
    assert 1.9 < readings[-1] < 2.1  # it began 160 ms behind the last sound


async def test_words_after_a_pause_are_not_lost(ear: Whisper) -> None:
    stream = ear.stream(RATE_HZ, lambda _: None)
    stream.start()
    stream.feed(silence(0.3) + noise(0.6) + silence(0.3))
    job = inside(stream).job
    assert job is not None
    await job.result  # the reading that the pause began
    stream.feed(noise(2.4) + silence(0.1))
    assert (await stream.finish()).text == SENTENCE


@pytest.mark.parametrize("took_s", [0.05, 0.7, 3.0])
def test_readings_never_queue_up_and_leave_room_for_others(
    ear: Whisper, monkeypatch: pytest.MonkeyPatch, took_s: float
) -> None:
    began: list[float] = []

    async def call() -> None:
        loop = asyncio.get_running_loop()

        async def slowly(*_: object) -> Reading:
            began.append(loop.time())
            await asyncio.sleep(took_s)
            return Reading("words")

        stream = ear.stream(RATE_HZ, lambda _: None)
        monkeypatch.setattr(loop, "run_in_executor", lambda *args: asyncio.ensure_future(slowly(*args)))
        stream.start()
        for _ in range(400):
            stream.feed(noise(0.02))
            await asyncio.sleep(0.02)
        stream.cancel()

    clock.run(call(), skip_idle=True)
    gaps = [later - earlier for earlier, later in pairwise(began)]
    assert gaps
    assert min(gaps) >= max(0.5, 2 * took_s) - 0.01
    assert max(gaps) <= max(0.5, 2 * took_s) + 0.1


@pytest.mark.parametrize("pcm", [b"", b"\x00", silence(1), silence(30), noise(2, 0.00005), silence(0.5) + noise(0.02)])
async def test_without_speech_nothing_is_heard(ear: Whisper, pcm: bytes) -> None:
    interims: list[str] = []
    assert (await hear(ear.stream(RATE_HZ, interims.append), pcm)).text == ""
    assert interims == []


async def test_nothing_was_begun(ear: Whisper) -> None:
    stream = ear.stream(RATE_HZ, lambda _: None)
    stream.feed(sound(1))
    assert (await stream.finish()).text == ""
    await stream.close()


@pytest.mark.parametrize("rate_hz", [8_000, 48_000])
async def test_other_rates_are_heard_too(ear: Whisper, rate_hz: int) -> None:
    pcm = silence(0.3, rate_hz) + noise(3, rate_hz=rate_hz) + silence(0.2, rate_hz)
    assert (await hear(ear.stream(rate_hz, lambda _: None), pcm)).text.startswith("i would like to book")


async def test_speech_through_a_telephone_is_heard(ear: Whisper) -> None:
    pcm = hissing_line(spoken("I would like to book a cleaning on Tuesday morning", "en-us+f2", 150, 8_000))
    assert (await hear(ear.stream(8_000, lambda _: None), pcm)).text.startswith("i would like")


def test_a_cancelled_stretch_leaves_no_trace(ear: Whisper) -> None:
    interims: list[str] = []

    async def call() -> Transcript:
        stream = ear.stream(RATE_HZ, interims.append)
        stream.start()
        stream.feed(sound(3))
        await asyncio.sleep(0)
        stream.cancel()
        return await hear(stream, sound(0.5), real_time=True)

    final = clock.run(call(), skip_idle=True)
    assert final.text in ("i would", "i would like")
    assert all(final.text.startswith(interim) for interim in interims)


def test_a_minute_without_a_breath_is_heard_in_parts_and_held_in_bounds(
    ear: Whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[float] = []
    read = Whisper._read
    monkeypatch.setattr(whisper, "_READ_EVERY_S", 4.0)

    def measured(self: Whisper, pcm: bytes, rate_hz: int, expected: Expected) -> Reading:
        lengths.append(len(pcm) / 2 / rate_hz)
        assert len(expected.text) < 300
        return read(self, pcm, rate_hz, expected)

    monkeypatch.setattr(Whisper, "_read", measured)
    interims: list[str] = []
    final = clock.run(hear(ear.stream(RATE_HZ, interims.append), sound(60), real_time=True), skip_idle=True)
    assert max(lengths) <= 22.5
    times = final.text.count(SENTENCE)
    assert 3 <= times <= 6
    assert final.text == " ".join([SENTENCE] * times)
    assert any(interim.startswith(f"{SENTENCE} {SENTENCE}") for interim in interims)


async def test_a_minute_at_once_is_read_to_its_end(ear: Whisper) -> None:
    final = await hear(ear.stream(RATE_HZ, lambda _: None), sound(60))
    assert final.text.count(SENTENCE) >= 3


async def test_endless_sound_does_not_take_endless_memory(ear: Whisper) -> None:
    stream = ear.stream(RATE_HZ, lambda _: None)
    stream.start()
    for _ in range(20):
        stream.feed(noise(10))
    assert inside(stream).window.seconds <= 130
    stream.cancel()


async def test_calls_at_once_share_one_model_and_do_not_mix(ear: Whisper) -> None:
    lengths = [0.5, 3.0, 1.0, 2.0]
    finals = await asyncio.gather(*(hear(ear.stream(RATE_HZ, lambda _: None), sound(each)) for each in lengths))
    heard = [len(final.text.split()) for final in finals]
    assert heard[1] == len(WORDS)
    assert heard[0] < heard[2] < heard[3] <= heard[1]
    assert len({id(whisper._reader(ear._folder, ""))}) == 1


def test_two_calls_are_heard_while_both_speak(ear: Whisper) -> None:
    async def call() -> list[Transcript]:
        return await asyncio.gather(
            *(hear(ear.stream(RATE_HZ, lambda _: None), sound(each), real_time=True) for each in (3.0, 2.5))
        )

    one, other = clock.run(call(), skip_idle=True)
    assert one.text == SENTENCE
    assert len(other.text.split()) >= 8


async def test_reading_never_holds_up_the_loop(ear: Whisper) -> None:
    await ear.load()
    stream, longest = ear.stream(RATE_HZ, lambda _: None), 0.0
    pcm, loop = sound(20), asyncio.get_running_loop()
    stream.start()
    for start in range(0, len(pcm), 640):
        before = loop.time()
        stream.feed(pcm[start : start + 640])
        await asyncio.sleep(0)
        longest = max(longest, loop.time() - before)
    await stream.finish()
    assert longest < 0.1  # a slice of sound is some 0.1 ms; the rest is a busy machine


# -- what Whisper makes up --------------------------------------------------------------------------------------------


def test_a_reading_that_goes_round_in_circles_is_made_again_with_the_whole_window(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, windows = reading.Reader(folder, ""), []
    circles = Reading("are you open today are you open today are you open today", 0.9)

    def decode(features: object, frames: int, *_: object) -> tuple[Reading, bool]:
        windows.append(frames)
        return (circles, False) if frames < 3000 or stubborn else (Reading("are you open today", 0.8), True)

    monkeypatch.setattr(reader, "_decode", decode)
    stubborn = False
    assert reader.read(sound(1), RATE_HZ, Expected("en")) == Reading("are you open today", 0.8)
    assert windows == [1200, 3000]
    stubborn = True
    assert reader.read(sound(1), RATE_HZ, Expected("en")).text == "are you open today"


@pytest.mark.parametrize(
    ("figures", "words", "score", "heard"),
    [
        ("At 1030.", "At ten thirty.", -0.9, "At ten thirty."),
        ("It's 555-0142.", "It's five-five-five-zero-one-four-two.", -0.8, "It's five-five-five-zero-one-four-two."),
        ("Flight 206.", "Flight", -0.5, "Flight 206."),
        ("Gate 5", "Gate do", -3.9, "Gate 5"),
        ("267 10123.", "M-T-S-T-S-T-S-T-S-T-S-T", -0.3, "267 10123."),
    ],
)
def test_numbers_are_written_in_words_unless_that_loses_them(
    figures: str, words: str, score: float, heard: str
) -> None:
    written = reading._Written(figures, 4, -0.4, 0.1), reading._Written(words, 4, score, 0.1)
    assert reading.Reader._in_words(*written).text == heard


# -- languages --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def multilingual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_whisper(tmp_path_factory.mktemp("multilingual"), languages=("de", "en"))


async def test_the_language_is_found_out_once_enough_was_said(multilingual: Path) -> None:
    stream = Whisper(multilingual, language=None).stream(RATE_HZ, lambda _: None)
    await hear(stream, sound(0.5))
    assert language(stream) is None
    await hear(stream, sound(3))
    assert language(stream) == "de"


async def test_a_named_language_stays(multilingual: Path) -> None:
    stream = Whisper(multilingual, language="en").stream(RATE_HZ, lambda _: None)
    await hear(stream, sound(3))
    assert language(stream) == "en"


async def test_a_language_that_the_model_does_not_know_is_refused(folder: Path, multilingual: Path) -> None:
    with pytest.raises(BadInput, match=r"whisper/base\.en hears only English.*'de'\. Use whisper/base, without \.en"):
        await Whisper(folder, "de", name="base.en").load()
    with pytest.raises(BadInput, match=r"does not know the language 'tlh'\. Did you mean 'tl'"):
        await Whisper(multilingual, "tlh").load()


# -- broken models ----------------------------------------------------------------------------------------------------


def damaged(folder: Path, into: Path, name: str, data: bytes | None) -> Path:
    into.mkdir()
    for file in folder.iterdir():
        (into / file.name).write_bytes(file.read_bytes())
    (into / name).write_bytes(data) if data is not None else (into / name).unlink()
    return into


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json", "config.json"])
async def test_a_missing_file_is_named_and_nothing_is_downloaded(folder: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(Unavailable, match=rf"no Whisper model for faster-whisper: {name} is missing"):
        await Whisper(damaged(folder, tmp_path / "broken", name, None)).load()


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json", "vocabulary.json"])
async def test_a_damaged_file_is_one_sentence(folder: Path, tmp_path: Path, name: str) -> None:
    broken = damaged(folder, tmp_path / "broken", name, b"nonsense")
    with pytest.raises(Unavailable, match=r"^the Whisper model in .*broken cannot be loaded \(.*\)\. Convert it again"):
        await Whisper(broken).load()


async def test_a_pulled_model_that_is_damaged_is_to_be_pulled_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICEBOT_MODELS", str(tmp_path))
    broken = damaged(folder, tmp_path / "base.en", "model.bin", b"")
    with pytest.raises(Unavailable, match=r"voicebot models rm base\.en, then voicebot models pull base\.en"):
        await Whisper(broken).load()


async def test_a_gpu_that_does_not_work_is_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ctranslate2

    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    assert reading.Reader(folder, "").read(sound(3), RATE_HZ, Expected("en")).text == SENTENCE
