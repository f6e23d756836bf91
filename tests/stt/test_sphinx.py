from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from voicebot import clock
from voicebot.evals.speech.callers import hissing_line, spoken
from voicebot.evals.words.wer import pooled, wer
from voicebot.stt import STTStream
from voicebot.stt.sphinx import Sphinx
from voicebot.stt.stretch import Caller, Stretch

SENTENCES = [
    "i'd like to book a cleaning on tuesday at ten thirty",
    "can i move my appointment to friday",
    "my number is five five five zero one four two",
    "no i said thursday",
    "yes please",
    "i have a toothache",
]


@pytest.fixture(scope="module")
def sphinx() -> Sphinx:
    return Sphinx(SENTENCES, words=["goodbye"])


async def hear(stream: STTStream, pcm: bytes) -> str:
    stream.start()
    for start in range(0, len(pcm), 641):  # chunks that cut samples in half
        stream.feed(pcm[start : start + 641])
    return (await stream.finish()).text


def said(text: str, rate_hz: int = 16_000) -> bytes:
    return spoken(text, "en-us+klatt3", 150, rate_hz)


@pytest.mark.parametrize("rate_hz", [16_000, 8_000])
async def test_understands_its_own_sentences(sphinx: Sphinx, rate_hz: int) -> None:
    stream = sphinx.stream(rate_hz, lambda _: None)
    errors = []
    for sentence in SENTENCES:
        pcm = said(sentence, rate_hz)
        errors.append(wer(sentence, await hear(stream, hissing_line(pcm) if rate_hz == 8_000 else pcm)))
    assert pooled(errors).rate <= 0.1


async def test_a_quiet_caller_is_understood(sphinx: Sphinx) -> None:
    pcm = (np.frombuffer(said(SENTENCES[0]), "<i2") // 16).astype("<i2").tobytes()
    assert wer(SENTENCES[0], await hear(sphinx.stream(16_000, lambda _: None), pcm)).rate <= 0.1


async def test_interim_words_come_while_the_caller_speaks(sphinx: Sphinx) -> None:
    interims: list[str] = []
    stream = sphinx.stream(16_000, interims.append)
    pcm = said(SENTENCES[0])
    stream.start()
    for start in range(0, len(pcm), 3200):
        stream.feed(pcm[start : start + 3200])
        await asyncio.sleep(0.03)
    final = await stream.finish()
    assert len(interims) > 3
    assert len(set(interims)) == len(interims)
    assert interims[-1].split()[:4] == final.text.split()[:4]


async def test_nothing_said_is_nothing_heard(sphinx: Sphinx) -> None:
    stream = sphinx.stream(16_000, lambda _: None)
    assert (await stream.finish()).text == ""
    assert await hear(stream, b"") == ""
    assert await hear(stream, b"\x00") == ""
    assert await hear(stream, bytes(1000)) == ""


async def test_a_cancelled_stretch_leaves_no_trace(sphinx: Sphinx) -> None:
    interims: list[str] = []
    stream = sphinx.stream(16_000, interims.append)
    stream.start()
    stream.feed(said(SENTENCES[0]))
    stream.cancel()
    assert await hear(stream, said("yes please")) == "yes please"
    assert not any("cleaning" in interim for interim in interims)
    await stream.close()


async def test_callers_do_not_colour_each_other(sphinx: Sphinx) -> None:
    voices = ["en-us+klatt3", "en-us+f2", "en-us+robosoft3", "en-us+m6"]
    streams = [sphinx.stream(16_000, lambda _: None) for _ in voices]
    sounds = [spoken("yes please", voice, 150, 16_000) for voice in voices]
    assert await asyncio.gather(*map(hear, streams, sounds)) == ["yes please"] * 4


async def test_feeding_never_holds_up_the_loop_for_long(sphinx: Sphinx) -> None:
    await sphinx.load()
    stream = sphinx.stream(16_000, lambda _: None)
    pcm, longest = said(" ".join(SENTENCES[:3])), 0.0
    stream.start()
    stream.feed(pcm)
    finished = asyncio.create_task(stream.finish())
    while not finished.done():
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        longest = max(longest, time.perf_counter() - before)
    assert longest < 0.1  # one C call is some 3 ms; the rest is a busy machine
    assert "cleaning" in finished.result().text


def test_the_final_words_follow_the_end_of_speech_at_once(sphinx: Sphinx) -> None:
    async def paced() -> float:
        await sphinx.load()
        stream = sphinx.stream(16_000, lambda _: None)
        pcm, loop = said(SENTENCES[0]), asyncio.get_running_loop()
        stream.start()
        for start in range(0, len(pcm), 640):
            stream.feed(pcm[start : start + 640])
            await asyncio.sleep(0.02)
        ended = loop.time()
        assert "cleaning" in (await stream.finish()).text
        return loop.time() - ended

    assert clock.run(paced(), skip_idle=True) < 0.15


def test_decoders_are_lent_again(sphinx: Sphinx) -> None:
    model = sphinx._model
    stretches = [Stretch(lambda: model, 16_000, Caller()) for _ in range(2)]
    for stretch in stretches:
        stretch.hear(said("yes please"))
        assert stretch.end() == "yes please"
    assert stretches[0]._decoder is stretches[1]._decoder


def test_a_rate_it_cannot_hear_is_refused(sphinx: Sphinx) -> None:
    with pytest.raises(ValueError, match="44100"):
        sphinx.stream(44_100, lambda _: None)
