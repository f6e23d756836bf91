"""Deepgram's real SDK against a loopback server that speaks its protocol, well and badly."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

pytest.importorskip("deepgram", reason='not installed: pip install "voicebot[cloud]"')

from tests.doubles.deepgram_server import DeepgramServer
from voicebot.errors import Unavailable
from voicebot.stt import deepgram
from voicebot.stt.deepgram import Deepgram

SECOND = bytes(32000)
SECRET = "dg-secret-key"


@asynccontextmanager
async def ear(server: DeepgramServer, model: str = "nova-3"):
    interims: list[str] = []
    async with server.running():
        stt = Deepgram(model, SECRET, "en", ["Bright Smile", "Ava"], server.address)
        await stt.load()
        stream = stt.stream(16000, interims.append)
        try:
            yield stream, interims
        finally:
            await stream.close()


async def utter(stream, seconds: float = 2.0, pause_s: float = 0.0):
    stream.start()
    await say(stream, seconds, pause_s)
    return await stream.finish()


async def say(stream, seconds: float, pause_s: float = 0.0) -> None:
    for _ in range(int(seconds * 10)):
        stream.feed(SECOND[:3200])
        await asyncio.sleep(pause_s or 0.005)


@pytest.mark.parametrize("model", ["nova-3", "flux-general-en"])
async def test_two_utterances_on_one_connection(model):
    server = DeepgramServer(["I want to book", "on tuesday please"])
    async with ear(server, model) as (stream, interims):
        first = await utter(stream)
        second = await utter(stream)
    assert (first.text, second.text) == ("I want to book", "on tuesday please")
    assert first.confidence == pytest.approx(0.9 if model == "nova-3" else 0.8)
    assert interims[0] == "I"
    assert interims[:4] == ["I", "I want", "I want to", "I want to book"]
    assert server.connections == 1
    assert server.headers["Authorization"] == f"Token {SECRET}"
    terms = [value for name, value in server.query if name == "keyterm"]
    assert terms == ["Bright Smile", "Ava"]


async def test_the_connection_is_kept_open_while_nobody_speaks(monkeypatch):
    monkeypatch.setattr(deepgram, "KEEP_ALIVE_S", 0.05)
    server = DeepgramServer(["hello"])
    async with ear(server) as (stream, _):
        await asyncio.sleep(0.4)
        assert (await utter(stream)).text == "hello"
    assert server.kept_alive >= 3


async def test_an_end_that_is_not_answered_does_not_keep_the_caller_waiting(monkeypatch):
    monkeypatch.setattr(deepgram, "SETTLE_S", 0.2)
    server = DeepgramServer(["hello there"], "silent end")
    async with ear(server) as (stream, _):
        assert (await utter(stream)).text == "hello there"


async def test_words_that_come_out_of_order_stand_in_order():
    server = DeepgramServer(["one two three four"], "out of order")
    async with ear(server) as (stream, _):
        assert (await utter(stream)).text == "one two three four"


async def test_words_that_come_twice_count_once():
    server = DeepgramServer(["one two", "three"], "twice")
    async with ear(server) as (stream, _):
        assert (await utter(stream)).text == "one two"
        assert (await utter(stream)).text == "three"


async def test_what_cannot_be_read_is_passed_over():
    server = DeepgramServer(["one two"], "garbage")
    async with ear(server) as (stream, _):
        assert (await utter(stream)).text == "one two"


async def test_a_late_final_does_not_slip_into_the_next_utterance(monkeypatch):
    monkeypatch.setattr(deepgram, "SETTLE_S", 0.3)
    server = DeepgramServer(["first words here now", "second"], "late")
    async with ear(server) as (stream, _):
        assert (await utter(stream, 1.2)).text == "first words"  # as far as it was known
        stream.start()
        await asyncio.sleep(1.3)
        server.fault = ""
        await say(stream, 0.6)
        assert (await stream.finish()).text == "second"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("401", "does not accept the key in DEEPGRAM_API_KEY"),
        ("429", "refuses more connections"),
        ("cut", "Deepgram"),
        ("error message", "the server is on fire"),
    ],
)
async def test_failures_are_raised_as_a_sentence_without_the_key(fault, sentence):
    server = DeepgramServer(["never heard"], fault)
    async with ear(server) as (stream, _):
        with pytest.raises(Unavailable, match=sentence) as failure:
            await asyncio.wait_for(utter(stream, 3, 0.02), 10)
    assert SECRET not in str(failure.value)


async def test_a_server_that_is_not_there_is_a_sentence():
    stt = Deepgram("nova-3", SECRET, "en", [], "ws://127.0.0.1:9")
    await stt.load()
    stream = stt.stream(16000, lambda text: None)
    with pytest.raises(Unavailable, match="cannot be reached"):
        await utter(stream, 1, 0.05)
    await stream.close()
