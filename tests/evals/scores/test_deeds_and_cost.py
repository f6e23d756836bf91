"""Tool calls, repetitions and cost, counted from events."""

from __future__ import annotations

from typing import Any

import pytest

from voicebot import events
from voicebot.brain.tools.tool import Tool
from voicebot.breaker import breaker_of
from voicebot.evals.measures import Rate
from voicebot.evals.scores.cost import cost
from voicebot.evals.scores.deeds import is_valid, repeated, tool_success, tool_validity


def called(id_: str) -> events.ToolCalled:
    return events.ToolCalled(t_ms=0, id=id_, name="book", arguments={})


def returned(id_: str, *, ok: bool, attempts: int = 1, result: Any = None) -> events.ToolReturned:
    return events.ToolReturned(t_ms=1, id=id_, name="book", ok=ok, attempts=attempts, result=result, duration_ms=1.0)


def test_only_a_malformed_call_is_invalid():
    told: list[events.Event] = [
        called("1"), returned("1", ok=True, result="booked"),
        called("2"), returned("2", ok=True, result="no slot free"),  # a business "no" is an answer
        called("3"), returned("3", ok=False, attempts=1, result="book failed: the server is down"),
        called("4"), returned("4", ok=False, attempts=0, result="book was not run: 'day' is missing. Correct it."),
        called("5"),  # the call ended before it did
    ]  # fmt: skip
    assert tool_validity(told) == Rate(hits=4, n=5)
    assert tool_success(told) == Rate(hits=2, n=4)
    assert tool_validity([]).value is None


async def test_a_tool_that_is_left_alone_was_called_well():
    class Down(Tool):
        def checked(self, arguments: Any) -> dict[str, Any]:
            return dict(arguments)

        async def call(self, arguments: dict[str, Any]) -> Any:
            raise TimeoutError

    tool = Down(name="book", description="", parameters={}, place="test:down")
    while breaker_of("test:down").allows():
        breaker_of("test:down").failed()
    outcome = await tool.run({})
    assert not outcome.ok
    assert outcome.attempts == 0
    assert is_valid(returned("1", ok=False, attempts=0, result=outcome.result))


def test_a_reply_that_says_the_same_again():
    said = ["How can I help?", "Which day?", "Which day", "Which time?", "Which day?"]
    told = [events.AgentSpeechStopped(t_ms=0, heard="", said=text, interrupted=False) for text in said]
    assert repeated(told) == Rate(hits=1, n=4)  # the third, but for its question mark


def used(provider: str, cost_usd: float | None) -> events.ModelUsed:
    return events.ModelUsed(t_ms=0, provider=provider, input_tokens=1000, output_tokens=50, cost_usd=cost_usd)


def started(stt: str, tts: str) -> events.CallStarted:
    return events.CallStarted(
        t_ms=0, call_id="1", agent="Ava", agent_sha256="", started_at="", transport="link", rate_hz=16000,
        clock="skip-idle", stt=stt, tts=tts,
    )  # fmt: skip


def test_tokens_are_priced_and_local_speech_is_free():
    spent = cost(
        [started("sphinx", "espeak"), used("openai/gpt-4.1-mini", 0.0005), used("openai/gpt-4.1-mini", 0.0007)]
    )
    assert spent.usd == pytest.approx(0.0012)
    assert (spent.input_tokens, spent.output_tokens) == (2000, 100)


def test_what_has_no_price_is_named_and_the_cost_is_unknown():
    spent = cost([started("deepgram/nova-3", "elevenlabs/flash-v9:rachel"), used("some/model", None)])
    assert spent.usd is None
    assert spent.unpriced == {"elevenlabs/flash-v9:rachel", "some/model"}
    assert spent.elsewhere == {"deepgram", "elevenlabs"}


def test_seconds_and_characters_are_counted():
    told: list[events.Event] = [
        events.CallerSpeechStarted(t_ms=1100, speech_start_ms=1000),
        events.CallerSpeechStopped(t_ms=2700, speech_end_ms=2500),
        events.AgentSaying(t_ms=3000, text="Which day?", starts_ms=3000, ends_ms=3900),
    ]
    spent = cost(told)
    assert (spent.stt_s, spent.tts_characters) == (1.5, 10)
