"""What an agent says in every call is spoken from what was kept of the first one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from voicebot.providers import Candidate
from voicebot.tts import TTS, Speech, Word
from voicebot.tts.failover import Voices
from voicebot.tts.phrases import Phrases

GREETING = "Bright Smile Dental, this is Ava. How can I help you?"


class Voice:
    name = "cloud/ava"

    def __init__(self, *, breaks: bool = False) -> None:
        self.asked: list[str] = []
        self.breaks = breaks

    async def load(self) -> None: ...

    async def speak(self, text: str) -> AsyncGenerator[Speech, None]:
        self.asked.append(text)
        for index, word in enumerate(text.split()):
            yield Speech(bytes([index + 1, 0]) * 2205, 22050, (Word(word, index * 100.0),))
            if self.breaks:
                raise ConnectionError


def mouth(voice: Voice, folder: Path, spare: Voice | None = None) -> Voices:
    candidates: list[Candidate[TTS]] = [Candidate(voice.name, lambda: voice)]
    if spare:
        candidates.append(Candidate("spare", lambda: spare))
    return Voices(candidates, lambda *_: None, phrases=Phrases(folder, [GREETING]))


async def said(voices: Voices, *clauses: str) -> list[Speech]:
    await voices.load()
    return [speech for clause in clauses async for speech in voices.speak(clause)]


def test_the_greeting_is_made_once_for_all_processes(tmp_path):
    first, second = Voice(), Voice()
    clauses = ("Bright Smile Dental, ", "this is Ava. ", "How can I help you?")
    fresh = asyncio.run(said(mouth(first, tmp_path), *clauses))
    kept = asyncio.run(said(mouth(second, tmp_path), *clauses))
    assert first.asked == [clause.strip() for clause in clauses]
    assert second.asked == []
    assert b"".join(chunk.pcm for chunk in kept) == b"".join(chunk.pcm for chunk in fresh)
    assert [word for chunk in kept for word in chunk.words] == [word for chunk in fresh for word in chunk.words]


def test_anything_else_is_made_anew(tmp_path):
    voice = Voice()
    asyncio.run(said(mouth(voice, tmp_path), "Which day?", "Which day?"))
    assert voice.asked == ["Which day?", "Which day?"]
    assert not list(tmp_path.iterdir())


def test_another_voice_does_not_speak_with_this_ones_sound(tmp_path):
    asyncio.run(said(mouth(Voice(), tmp_path), "this is Ava."))
    other = Voice()
    other.name = "cloud/eva"
    asyncio.run(said(mouth(other, tmp_path), "this is Ava."))
    assert other.asked == ["this is Ava."]


def test_a_phrase_that_two_voices_shared_is_not_kept(tmp_path):
    asyncio.run(said(mouth(Voice(breaks=True), tmp_path, spare=Voice()), "How can I help you?"))
    assert not list(tmp_path.iterdir())


def test_a_broken_file_is_made_again(tmp_path):
    asyncio.run(said(mouth(Voice(), tmp_path), "this is Ava."))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:40])
    voice = Voice()
    assert asyncio.run(said(mouth(voice, tmp_path), "this is Ava."))
    assert voice.asked == ["this is Ava."]
    again = Voice()
    asyncio.run(said(mouth(again, tmp_path), "this is Ava."))
    assert again.asked == []


def test_a_folder_that_cannot_be_written_costs_only_the_keeping(tmp_path):
    (tmp_path / "file").touch()
    assert asyncio.run(said(mouth(Voice(), tmp_path / "file" / "sub"), "this is Ava."))
