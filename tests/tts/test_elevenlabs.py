"""ElevenLabs' real SDK against a loopback server that speaks its protocol, well and badly."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

pytest.importorskip("elevenlabs", reason='not installed: pip install "voicebot[cloud]"')

from tests.doubles.elevenlabs_server import LETTER_S, RATE_HZ, VOICE_ID, ElevenLabsServer
from voicebot.errors import BadInput, Unavailable
from voicebot.tts.elevenlabs import ElevenLabs

SECRET = "el-secret-key"
TEXT = "Bright Smile Dental, this is Ava."


def voice(server: ElevenLabsServer, name: str = "rachel", model: str = "flash-v2.5") -> ElevenLabs:
    return ElevenLabs(model, name, SECRET, "en-US", server.address)


async def test_a_clause_comes_as_audio_with_the_times_of_its_words():
    async with ElevenLabsServer().running() as server:
        rachel = voice(server)
        await rachel.load()
        chunks = [speech async for speech in rachel.speak(TEXT)]
    assert sum(len(chunk.pcm) for chunk in chunks) == pytest.approx(2 * RATE_HZ * LETTER_S * len(TEXT), abs=4)
    words = [word for chunk in chunks for word in chunk.words]
    assert [word.text for word in words] == TEXT.split()
    assert [word.start_ms for word in words] == pytest.approx([0, 350, 650, 1050, 1300, 1450])
    (asked,) = server.requests
    assert asked["voice"] == VOICE_ID
    assert asked["model_id"] == "eleven_flash_v2_5"
    assert asked["output_format"] == "pcm_16000"
    assert asked["language_code"] == "en"
    assert set(server.keys) == {SECRET}


async def test_the_manner_of_speaking_goes_along():
    async with ElevenLabsServer().running() as server:
        calm = ElevenLabs("flash-v2.5", VOICE_ID, SECRET, "en", server.address, {"stability": 0.9, "speed": 1.1})
        await calm.load()
        assert [speech async for speech in calm.speak("Hi")]
    (asked,) = server.requests
    assert asked["voice_settings"]["stability"] == 0.9
    assert asked["voice_settings"]["speed"] == 1.1


async def test_a_voice_may_be_named_by_its_id_or_the_beginning_of_its_name():
    async with ElevenLabsServer().running() as server:
        for name in (VOICE_ID, "adam"):
            one = voice(server, name)
            await one.load()
            assert [speech async for speech in one.speak("Hi")]
    assert [asked["voice"] for asked in server.requests] == [VOICE_ID, "x" * 20]


async def test_an_unknown_voice_is_a_sentence_with_the_nearest():
    async with ElevenLabsServer().running() as server:
        with pytest.raises(BadInput, match=r"no voice 'rachl'.*Did you mean 'Rachel'"):
            await voice(server, "rachl").load()


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("401", "does not accept the key in ELEVENLABS_API_KEY"),
        ("429", "refuses more requests"),
        ("500", "refuses the request"),
        ("cut", "ElevenLabs"),
        ("garbage", "ElevenLabs"),
    ],
)
async def test_failures_are_raised_as_a_sentence_without_the_key(fault, sentence):
    async with ElevenLabsServer().running() as server:
        rachel = voice(server)
        await rachel.load()
        server.fault = fault
        with pytest.raises(Unavailable, match=sentence) as failure:
            async for _ in rachel.speak(TEXT):
                pass
    assert SECRET not in str(failure.value)


async def test_closing_the_stream_stops_the_request():
    async with ElevenLabsServer("hangs").running() as server:
        rachel = voice(server)
        await rachel.load()
        async with aclosing(rachel.speak(TEXT)) as chunks:
            assert (await anext(chunks)).pcm
        await asyncio.sleep(0.2)
        assert server.aborted == 1


async def test_a_server_that_is_not_there_is_a_sentence():
    with pytest.raises(Unavailable, match="cannot be reached"):
        await ElevenLabs("flash-v2.5", "rachel", SECRET, "en", "http://127.0.0.1:9").load()
