from __future__ import annotations

import re

import pytest

from tests.doubles.text_call import TextCall
from voicebot.flow.utterances import utterances


@pytest.fixture
def said(call: TextCall) -> set[str]:
    assert call.agent.flow is not None
    return set(utterances(call.agent.flow, ["Where can I park?", "Do you take 2 cards?"]))


def test_utterances_are_spoken_words_only(said: set[str]) -> None:
    assert [each for each in said if not re.fullmatch(r"[a-z']+( [a-z']+)*", each)] == []


def test_there_are_a_few_thousand(said: set[str]) -> None:
    assert 3000 < len(said) < 8000


@pytest.mark.parametrize(
    "sentence",
    [
        "yes please", "no that's all", "what did you say", "can i talk to a person", "i'd like to book an appointment",
        "a cleaning please", "next tuesday", "on wednesday please", "not tuesday wednesday", "the fifth of december",
        "december fifth", "half past two", "at half past two please", "quarter to four", "two thirty", "maria lopez",
        "actually make it three", "the time is wrong", "where can i park", "do you take two cards", "in the morning",
        "i'd rather not say", "the second one", "no i said tuesday", "it's maria lopez", "how are you", "e m m a",
        "wilson w i l s o n",
    ],
)  # fmt: skip
def test_what_callers_say_is_among_them(said: set[str], sentence: str) -> None:
    assert sentence in said


def test_every_word_the_agent_understands_is_among_them(said: set[str], call: TextCall) -> None:
    words = {word for sentence in said for word in sentence.split()}
    flow = call.agent.flow
    assert flow is not None
    names = {name.lower() for name in [*flow.names.first, *flow.names.last]}
    choices = " ".join(way for value, ways in flow.slots["treatment"].values.items() for way in (value, *ways))
    assert names <= words
    assert set(re.findall(r"[a-z']+", choices.lower())) <= words


def test_every_digit_follows_every_other(said: set[str]) -> None:
    digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    pairs = {pair for sentence in said for pair in re.findall(r"(?=\b(\w+ \w+)\b)", sentence)}
    assert {f"{one} {other}" for one in digits for other in digits} <= pairs


def test_the_flow_understands_most_of_what_it_expects(said: set[str], call: TextCall) -> None:
    """Of the answers to a question, those that hold a value are understood as one."""
    call.all("book a filling")
    days = [
        each
        for each in said
        if re.fullmatch(r"(on |next |how about |no )?(mon|tues|wednes|thurs|fri)day( please)?", each)
    ]
    assert len(days) > 20
    assert [each for each in days if not call.dialogue.settles(call.state, each) and not each.endswith("please")] == []
