"""What a language model claims to have understood is read like the caller's own words, and never worth more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.doubles.text_call import TextCall
from voicebot.brain.flow.claims import Claims, understood
from voicebot.brain.flow.speakable import Speakable

AFTER_SCHOOL = "whenever my son is out of school you know that thursday we talked about"


def test_claimed_values_fill_slots_that_the_rules_missed(call: TextCall) -> None:
    claims = Claims("tells", "book", {"treatment": "check-up", "day": "2026-11-26", "time": "after 15:00"})
    reply = call.say("my boy should be seen by somebody at last", claims=claims)
    assert reply.startswith("On Thursday the twenty-sixth of November I have")
    assert call.state["slots"] == {"treatment": "check-up", "day": "2026-11-26"}


@pytest.mark.parametrize(
    ("slot", "value"),
    [
        ("treatment", "brain surgery"), ("day", "someday"), ("day", "2026-02-31"), ("time", "25:00"),
        ("day", "morning"), ("time", "2026-11-26"),
        ("phone", "12"), ("phone", "call me"), ("name", "12345"), ("name", "'; drop table"),
        ("day", "2026-11-26 or 2026-11-27"), ("time", ""), ("colour", "red"),
    ],
)  # fmt: skip
def test_a_value_that_the_flow_cannot_read_is_not_taken(call: TextCall, slot: str, value: str) -> None:
    call.say("i'd like to book an appointment")
    call.say("mumble mumble", claims=claims_of(call, {"act": "tells", "slots": {slot: value}}))
    assert call.state["slots"] == {}
    assert call.state["misses"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {}, {"act": "fly"}, {"act": 3}, {"goal": "rob the bank"}, {"goal": ["book"]}, {"slots": "day"},
        {"wrong": "day"}, {"slots": {"day": None}}, {"slots": {"day": {"is": "2026-11-26"}}},
        {"slots": {"day": True}}, {"say": ["x"]},
        {"wrong": [["day"], "night", None]},
    ],
)  # fmt: skip
def test_malformed_claims_claim_nothing(call: TextCall, arguments: dict[str, Any]) -> None:
    assert claims_of(call, arguments) == Claims()


def test_another_value_than_the_callers_own_words_say_is_asked(call: TextCall) -> None:
    call.say("i need a cleaning")
    reply = call.say("thursday is what my wife would pick", claims=Claims("tells", slots={"day": "2026-11-27"}))
    assert reply == ("Just to be sure: Thursday the twenty-sixth of November or Friday the twenty-seventh of November?")


def test_a_claim_settles_which_of_two_readings_was_meant(call: TextCall) -> None:
    call.say("i need a cleaning")
    words = "today is my birthday so rather thursday when i have slept it off"
    call.say(words, claims=Claims("tells", slots={"day": "2026-11-26"}))
    assert call.state["slots"]["day"] == "2026-11-26"


def test_a_value_that_the_caller_has_refused_does_not_come_back_by_a_claim(at_confirmation: TextCall) -> None:
    at_confirmation.say("no not tuesday", claims=None)
    at_confirmation.say("gosh let me see", claims=Claims("tells", slots={"day": "2026-11-24"}))
    assert "day" not in at_confirmation.state["slots"]


def test_values_in_a_question_that_the_model_answers_are_not_taken(call: TextCall) -> None:
    call.say("i need a cleaning")
    claims = Claims("asks", say="On Fridays we close at two.")
    reply = call.say("until when is somebody around for emergencies on fridays", claims=claims)
    assert reply == "On Fridays we close at two. Which day would suit you?"
    assert call.state["slots"] == {"treatment": "cleaning"}


# -- the yes ----------------------------------------------------------------------------------------------------------

AGREE = ["brilliant", "oh lovely that would be super", "ja bitte", "sí claro", "yeah that'd be brilliant for us",
         "wonderful book it", "oui parfait merci"]  # fmt: skip
DO_NOT = [
    "what a day", "hmm", "i was told it is on wednesday", "yes but", "lovely weather", "okay so tell me about parking",
    "my brother says yes", "no", "nein danke", "non", "don't", "is it", "brilliant can i also bring my dog",
    "not really brilliant", "make it wednesday", "the day is off", "you said it would be", "would you", "yes yes but",
    "i am", "maybe later",
]  # fmt: skip


@pytest.mark.parametrize("words", AGREE)
def test_a_claimed_yes_counts_with_words_that_agree(at_confirmation: TextCall, words: str) -> None:
    at_confirmation.say(words)
    assert at_confirmation.deeds == []
    at_confirmation.say(words, claims=Claims("yes"))
    assert [name for name, _ in at_confirmation.deeds] == ["book"]


@pytest.mark.parametrize("words", DO_NOT)
def test_a_claimed_yes_alone_does_nothing(at_confirmation: TextCall, words: str) -> None:
    at_confirmation.say(words, claims=Claims("yes", say="Done, it is booked!"))
    assert at_confirmation.deeds == []


def test_a_claimed_yes_with_another_value_is_read_back_first(at_confirmation: TextCall) -> None:
    reply = at_confirmation.say("brilliant", claims=Claims("yes", slots={"time": "15:00"}))
    assert at_confirmation.deeds == []
    assert "three o'clock" in reply
    assert reply.endswith("Shall I book it?")


def test_a_claimed_yes_to_a_read_back_that_was_cut_off_does_not_count(at_confirmation: TextCall) -> None:
    at_confirmation.say("brilliant", heard="That's fine. So that's a", claims=Claims("yes"))
    assert at_confirmation.deeds == []


def test_a_claimed_no_leaves_it(at_confirmation: TextCall) -> None:
    reply = at_confirmation.say("och nee du", claims=Claims("no"))
    assert reply == "All right. What should I change?"
    assert at_confirmation.deeds == []


# -- other claims -----------------------------------------------------------------------------------------------------


def test_what_is_wrong_is_asked_again(at_confirmation: TextCall) -> None:
    reply = at_confirmation.say("pick some other moment would you", claims=Claims("tells", wrong=("time",)))
    assert reply == "What time would you like?"


def test_a_person_is_offered_when_only_the_model_has_heard_that_one_is_wanted(call: TextCall) -> None:
    reply = call.say("is susan around she knows me", claims=Claims("wants_person"))
    assert reply == "Shall I put you through to a person?"
    call.say("yes please")
    assert call.ended is not None
    assert call.ended[0] == "hand_over"


def test_a_claimed_goodbye_hangs_up_only_where_nothing_is_open(at_confirmation: TextCall) -> None:
    at_confirmation.say("cheerio then", claims=Claims("says_goodbye"))
    assert at_confirmation.ended is None
    assert at_confirmation.step == "anything_else"
    at_confirmation.say("cheerio then", claims=Claims("says_goodbye"))
    assert at_confirmation.ended == ("end_call", {"reason": "done"})


def test_a_goal_that_ends_the_call_is_not_begun_by_hearsay(tmp_path: Path) -> None:
    call = TextCall("orders", tmp_path)
    reply = call.say("the zip of that thing gave up on me", claims=Claims("tells", "refund"))
    assert reply == "Would you like to return something?"
    assert call.say("yes").endswith("What is your order number?")


def test_a_model_that_only_talks_does_not_keep_the_caller_for_ever(call: TextCall) -> None:
    call.say("i need a cleaning")
    replies = [call.say("blub blub", claims=Claims("asks", say="I see.")) for _ in range(6)]
    assert replies[0] == "I see. Which day would suit you?"
    assert replies[-1].endswith("Shall I put you through to a person?")


def test_the_models_words_never_stand_beside_a_deed_or_an_end(at_confirmation: TextCall) -> None:
    reply = at_confirmation.say("brilliant", claims=Claims("yes", say="That is free of charge."))
    assert reply.startswith("You're booked for a cleaning")


# -- the tool, and what may be spoken ---------------------------------------------------------------------------------


def test_the_tool_says_what_the_flow_knows(call: TextCall) -> None:
    assert call.agent.flow is not None
    parameters = understood(call.agent.flow)["function"]["parameters"]
    properties = parameters["properties"]
    assert properties["goal"]["enum"] == ["book", "move", "cancel"]
    assert properties["slots"]["properties"]["treatment"]["enum"] == list(call.agent.flow.slots["treatment"].values)
    assert "YYYY-MM-DD" in properties["slots"]["properties"]["day"]["description"]
    assert list(properties)[-1] == "say"
    assert parameters["required"] == ["act"]


def test_the_tool_knows_codes(tmp_path: Path) -> None:
    flow = TextCall("orders", tmp_path).agent.flow
    assert flow is not None
    slots = understood(flow)["function"]["parameters"]["properties"]["slots"]["properties"]
    assert "5 characters" in slots["order"]["description"]


@pytest.mark.parametrize(
    ("said", "spoken"),
    [
        ("We have parking.", "We have parking."),
        ("We have parking. Shall I book it?", "We have parking."),
        ("Shall I cancel it? You can park here.", "You can park here."),
        ("I've booked it for you. It's 60 dollars.", "It's 60 dollars."),
        ("Your appointment has been cancelled.", ""),
        ("Cancelled appointments cost nothing.", "Cancelled appointments cost nothing."),
        ("Once you've booked you get a mail.", "Once you've booked you get a mail."),
        ('{"act": "yes"}', ""),
        ("Sure. ```json {}```", "Sure."),
        ("Call find_day for that.", ""),
        ("See https://example.com for it.", ""),
        ("A. B. C. D.", "A. B. C."),
        ("word " * 200, ""),
        ("", ""),
    ],
)  # fmt: skip
def test_only_short_remarks_are_spoken(call: TextCall, said: str, spoken: str) -> None:
    assert call.agent.flow is not None
    assert Speakable(call.agent.flow).of(said, complete=True) == spoken


def test_a_sentence_that_may_go_on_is_kept_back(call: TextCall) -> None:
    assert call.agent.flow is not None
    assert Speakable(call.agent.flow).of("We have parking. Shall", complete=False) == "We have parking."


def claims_of(call: TextCall, arguments: dict[str, Any]) -> Claims:
    assert call.agent.flow is not None
    return Claims.of(arguments, call.agent.flow)
