"""What is found to be worth keeping word for word."""

from __future__ import annotations

import time

import pytest

from voicebot.brain.memory.facts import LONGEST_CHARACTERS, Quote, quotes


def found(text: str, asked: str = "") -> list[tuple[str, str]]:
    """(kind, the very words) of every value in a caller's words."""
    return [
        (mark.kind, quote.text[mark.start : mark.end])
        for quote in quotes(text, "caller", asked)
        for mark in quote.marks
    ]


def one(text: str) -> Quote:
    (quote,) = quotes(text, "caller")
    return quote


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("my number is 212 555 0123", [("phone", "212 555 0123")]),
        ("It's +1 (212) 555-0123.", [("phone", "+1 (212) 555-0123")]),
        ("two one two five five five oh one two three", [("phone", "two one two five five five oh one two three")]),
        ("double five seven", [("number", "double five seven")]),
        ("write to maria.lopez@example.com please", [("email", "maria.lopez@example.com")]),
        ("maria dot lopez at gmail dot com", [("email", "maria dot lopez at gmail dot com")]),
        ("m a r i a at gmail dot com", [("email", "m a r i a at gmail dot com")]),
        ("it is A7B-22", [("code", "A7B-22")]),
        ("a seven b two two", [("code", "a seven b two two")]),
        ("the code is QXRT", [("code", "QXRT")]),
        ("l o p e z", [("spelled", "l o p e z")]),
        ("L-O-P-E-Z", [("spelled", "L-O-P-E-Z")]),
        ("alpha bravo charlie", [("spelled", "alpha bravo charlie")]),
        ("e as in echo", [("spelled", "e as in echo")]),
        ("my name is maria lopez and i call", [("name", "maria lopez")]),
        ("This is Maria Lopez.", [("name", "Maria Lopez")]),
        ("ich heiße Jürgen Müller und rufe an", [("name", "Jürgen Müller")]),
        ("me llamo José", [("name", "José")]),
        ("on tuesday at 3:30", [("date", "tuesday"), ("time", "3:30")]),
        ("the twenty first of may", [("date", "the twenty first of may")]),
        ("on 05/12/2026", [("date", "05/12/2026")]),
        ("my card is [card 1] and that is it", [("redacted", "[card 1]")]),
        ("two people", [("number", "two")]),
        ("it costs $90", [("number", "$90")]),
    ],
)
def test_values_are_found_as_they_were_said(text: str, values: list[tuple[str, str]]):
    assert found(text) == values


@pytest.mark.parametrize(
    "text",
    [
        "one moment please, i have a question",
        "the other one is fine",
        "i may be late",
        "I'd like to go there",
        "am I a member",
        "call me back",
        "oh i see",
        "",
    ],
)
def test_ordinary_words_are_no_values(text: str):
    assert [value for value in found(text) if value[0] != "name"] == []


def test_a_short_answer_is_what_was_asked_for():
    assert found("Tom Baker", "What is your name?") == [("name", "Tom Baker")]
    assert found("Elm Street", "What's the address?") == [("detail", "Elm Street")]
    assert found("yes that would be very nice of you indeed", "And your name?") == []
    assert found("Tom Baker", "How are you?") == []


def test_values_close_together_are_quoted_together_with_the_words_before_them():
    said = "my name is maria lopez and my number is 212 555 0123"
    quote = one(f"well you know how it is when it has rained all day but {said} if that is all right with you")
    assert quote.text == f"it has rained all day but {said} if that is all right"


def test_values_far_apart_are_quoted_apart():
    between = "and then there is something quite different that i wanted to ask you about"
    first, second = quotes(f"i have 2 dogs {between} and 3 cats", "caller")
    assert first.text.startswith("i have 2 dogs")
    assert second.text.endswith("and 3 cats")


def test_a_quote_does_not_reach_into_other_sentences():
    assert one("I am so glad. My number is 212 555 0123. Do you open soon?").text == "My number is 212 555 0123"


def test_the_words_quoted_are_the_words_said():
    text = "Mein Name ist O\u2019Neill, Nummer 0301234567, bitte"
    for quote in quotes(text, "caller"):
        assert quote.text in text


def test_the_same_value_is_known_again_however_it_is_said():
    values = {
        mark.value
        for text in ("212 555 0123", "212-555-0123", "two one two five five five oh one two three", "(212) 555 0123")
        for mark in one(text).marks
    }
    assert values == {"2125550123"}


@pytest.mark.parametrize(
    ("text", "corrects"),
    [
        ("sorry, it's 212 555 0199", True),
        ("no, 212 555 0199", True),
        ("I meant Wednesday", True),
        ("make it 4:30", True),
        ("it's not 0123 it's 0199", True),
        ("nein, 0301234567", True),
        ("my number is 212 555 0199", False),
        ("and another number is, sorry, 212 555 0199", False),
    ],
)
def test_a_correction_is_heard(text: str, corrects: bool):
    assert one(text).corrects is corrects


def test_what_is_denied_is_known():
    assert one("it's not 0123 it's 0199").denied == ("0123",)


def test_the_agent_corrects_nobody():
    (quote,) = quotes("Sorry, our number is 212 555 0123.", "agent")
    assert not quote.corrects


@pytest.mark.parametrize(
    "piece",
    ["a ", "1", "1 ", "a at ", "[", "x.", "one ", "a-", "a1", "a.a@", "my name is ", "a like ", "+", "A", "not "],
)
def test_no_text_takes_long(piece: str):
    text = piece * (2 * LONGEST_CHARACTERS // len(piece))
    began = time.process_time()
    quotes(text, "caller")
    assert time.process_time() - began < 0.5
