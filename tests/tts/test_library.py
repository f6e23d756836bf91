"""The library of voices: names that an agent file can use, with what is known of them."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("elevenlabs", reason='not installed: pip install "voicebot[cloud]"')

from tests.doubles.elevenlabs_server import VOICE_ID, ElevenLabsServer
from voicebot.errors import Unavailable
from voicebot.tts import account, espeak_voices, espeakng, library


def test_every_listed_espeak_voice_can_speak(capfd):
    listed = [voice for voice in library.on_this_machine(Path.cwd()) if voice.provider == "espeak"]
    assert len(listed) > 200
    for voice in listed:
        espeakng.check(espeakng.Voice(voice.name.removeprefix("espeak/"), 165, 50))
    assert capfd.readouterr().err == "", "eSpeak NG misses the data of a voice"


def test_espeak_voices_say_their_gender_and_language():
    found = {voice.name: voice for voice in library.on_this_machine(Path.cwd())}
    assert (found["espeak/en-us+f2"].gender, found["espeak/en-us+f2"].language) == ("female", "en-us")
    assert found["espeak/de"].what == "German"
    assert found["espeak/en-us+m3"].usd == 0
    assert espeak_voices.variants()["Andy"] == "male"
    assert espeak_voices.variants()["whisperf"] == "female"


def test_piper_voices_are_those_of_the_catalogue_and_say_what_is_missing():
    (joe,) = [voice for voice in library.on_this_machine(Path.cwd()) if voice.name == "piper/en_US-joe-medium"]
    assert (joe.language, joe.gender) == ("en-us", "male")
    assert "voicebot models pull en_US-joe-medium" in joe.why_not


@pytest.mark.parametrize(
    ("voice", "language", "speaks"),
    [("en-us", "en", True), ("en-us", "en-US", True), ("en", "en-us", False), ("de", "en", False), ("", "de", True)],
)
def test_a_language_has_its_kinds(voice, language, speaks):
    assert library.speaks(library.Listed("x/y", "x", voice, ""), language) is speaks


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("espeak/de+f2", "de"),
        ("espeak", "en-us"),
        ("piper/en_GB-alba-medium", "en-gb"),
        ("piper/voices/mine.onnx", "en"),
    ],
)
def test_a_name_tells_the_language(name, language):
    assert library.language_of(name) == language


async def test_the_voices_of_an_elevenlabs_account_are_named_as_agent_files_do(monkeypatch, tmp_path):
    monkeypatch.setenv("ELEVENLABS_API_KEY", "secret")
    async with ElevenLabsServer().running() as server:
        server.voices.append({"voice_id": "z" * 20, "name": "My own \x1b[31mvoice"})
        rachel, adam, own = await account.Account(tmp_path, server.address).voices()
    assert (rachel.name, rachel.gender, rachel.usd) == ("elevenlabs/flash-v2.5:rachel", "female", 0.05)
    assert (adam.name, adam.language) == ("elevenlabs/flash-v2.5:adam", "en")
    assert own.name == f"elevenlabs/flash-v2.5:{'z' * 20}"
    assert "\x1b" not in own.what
    assert VOICE_ID not in rachel.name


@pytest.mark.parametrize(
    ("fault", "sentence"), [("401", "does not accept the key"), ("silent", "within"), ("500", "500")]
)
async def test_an_account_that_cannot_be_asked_is_a_sentence(monkeypatch, tmp_path, fault, sentence):
    monkeypatch.setenv("ELEVENLABS_API_KEY", "secret")
    monkeypatch.setattr(account, "LIMIT_S", 0.3)
    async with ElevenLabsServer(fault).running() as server:
        with pytest.raises(Unavailable, match=sentence):
            await account.Account(tmp_path, server.address).voices()
