"""Piper as it runs: piper-tts itself, its eSpeak phonemes and a real .onnx voice that the tests make of tones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from voicebot.errors import BadInput, Unavailable
from voicebot.tts import Speech

pytest.importorskip("piper", reason='piper needs piper-tts: pip install "voicebot[local]"')
pytest.importorskip("onnx", reason="the voice of tones is made with onnx, which the development tools bring")

from tests.doubles.tiny_piper import RATE_HZ, tiny_piper
from voicebot.tts import piper
from voicebot.tts.espeak import Espeak
from voicebot.tts.piper import Piper

TWO_SENTENCES = "Which day would suit you? We are open until five."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("voices")


@pytest.fixture(scope="module")
def voice(folder: Path) -> Piper:
    return Piper(tiny_piper(folder))


@pytest.fixture(scope="module")
def duo(folder: Path) -> Path:
    return tiny_piper(folder, "duo", speakers=("ann", "bob"))


async def speak(voice: Piper, text: str) -> list[Speech]:
    return [chunk async for chunk in voice.speak(text)]


def seconds(chunks: list[Speech]) -> float:
    return sum(len(chunk.pcm) for chunk in chunks) / 2 / RATE_HZ


def pitch_hz(chunks: list[Speech]) -> float:
    """The mean frequency of the sound."""
    samples = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), "<i2").astype(float)
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float((power * np.fft.rfftfreq(len(samples), 1 / RATE_HZ)).sum() / power.sum())


async def test_each_sentence_is_a_chunk_of_audible_s16le_at_the_voices_rate(voice: Piper) -> None:
    chunks = await speak(voice, TWO_SENTENCES)
    assert len(chunks) == 2
    assert {chunk.rate_hz for chunk in chunks} == {RATE_HZ}
    assert 2 < seconds(chunks) < 6
    loudest = max(int(np.abs(np.frombuffer(chunk.pcm, "<i2").astype(int)).max()) for chunk in chunks)
    assert 25_000 < loudest < 31_000  # near full scale, with room for resampling


@pytest.mark.parametrize("text", ["", "  ", "...", "—", "\x00\n"])
async def test_nothing_to_say_gives_no_audio(voice: Piper, text: str) -> None:
    assert await speak(voice, text) == []


async def test_the_speaking_rate_changes_the_length(voice: Piper) -> None:
    plain = seconds(await speak(voice, TWO_SENTENCES))
    assert seconds(await speak(Piper(voice._file, speed=2.0), TWO_SENTENCES)) == pytest.approx(plain / 2, rel=0.05)
    assert seconds(await speak(Piper(voice._file, speed=0.5), TWO_SENTENCES)) == pytest.approx(plain * 2, rel=0.05)
    with pytest.raises(BadInput, match=r"0\.5 to 2\.0 times"):
        Piper(voice._file, speed=3)


async def test_speakers_are_chosen_by_name_or_number(duo: Path) -> None:
    ann, bob, second = [await speak(Piper(duo, who), TWO_SENTENCES) for who in ("ann", "bob", "1")]
    assert pitch_hz(bob) > 1.5 * pitch_hz(ann)
    assert pitch_hz(second) == pytest.approx(pitch_hz(bob), rel=0.01)


async def test_a_speaker_that_is_not_there_is_refused_with_the_nearest(duo: Path, voice: Piper) -> None:
    with pytest.raises(BadInput, match=r"piper/duo has no speaker 'bop'\. Did you mean 'bob'\?"):
        await Piper(duo, "bop").load()
    with pytest.raises(BadInput, match=r"piper/tones has one speaker\. Leave out ':ann'"):
        await Piper(voice._file, "ann").load()


async def test_phonemes_in_brackets_and_control_characters_are_not_obeyed(voice: Piper) -> None:
    plain = seconds(await speak(voice, "hello"))
    assert seconds(await speak(voice, "\x00\x1b hello \ud800\x07")) == pytest.approx(plain, abs=0.2)
    assert seconds(await speak(voice, "[[aaaaaaaaaaaaaaaaaaaaaaaa]] hello")) != pytest.approx(plain, abs=0.02)
    assert seconds(await speak(voice, "[[hello]]")) == pytest.approx(plain, abs=0.2)


async def test_text_without_a_full_stop_is_made_in_pieces(voice: Piper) -> None:
    chunks = await speak(voice, "and so on " * 100)
    assert len(chunks) >= 4
    assert max(seconds([chunk]) for chunk in chunks) < 30


async def test_closing_the_iterator_stops_the_work(voice: Piper, monkeypatch: pytest.MonkeyPatch) -> None:
    await voice.load()
    made: list[str] = []
    real = piper._voice(voice._file).synthesize

    def synthesize(text: str, how: object) -> Iterator[object]:
        made.append(text)
        return iter(real(text, how))

    monkeypatch.setattr(piper._voice(voice._file), "synthesize", synthesize)
    async with aclosing(voice.speak("A sentence of this kind is repeated. " * 200)) as chunks:
        async for _ in chunks:
            break
    await voice.load()  # behind whatever the worker is still at
    assert len(made) == 2  # the first piece, and that of `load`


async def test_calls_take_turns_by_the_sentence(voice: Piper) -> None:
    await voice.load()
    order: list[str] = []

    async def call(name: str, text: str) -> None:
        async for chunk in voice.speak(text):
            order.append(name if chunk.pcm else "")  # noqa: PERF401 - the order in which chunks come is what counts

    await asyncio.gather(call("long", "This is one more sentence. " * 12), call("short", "Yes. No."))
    assert order.index("short") <= 2
    assert order.count("long") == 12


async def test_both_espeaks_of_the_process_get_along(voice: Piper) -> None:
    """piper-tts carries an eSpeak NG of its own for the phonemes."""
    espeak = Espeak("en-us+f2")
    before = seconds(await speak(voice, TWO_SENTENCES))

    async def other() -> int:
        return sum([len(chunk.pcm) async for chunk in espeak.speak(TWO_SENTENCES)])

    lengths = await asyncio.gather(*(other() if turn % 2 else speak(voice, TWO_SENTENCES) for turn in range(10)))
    assert min(each for each in lengths if isinstance(each, int)) > RATE_HZ
    assert {round(seconds(each), 2) for each in lengths if isinstance(each, list)} == {round(before, 2)}


async def test_synthesis_never_holds_up_the_loop(voice: Piper) -> None:
    await voice.load()
    loop, longest = asyncio.get_running_loop(), 0.0
    speaking = asyncio.create_task(speak(voice, "This is one more sentence. " * 20))
    while not speaking.done():
        before = loop.time()
        await asyncio.sleep(0.001)
        longest = max(longest, loop.time() - before)
    assert longest < 0.1


# -- broken voices ----------------------------------------------------------------------------------------------------


async def test_a_missing_file_is_named_with_what_belongs_together(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"there is no .*nobody\.onnx\. A voice is two files side by side"):
        await Piper(tmp_path / "nobody.onnx").load()
    alone = tmp_path / "alone.onnx"
    alone.write_bytes(tiny_piper(folder).read_bytes())
    with pytest.raises(Unavailable, match=r"there is no .*alone\.onnx\.json\."):
        await Piper(alone).load()


@pytest.mark.parametrize("damage", ["onnx", "json", "keys", "rate", "foreign"])
async def test_a_damaged_voice_is_one_sentence(tmp_path: Path, damage: str) -> None:
    with pytest.raises(Unavailable) as failure:
        await Piper(damaged(tiny_piper(tmp_path), damage)).load()
    sentence = str(failure.value)
    assert "\n" not in sentence
    assert "tones.onnx" in sentence


def damaged(file: Path, damage: str) -> Path:
    settings = Path(f"{file}.json")
    known = json.loads(settings.read_text())
    if damage == "onnx":
        file.write_bytes(file.read_bytes()[:1000])
    elif damage == "json":
        settings.write_text("{")
    elif damage == "keys":
        settings.write_text("{}")
    elif damage == "rate":
        settings.write_text(json.dumps(known | {"phoneme_id_map": {"a": [10_000], "_": [0], "^": [1], "$": [2]}}))
    else:
        settings.write_text(json.dumps(known | {"phoneme_type": "pinyin"}))
    return file


async def test_a_pulled_voice_that_is_damaged_is_to_be_pulled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICEBOT_MODELS", str(tmp_path))
    file = tiny_piper(tmp_path / "en_US-joe-medium" / "en/en_US/joe/medium", "en_US-joe-medium")
    file.write_bytes(b"nonsense")
    with pytest.raises(Unavailable, match=r"voicebot models rm en_US-joe-medium, then voicebot models pull en_US-joe"):
        await Piper(file).load()
