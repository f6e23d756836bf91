"""When a silence is filled, and with what."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from voicebot import clock
from voicebot.agent import Filler
from voicebot.media.playout import Playout
from voicebot.turns.filler import SENTENCES, Hold


def said(
    until_s: float,
    *,
    silent_s: float = 0.0,
    settings: Filler | None = None,
    language: str = "en",
    meanwhile: Callable[[Any], Awaitable[None]] | None = None,
    length_s: float = 0.0,
) -> list[tuple[float, str]]:
    """(second, sentence) of every filler in the first `until_s`; each takes `length_s` to be heard."""
    spoken: list[tuple[float, str]] = []

    async def wait() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        line = SimpleNamespace(paused=False, ends_s=0.0)

        async def speak(text: str) -> None:
            spoken.append((round(loop.time() - began, 1), text))
            line.ends_s = loop.time() + length_s

        hold = Hold(settings or Filler(), language, cast(Playout, line), speak)
        keeping = asyncio.create_task(hold.keep(silent_s))
        if meanwhile:
            await meanwhile(line)
        await asyncio.sleep(began + until_s - loop.time())
        keeping.cancel()

    clock.run(wait(), skip_idle=True)
    return spoken


def test_the_longer_it_takes_the_longer_it_waits_to_say_so():
    assert [at for at, _ in said(20)] == [1.1, 4.4, 11.0, 17.6]


def test_what_is_said_varies_and_tells_that_it_takes_longer():
    sentences = [text for _, text in said(20)]
    first, later = SENTENCES["en"]
    assert sentences[0] in first
    assert sentences[1:] == [later[0], later[1], later[0]]


def test_the_silence_begins_with_the_callers_last_word():
    assert said(2, silent_s=0.4)[0][0] == 0.7


def test_a_reply_gets_a_moment_however_late_the_turn_was_over():
    assert said(2, silent_s=1.4)[0][0] == 0.5


def test_an_answer_that_is_being_heard_is_no_silence():
    async def speaks_for_three_seconds(line: Any) -> None:
        await asyncio.sleep(1.0)
        line.ends_s = asyncio.get_running_loop().time() + 3.0

    assert said(6, meanwhile=speaks_for_three_seconds)[0][0] == 5.1


def test_its_own_words_are_no_silence_either():
    assert [at for at, _ in said(12, length_s=1.0)] == [1.1, 5.4]


def test_a_caller_who_makes_a_sound_is_not_spoken_over():
    async def coughs(line: Any) -> None:
        await asyncio.sleep(1.0)
        line.paused = True
        await asyncio.sleep(1.0)
        line.paused = False

    ((at, _),) = said(4, meanwhile=coughs)
    assert at == pytest.approx(3.1, abs=0.11)


def test_the_agents_own_sentences_and_language_are_used():
    own = Filler.model_validate({"after": "800ms", "say": ["Hang on.", "Bear with me."]})
    assert said(9, settings=own) == [(0.8, "Hang on."), (3.2, "Bear with me."), (8.0, "Hang on.")]
    assert said(2, language="de-AT")[0][1] in SENTENCES["de"][0]
    assert said(2, language="fi")[0][1] in SENTENCES["en"][0]
