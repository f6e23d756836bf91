from __future__ import annotations

import array
import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from voicebot import clock
from voicebot.errors import BadInput
from voicebot.tts import Speech, espeakng
from voicebot.tts.espeak import Espeak


async def speak(voice: Espeak, text: str) -> list[Speech]:
    return [chunk async for chunk in voice.speak(text)]


def seconds(chunks: list[Speech]) -> float:
    return sum(len(chunk.pcm) for chunk in chunks) / 2 / espeakng.RATE_HZ


async def test_speaks_audible_s16le_in_small_chunks() -> None:
    chunks = await speak(Espeak(), "Bright Smile Dental, this is Ava. How can I help?")
    assert {chunk.rate_hz for chunk in chunks} == {22_050}
    assert 2.5 < seconds(chunks) < 6
    assert max(len(chunk.pcm) for chunk in chunks) <= 22_050 * 2 // 10 + 2
    assert max(array.array("h", b"".join(chunk.pcm for chunk in chunks))) > 3000


async def test_every_word_comes_once_with_the_time_it_begins() -> None:
    chunks = await speak(Espeak(), "Dr. Smith, at 10:30 on Monday.")
    words = [word for chunk in chunks for word in chunk.words]
    assert [word.text for word in words] == ["Dr.", "Smith,", "at", "10:30", "on", "Monday."]
    starts = [word.start_ms for word in words]
    assert starts == sorted(starts)
    assert starts[-1] < seconds(chunks) * 1000


async def test_long_text_keeps_one_timeline() -> None:
    text = "This sentence has seven words in it. " * 20
    chunks = await speak(Espeak(), text)
    words = [word for chunk in chunks for word in chunk.words]
    assert [word.text for word in words] == text.split()
    assert [word.start_ms for word in words] == sorted(word.start_ms for word in words)
    assert seconds(chunks) * 1000 - 1500 < words[-1].start_ms < seconds(chunks) * 1000


@pytest.mark.parametrize("text", ["", "   ", "\n", "...", "—"])
async def test_nothing_to_say_gives_no_audio(text: str) -> None:
    assert await speak(Espeak(), text) == []


async def test_markup_and_control_characters_are_not_obeyed() -> None:
    plain = seconds(await speak(Espeak(), "hello"))
    assert seconds(await speak(Espeak(), "\x00\x1b hello \ud800\x07")) == pytest.approx(plain, abs=0.2)
    assert seconds(await speak(Espeak(), '<break time="60s"/> hello')) < 10


async def test_rate_and_pitch_belong_to_the_voice() -> None:
    slow = seconds(await speak(Espeak(rate_wpm=100), "one two three four five six"))
    fast = seconds(await speak(Espeak(rate_wpm=250), "one two three four five six"))
    assert slow > 1.7 * fast


async def test_callers_with_different_voices_interleave() -> None:
    voices = [Espeak("en-us+f2", 120), Espeak("en-us+m3", 240), Espeak("en-gb-x-rp", 165)]
    alone = [seconds(await speak(voice, "The same sentence for everyone.")) for voice in voices]
    jobs = [speak(voice, "The same sentence for everyone.") for _ in range(10) for voice in voices]
    together = [seconds(chunks) for chunks in await asyncio.gather(*jobs)]
    assert together == pytest.approx(alone * 10, abs=0.02)


async def test_closing_the_iterator_stops_the_work() -> None:
    voice = Espeak()
    async with aclosing(voice.speak("A very long sentence, " * 500)) as chunks:
        async for _ in chunks:
            break
    started = asyncio.get_running_loop().time()
    assert await speak(voice, "Next, please.")
    assert asyncio.get_running_loop().time() - started < 0.5


async def test_unknown_voices_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(BadInput, match="Did you mean 'robosoft2'"):
        await Espeak("en-us+robosoft22").load()
    with pytest.raises(BadInput, match=r"no voice 'en-uk'\. Did you mean 'en-us'"):
        await Espeak("en-uk").load()
    await Espeak().load()


def test_a_data_path_too_long_for_espeak_is_reached_by_a_short_one(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100) / "espeak-ng-data"
    deep.mkdir(parents=True)
    (deep / "phontab").write_bytes(b"x")
    short = espeakng._short(deep)
    assert len(str(short)) <= 150
    assert (short / "phontab").read_bytes() == b"x"
    assert espeakng._short(tmp_path) == tmp_path


def sound(chunks: list[Speech]) -> bytes:
    return b"".join(chunk.pcm for chunk in chunks)


async def test_a_repeatable_voice_sounds_the_same_whatever_was_said_before() -> None:
    text = "I would like to book a cleaning."
    caller = Espeak("en-us+m6", 150, repeatable=True)
    first = sound(await speak(caller, text))
    await speak(Espeak(), "Something else, and by another voice.")
    await asyncio.to_thread(espeakng.phonemes, ["toothache"])
    assert sound(await speak(caller, text)) == first
    assert sound(await speak(Espeak("en-us+m6", 150, repeatable=True), text)) == first


async def test_a_repeatable_voice_sounds_the_same_after_it_was_cut_off() -> None:
    caller = Espeak(repeatable=True)
    first = sound(await speak(caller, "Goodbye."))
    async with aclosing(caller.speak("This is a long sentence of which nobody hears the end. " * 4)) as cut:
        await anext(cut)
    assert sound(await speak(caller, "Goodbye.")) == first


def test_an_agent_sounds_the_same_each_time_on_the_skip_idle_clock() -> None:
    said = [sound(clock.run(speak(Espeak(), "Which day suits you?"), skip_idle=True)) for _ in range(3)]
    assert said[0] == said[1] == said[2]


async def test_many_voices_may_be_looked_at_before_one_speaks() -> None:
    """eSpeak's own queue of voices overran, and took the process along."""
    for count in range(400):
        espeakng.check(espeakng.Voice("en-us+f2" if count % 2 else "en-us+m6", 150, 50))
    assert sound(await speak(Espeak("en-us+robosoft2"), "hello"))
