"""A voice that fails in the middle of a sentence: the next one goes on where it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

import pytest

from voicebot import clock
from voicebot.providers import Candidate
from voicebot.tts import TTS, Speech, Word, failover
from voicebot.tts.failover import Voices

RATE_HZ = 8000
WORD_MS = 300


class Voice:
    """Says a word in 300 ms; breaks before word `breaks_at`, or hangs there. Its audio is its number, over and over."""

    def __init__(self, number: int, *, breaks_at: int | None = None, hangs: bool = False, tells_words: bool = True):
        self.name = f"voice-{number}"
        self.number = number
        self.breaks_at = breaks_at
        self.hangs = hangs
        self.tells_words = tells_words
        self.asked: list[str] = []

    async def load(self) -> None:
        if self.breaks_at == -1:
            raise OSError("cannot load")

    async def speak(self, text: str) -> AsyncGenerator[Speech, None]:
        self.asked.append(text)
        for index, word in enumerate(text.split()):
            if index == self.breaks_at:
                if self.hangs:
                    await asyncio.sleep(3600)
                raise ConnectionError("the line broke")
            words = (Word(word, index * WORD_MS),) if self.tells_words else ()
            yield Speech(bytes([self.number]) * (2 * RATE_HZ * WORD_MS // 1000), RATE_HZ, words)


def said(text: str, *voices: Voice, times: int = 1) -> tuple[list[Speech], list[tuple[str, str]]]:
    reports: list[tuple[str, str]] = []
    chunks: list[Speech] = []

    async def speak() -> None:
        candidates: list[Candidate[TTS]] = [Candidate(voice.name, partial(_itself, voice)) for voice in voices]
        mouth = Voices(candidates, lambda name, error, remedy: reports.append((name, remedy)))
        for _ in range(times):
            chunks.clear()
            chunks.extend([chunk async for chunk in mouth.speak(text)])

    clock.run(speak(), skip_idle=True)
    return chunks, reports


def _itself(voice: Voice) -> Voice:
    return voice


def by_voice(chunks: list[Speech]) -> list[int]:
    return [chunk.pcm[0] for chunk in chunks]


def test_a_voice_that_works_speaks_alone():
    chunks, reports = said("one two three", Voice(1), Voice(2))
    assert by_voice(chunks) == [1, 1, 1]
    assert not reports


def test_the_next_voice_goes_on_from_the_word_where_the_first_stopped():
    second = Voice(2)
    chunks, reports = said("one two three four", Voice(1, breaks_at=2), second)
    assert by_voice(chunks) == [1, 1, 2, 2]
    assert second.asked == ["three four"]
    assert [word for chunk in chunks for word in chunk.words] == [
        Word("one", 0),
        Word("two", 300),
        Word("three", 600),
        Word("four", 900),
    ]
    assert reports == [("voice-1", "next: voice-2")]


def test_a_voice_that_does_not_tell_its_words_is_followed_by_the_time_it_spoke():
    second = Voice(2)
    said("one two three four five six", Voice(1, breaks_at=2, tells_words=False), second)
    (rest,) = second.asked
    assert rest in ("three four five six", "four five six")  # 600 ms are about nine characters


@pytest.mark.parametrize("breaks_at", [-1, 0])
def test_a_voice_that_says_nothing_leaves_all_of_it_to_the_next(breaks_at):
    chunks, reports = said("one two", Voice(1, breaks_at=breaks_at), Voice(2))
    assert by_voice(chunks) == [2, 2]
    assert reports == [("voice-1", "next: voice-2")]


def test_a_voice_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(failover, "SILENCE_S", 0.2)
    chunks, reports = said("one two", Voice(1, breaks_at=1, hangs=True), Voice(2))
    assert by_voice(chunks) == [1, 2]
    assert reports == [("voice-1", "next: voice-2")]


def test_all_voices_broken_is_an_error_that_names_the_last():
    with pytest.raises(ConnectionError):
        said("one two", Voice(1, breaks_at=0), Voice(2, breaks_at=1))


def test_a_voice_that_fails_again_and_again_is_not_asked_any_more():
    first = Voice(1, breaks_at=0)
    chunks, reports = said("one", first, Voice(2), times=5)
    assert by_voice(chunks) == [2]
    assert len(first.asked) == 3
    assert len(reports) == 3
