"""Tokens: estimated rather too high, and as the provider counts where it has counted."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage

from voicebot.brain.memory.meter import Meter, estimated_tokens, message_tokens, tool_tokens

SYSTEM = SystemMessage("You are Ava.")


def answered(text: str, input_tokens: int, id_: str = "a") -> AIMessage:
    usage = {"input_tokens": input_tokens, "output_tokens": 5, "total_tokens": input_tokens + 5}
    return AIMessage(text, id=id_, usage_metadata=usage)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [  # as OpenAI's cl100k_base counts them (bpe-openai 0.1.4)
        ("The quick brown fox jumps over the lazy dog.", 10),
        ("Bitte buchen Sie mir einen Termin am Dienstag, wenn möglich am Nachmittag, weil ich vormittags muss.", 26),
        ("Здравствуйте, я хотел бы записаться на приём во вторник после обеда, это возможно?", 34),
        ('{"outcome":"booked","day":"Tuesday","time":"15:30"}', 16),
        ("550e8400-e29b-41d4-a716-446655440000", 18),
        ("dGhpcyBpcyBhIHRlc3Qgb2YgYmFzZTY0IGVuY29kaW5nIGZvciB0b2tlbnM=", 46),
        ("2 1 2 5 5 5 0 1 2 3", 19),
    ],
)
def test_an_estimate_is_rather_too_high_but_not_by_much(text: str, tokens: int):
    assert tokens <= estimated_tokens(text) <= 2 * tokens


def test_calls_and_tools_count():
    asked = AIMessage("", tool_calls=[{"name": "book", "args": {"day": "Tuesday"}, "id": "1", "type": "tool_call"}])
    assert message_tokens(asked) > message_tokens(AIMessage("")) + 5
    assert message_tokens(ToolMessage("x", tool_call_id="call_123456")) > message_tokens(HumanMessage("x"))
    assert tool_tokens([{"function": {"name": "book", "description": "Book a day." * 10}}]) > 30
    assert tool_tokens([]) == 0


def test_what_a_provider_has_counted_is_not_estimated_again():
    meter = Meter()
    sent: list[AnyMessage] = [SYSTEM, HumanMessage("when do you open?")]
    meter.asks(sent, 100)
    answer = answered("At eight.", 77)
    meter.learn([sent[1], answer])
    more = HumanMessage("and on sundays?")
    assert meter.count([*sent, answer, more], 100) == 77 + message_tokens(answer) + message_tokens(more)


def test_another_beginning_is_estimated():
    meter = Meter()
    meter.asks([SYSTEM, HumanMessage("one")], 0)
    meter.learn([answered("x", 7)])
    other = [SYSTEM, HumanMessage("two")]
    assert meter.count(other, 0) == sum(map(message_tokens, other))


def test_a_tokenizer_that_makes_more_of_it_stretches_all_estimates():
    meter = Meter()
    sent = [SYSTEM, HumanMessage("नमस्ते " * 20)]
    estimate = sum(map(message_tokens, sent))
    meter.asks(sent, 0)
    meter.learn([answered("x", 2 * estimate)])
    assert meter.stretched(100) == 200


def test_an_answer_is_learned_from_once_and_only_if_it_was_asked_here():
    meter = Meter()
    old = answered("x", 5000, "old")
    meter.learn([old])
    meter.asks([SYSTEM, HumanMessage("hi")], 0)
    meter.learn([old])
    assert meter.stretched(100) == 100
    meter.asks([SYSTEM, HumanMessage("hi " * 1000)], 0)
    meter.learn([old, AIMessage("no count")])
    assert meter.stretched(100) == 100


def test_a_count_that_cannot_be_true_is_not_believed():
    meter = Meter()
    sent = [SYSTEM, HumanMessage("hi")]
    meter.asks(sent, 0)
    meter.learn([answered("x", 100_000)])
    assert meter.stretched(100) == 100
    assert meter.count(sent, 0) < 100
