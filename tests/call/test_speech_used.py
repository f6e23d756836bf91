"""What recognisers and voices took is told as it is used, with what it cost."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from voicebot import clock
from voicebot.agent import Agent
from voicebot.call.cast import Cast
from voicebot.events import (
    AgentSaying,
    CallEnded,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallStarted,
    Event,
    SpeechUsed,
)
from voicebot.money.costs import by_turn, costs, total_usd
from voicebot.money.prices import prices
from voicebot.providers import Candidate
from voicebot.stt import Transcript
from voicebot.stt.failover import Ears
from voicebot.tts import Speech
from voicebot.tts.failover import Voices
from voicebot.tts.phrases import Phrases

SECOND = bytes(32_000)


class Ear:
    def __init__(self, *, breaks: bool = False) -> None:
        self.breaks = breaks

    async def load(self) -> None: ...

    def stream(self, rate_hz: int, on_interim: Callable[[str], None]) -> Ear:
        return self

    def start(self) -> None: ...

    def feed(self, pcm: bytes) -> None: ...

    async def finish(self) -> Transcript:
        if self.breaks:
            raise ConnectionError
        return Transcript("yes")

    def cancel(self) -> None: ...

    async def close(self) -> None: ...


class Mouth:
    """A second of sound for each word; breaks off behind `breaks_at` of them."""

    def __init__(self, breaks_at: int | None = None) -> None:
        self.breaks_at = breaks_at

    async def load(self) -> None: ...

    async def speak(self, text: str) -> AsyncGenerator[Speech, None]:
        for number, _ in enumerate(text.split()):
            if number == self.breaks_at:
                raise ConnectionError
            yield Speech(SECOND, 16000)


def itself(one: Any) -> Any:
    return one


def ears(*all_of_them: Ear) -> tuple[Ears, list[tuple[str, float]]]:
    told: list[tuple[str, float]] = []
    candidates = [Candidate(f"ear-{n}", partial(itself, one)) for n, one in enumerate(all_of_them)]
    return Ears(candidates, lambda *_: None, lambda name, seconds: told.append((name, seconds))), told


def voices(*all_of_them: Mouth, phrases: Phrases | None = None) -> tuple[Voices, list[tuple[str, int, float]]]:
    told: list[tuple[str, int, float]] = []
    candidates = [Candidate(f"voice-{n}", partial(itself, one)) for n, one in enumerate(all_of_them)]
    made = Voices(candidates, lambda *_: None, phrases=phrases, given=lambda *what: told.append(what))
    return made, told


async def test_a_recogniser_is_told_with_the_seconds_that_it_was_sent():
    several, told = ears(Ear())
    stream = several.stream(16000, lambda _: None)
    stream.start()
    stream.feed(SECOND)
    stream.feed(SECOND[:16_000])
    await stream.finish()
    stream.start()
    stream.feed(SECOND)
    stream.cancel()  # a cough: it was heard all the same
    stream.start()
    stream.feed(SECOND)
    await stream.close()  # the caller hung up in mid-sentence
    assert told == [("ear-0", 1.5), ("ear-0", 1.0), ("ear-0", 1.0)]


async def test_who_takes_over_hears_all_of_it_and_is_told():
    several, told = ears(Ear(breaks=True), Ear())
    stream = several.stream(16000, lambda _: None)
    stream.start()
    stream.feed(SECOND)
    assert (await stream.finish()).text == "yes"
    assert told == [("ear-1", 1.0)]


async def test_a_voice_is_told_with_the_letters_it_read_out_and_the_sound_it_gave():
    mouth, told = voices(Mouth())
    assert [chunk async for chunk in mouth.speak("At 9 you come.")]
    ((name, characters, seconds),) = told
    assert (name, characters, seconds) == ("voice-0", len("At nine you come."), 4.0)


async def test_a_voice_that_is_cut_off_was_given_the_whole_clause():
    mouth, told = voices(Mouth())
    clause = mouth.speak("one two three four")
    await anext(clause)
    await clause.aclose()
    assert told == [("voice-0", 18, 1.0)]


async def test_both_voices_are_told_when_one_goes_on_for_the_other():
    mouth, told = voices(Mouth(breaks_at=1), Mouth())
    assert [chunk async for chunk in mouth.speak("one two three four five six seven")]
    (first, _, seconds), (second, _, _) = told
    assert (first, seconds, second) == ("voice-0", 1.0, "voice-1")


def test_a_voice_that_gave_nothing_is_not_told():
    async def speak() -> list[tuple[str, int, float]]:
        mouth, told = voices(Mouth(breaks_at=0), Mouth())
        assert [chunk async for chunk in mouth.speak("one")]
        return told

    assert clock.run(speak()) == [("voice-1", 3, 1.0)]


async def test_what_was_kept_of_earlier_calls_is_not_paid_for_again(tmp_path: Path):
    mouth, told = voices(Mouth(), phrases=Phrases(tmp_path, ["Hello there."]))
    for _ in range(2):
        assert [chunk async for chunk in mouth.speak("Hello there.")]
    assert len(told) == 1


def test_the_cast_of_a_call_knows_the_prices_of_its_project(tmp_path: Path):
    (tmp_path / "prices.yaml").write_text('stt: {acme: {as_of: 2026-11-01, models: {"*": {minute: 0.6}}}}')
    used: list[dict[str, Any]] = []
    agent = Agent.parse("name: A\nbrain: {llm: auto, prompt: Hi.}", tmp_path)
    cast = Cast(agent, lambda *_: None, lambda *_: None, used.append)
    cast._heard("acme/fast", 2.0)
    cast._spoken("elevenlabs/v3:rachel", 500, 20.0)
    cast._spoken("else/where", 500, 20.0)
    assert [fields["cost_usd"] for fields in used] == [pytest.approx(0.02), pytest.approx(0.05), None]
    assert all(SpeechUsed(t_ms=0, **fields) for fields in used)


def test_what_a_turn_cost_and_an_old_record():
    start = CallStarted(
        t_ms=0, call_id="1", agent="A", agent_sha256="", started_at="", transport="twilio", rate_hz=8000,
        clock="real", stt="deepgram/nova-3", tts="elevenlabs/v3:rachel",
    )  # fmt: skip
    spoke: list[Event] = [
        CallerSpeechStarted(t_ms=1100, turn=1, speech_start_ms=1000),
        CallerSpeechStopped(t_ms=31_200, turn=1, speech_end_ms=31_000),
        AgentSaying(t_ms=32_000, turn=1, text="x" * 100, starts_ms=32_000, ends_ms=35_000),
    ]
    ended = CallEnded(t_ms=61_000, turn=1, reason="caller_hung_up")
    told: list[Event] = [
        SpeechUsed(t_ms=500, kind="tts", provider="elevenlabs/v3:rachel", characters=50, cost_usd=0.005),
        SpeechUsed(t_ms=31_500, turn=1, kind="stt", provider="deepgram/nova-3", seconds=30, cost_usd=None),
    ]
    line_usd = 2 * 0.0125
    found = costs([start, *spoke, *told, ended], prices())
    assert {turn: total_usd(parts) for turn, parts in by_turn(found).items()} == {
        0: pytest.approx(0.005 + line_usd),
        1: pytest.approx(0.0024),
    }
    assert total_usd(costs([start, *spoke, ended], prices())) == pytest.approx(0.0024 + 0.01 + line_usd)
