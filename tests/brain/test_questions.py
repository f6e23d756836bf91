"""What `interrupt()` may be called with, as a question; and a caller's words as what it returns."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.types import Interrupt

from voicebot.brain.questions import Questions, Unclear
from voicebot.brain.spoken_answer import SpokenAnswer, consent


def asked(value: Any, schema: Any = None, language: str = "en") -> Questions:
    return Questions([Interrupt(value, "7" * 32, response_schema=schema)], language)


def answered(value: Any, *words: str, schema: Any = None, language: str = "en") -> Any:
    """What the graph gets."""
    questions = asked(value, schema, language)
    for each in words:
        questions.answer(each)
    assert questions.is_done
    command = questions.resume()
    assert command is not None
    assert isinstance(command.resume, dict)
    return command.resume["7" * 32]


@pytest.mark.parametrize(
    ("value", "question"),
    [
        ("What is your age?", "What is your age?"),
        ({"question": "Is this right?", "details": {"id": 7}}, "Is this right?"),
        ({"query": "Which size?"}, "Which size?"),
        (
            {"action": "send_email", "to": "bob", "message": "Approve sending this email?"},
            "Approve sending this email?",
        ),
        ({"question": "Which size?", "options": ["small", "large", "huge"]}, "Which size? small, large or huge?"),
        ({"question": "Small or large?", "options": ["small", "large"]}, "Small or large?"),
        ({"order_number": 5, "total": "20 dollars"}, "Order number is 5, total is 20 dollars"),
        (["a table", "a chair"], "A table, a chair"),
        (None, "Shall I go ahead?"),
        (42, "42"),
    ],
)
def test_any_value_becomes_a_question(value: Any, question: str):
    assert asked(value).current == question


ACTION = {"name": "send_email", "args": {"to": "Bob", "copies": 2}}


def hitl(*decisions: str, **more: Any) -> dict[str, Any]:
    review = {"action_name": "send_email", "allowed_decisions": list(decisions)}
    return {"action_requests": [{**ACTION, **more}], "review_configs": [review]}


def test_an_approval_says_what_is_to_be_done():
    assert asked(hitl("approve")).current == "Send email, to Bob, copies 2. Shall I go ahead?"
    assert asked(hitl("approve", description="Tool execution requires approval\n\nTool: x")).current.startswith(
        "Send email"
    )
    assert (
        asked(hitl("approve", description="I will write to Bob.")).current == "I will write to Bob. Shall I go ahead?"
    )
    assert asked(hitl("approve"), language="de").current.endswith("Soll ich das machen?")


@pytest.mark.parametrize(
    ("words", "decision"),
    [
        ("yes please", {"type": "approve"}),
        ("no", {"type": "reject"}),
        ("yes, but to Alice", {"type": "reject", "message": "yes, but to Alice"}),
    ],
)
def test_langchains_requests_for_approval_are_decided(words: str, decision: dict[str, Any]):
    assert answered(hitl("approve", "edit", "reject"), words) == {"decisions": [decision]}


def test_several_actions_are_decided_one_after_the_other():
    request = {"action_requests": [ACTION, {"name": "pay", "args": {}}], "review_configs": []}
    questions = asked(request)
    questions.answer("yes")
    assert questions.current == "Pay. Shall I go ahead?"
    assert answered(request, "yes", "no") == {"decisions": [{"type": "approve"}, {"type": "reject"}]}


def test_what_is_not_allowed_is_unclear():
    with pytest.raises(Unclear):
        asked(hitl("approve")).answer("no")
    assert answered(hitl("respond"), "tell him I am ill") == {
        "decisions": [{"type": "respond", "message": "tell him I am ill"}]
    }


@pytest.mark.parametrize(
    ("words", "response"),
    [
        ("sure", {"type": "accept", "args": None}),
        ("no thanks", {"type": "ignore", "args": None}),
        ("make it ten", {"type": "response", "args": "make it ten"}),
    ],
)
def test_the_older_requests_of_langgraph_are_answered(words: str, response: dict[str, Any]):
    config = {"allow_ignore": True, "allow_respond": True, "allow_edit": True, "allow_accept": True}
    request = {"action_request": {"action": "book", "args": {"day": "Monday"}}, "config": config, "description": None}
    assert asked([request]).current == "Book, day Monday. Shall I go ahead?"
    assert answered([request], words) == [response]
    assert answered(request, words) == response


@pytest.mark.parametrize(
    ("schema", "words", "value"),
    [
        ({"type": "boolean"}, "yes", True),
        ({"type": "boolean"}, "no", False),
        ({"type": "integer"}, "twenty three", 23),
        ({"type": "integer"}, "I am 30.", 30),
        ({"type": "number"}, "2.5", 2.5),
        ({"type": "string"}, " hello ", "hello"),
        ({"enum": ["small", "large"]}, "the large one please", "large"),
        ({"type": "object", "properties": {"age": {"type": "integer"}}}, "forty", {"age": 40}),
    ],
)
def test_an_answer_takes_the_shape_that_a_schema_asks_for(schema: dict[str, Any], words: str, value: Any):
    assert answered("?", words, schema=schema) == value


@pytest.mark.parametrize("schema", [{"type": "boolean"}, {"type": "integer"}, {"enum": ["small", "large"]}])
def test_an_answer_without_that_shape_is_unclear(schema: dict[str, Any]):
    with pytest.raises(Unclear):
        asked("?", schema).answer("well, let me think")


def test_one_of_the_options_is_returned_as_the_graph_wrote_it():
    value = {"question": "Which?", "options": ["Extra_Large", "large"]}
    assert answered(value, "extra large, please") == "Extra_Large"
    assert answered(value, "the blue one") == "the blue one"


def test_words_can_be_asked_in_the_ways_of_langgraphs_examples():
    yes, no, other = (SpokenAnswer(words, consent(words)) for words in ("Yes, please.", "No, thanks.", "Wednesday"))
    assert yes == "Yes, please."
    assert (bool(yes), bool(no), bool(other)) == (True, False, True)
    assert [each["type"] for each in (yes, no, other)] == ["accept", "ignore", "response"]
    assert [each.get("action") for each in (yes, no, other)] == ["approve", "reject", "respond"]
    assert other["data"] == other["anything"] == "Wednesday"
    assert (other.get("feedback"), other.get("to", "Bob")) == ("Wednesday", "Bob")
    assert (other[0], other[:3]) == ("W", "Wed")


@pytest.mark.parametrize(
    ("words", "language", "agrees"),
    [
        ("Yes.", "en", True),
        ("sure, go ahead", "en", True),
        ("approved", "en", True),
        ("no, don't", "en", False),
        ("cancel", "en", False),
        ("yes but on Wednesday", "en", None),
        ("what would it cost", "en", None),
        ("", "en", None),
        ("Ja, bitte", "de-AT", True),
        ("nein danke", "de", False),
        ("ja aber später", "de", None),
        ("sí, por favor", "es", True),
        ("non merci", "fr", False),
    ],
)
def test_consent(words: str, language: str, agrees: bool | None):
    assert consent(words, language) is agrees
