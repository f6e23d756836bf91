"""Dialogues in text, as callers lead them."""

from __future__ import annotations

import pytest

from tests.doubles.text_call import TextCall

BOOKED = {"treatment": "cleaning", "day": "2026-11-24", "time": "14:30", "name": "Maria Lopez", "phone": None}


def test_one_slot_after_the_other(call: TextCall) -> None:
    assert call.say("hi i'd like to make an appointment") == "What would you like to come in for?"
    assert call.say("a cleaning please") == "Which day would suit you?"
    assert call.say("next tuesday") == "What time would you like?"
    assert call.say("half past two") == "May I have your name, please?"
    assert call.say("it's maria lopez") == "And what number can we reach you on?"
    assert call.say("two one two five five five zero one two three") == (
        "So that's a cleaning on Tuesday the twenty-fourth of November at half past two for Maria Lopez, "
        "phone two one two, five five five, zero one two three. Shall I book it?"
    )
    assert call.say("yes please").startswith("You're booked for a cleaning on Tuesday")
    assert call.deeds == [("book", {**BOOKED, "phone": "+12125550123"})]
    assert call.say("no that's all thank you") == "Thank you for calling. Goodbye!"
    assert call.ended == ("end_call", {"reason": "done"})


def test_several_slots_in_one_breath(call: TextCall) -> None:
    reply = call.say("a cleaning next tuesday at half past two for maria lopez")
    assert reply == "And what number can we reach you on?"
    assert call.state["slots"] == {key: value for key, value in BOOKED.items() if value}


@pytest.mark.parametrize(
    ("correction", "changed"),
    [
        ("no wednesday", {"day": "2026-11-25"}),
        ("not tuesday wednesday", {"day": "2026-11-25"}),
        ("no i said wednesday not tuesday", {"day": "2026-11-25"}),
        ("wednesday", {"day": "2026-11-25"}),
        ("actually make it three", {"time": "15:00"}),
        ("no at three", {"time": "15:00"}),
        ("no three", {"time": "15:00"}),
        ("yes but at three o'clock", {"time": "15:00"}),
        ("no sorry i meant thursday at ten", {"day": "2026-11-26", "time": "10:00"}),
        ("no it's a check up", {"treatment": "check-up"}),
        ("not a cleaning a filling", {"treatment": "filling"}),
        ("no it's anna smith", {"name": "Anna Smith"}),
        ("no my name is anna smith", {"name": "Anna Smith"}),
        ("actually my number is five five five one two three four", {"phone": "5551234"}),
        ("make it wednesday no sorry thursday", {"day": "2026-11-26"}),
    ],
)
def test_correction_at_the_confirmation_is_confirmed_again(
    at_confirmation: TextCall, correction: str, changed: dict[str, str]
) -> None:
    reply = at_confirmation.say(correction)
    assert at_confirmation.deeds == []
    assert reply.endswith("Shall I book it?")
    at_confirmation.say("yes")
    assert at_confirmation.deeds == [("book", {**BOOKED, **changed})]


@pytest.mark.parametrize(
    ("words", "question"),
    [
        ("no the time is wrong", "What time would you like?"),
        ("can i change the day", "Which day would suit you?"),
        ("the name is wrong", "May I have your name, please?"),
        ("yes but change the time", "What time would you like?"),
    ],
)
def test_slot_named_as_wrong_is_asked_again(at_confirmation: TextCall, words: str, question: str) -> None:
    assert at_confirmation.say(words) == question


def test_plain_no_asks_what_to_change(at_confirmation: TextCall) -> None:
    assert at_confirmation.say("no") == "All right. What should I change?"
    assert at_confirmation.say("the time") == "What time would you like?"
    assert at_confirmation.say("nine").endswith("at nine o'clock for Maria Lopez. Shall I book it?")
    at_confirmation.say("that's right")
    assert at_confirmation.deeds == [("book", {**BOOKED, "time": "09:00"})]


def test_day_corrected_while_something_else_is_asked(call: TextCall) -> None:
    call.all("i need an appointment", "a filling", "tuesday")
    reply = call.say("no sorry wednesday")
    assert reply == "All right, Wednesday the twenty-fifth of November. What time would you like?"


def test_same_breath_correction_takes_the_last(call: TextCall) -> None:
    call.all("book a filling", "tuesday no sorry wednesday")
    assert call.state["slots"]["day"] == "2026-11-25"


def test_two_values_without_a_correction_are_asked_about(call: TextCall) -> None:
    reply = call.all("book a filling", "tuesday or wednesday")
    assert reply.startswith("Just to be sure: Tuesday the twenty-fourth of November or Wednesday")
    assert call.say("the second one") == "What time would you like?"
    assert call.state["slots"]["day"] == "2026-11-25"


def test_weekday_that_does_not_fit_its_date_is_asked_about(call: TextCall) -> None:
    reply = call.all("book a filling", "tuesday the second of december")
    assert reply == "Just to be sure: Wednesday the second of December or Tuesday the first of December?"


def test_repeats_what_was_said(call: TextCall) -> None:
    question = call.all("i need an appointment", "a filling")
    for request in ("what did you say", "sorry", "pardon", "could you repeat that please", "sorry what was that"):
        assert call.say(request) == question


def test_repeats_the_greeting_at_the_beginning(call: TextCall) -> None:
    assert call.say("what did you say") == call.agent.greeting


def test_answers_a_question_and_comes_back(call: TextCall) -> None:
    call.all("i need an appointment", "a filling")
    assert call.say("do you have parking") == (
        "There's free parking behind the building. Take the entrance on Mill Lane. Which day would suit you?"
    )
    assert call.say("tuesday") == "What time would you like?"


def test_question_about_a_treatment_does_not_choose_it(call: TextCall) -> None:
    call.say("i need an appointment")
    reply = call.say("how much is a filling")
    assert reply.startswith("A filling is between")
    assert reply.endswith("What would you like to come in for?")
    assert call.state["slots"] == {}


def test_question_at_the_confirmation_asks_it_again(at_confirmation: TextCall) -> None:
    reply = at_confirmation.say("how much is a cleaning")
    assert reply.startswith("A cleaning is ninety dollars.")
    assert reply.endswith("Shall I book it?")
    at_confirmation.say("yes")
    assert at_confirmation.deeds == [("book", BOOKED)]


def test_small_talk_and_back(call: TextCall) -> None:
    call.say("i need an appointment")
    assert call.say("are you a robot") == (
        "I'm Ava, the automated receptionist at Bright Smile. What would you like to come in for?"
    )


def test_optional_slot_may_be_refused(call: TextCall) -> None:
    call.all("a cleaning next tuesday at half past two for maria lopez")
    assert call.say("why do you need that") == (
        "We only call if we have to move your appointment. And what number can we reach you on?"
    )
    assert call.say("i'd rather not give it").startswith("That's fine. So that's a cleaning")


def test_required_slot_that_is_refused_leads_to_a_person(call: TextCall) -> None:
    call.all("a cleaning next tuesday at half past two")
    assert call.say("i'd rather not say") == "I'm afraid I need that to go on. May I have your name, please?"
    call.say("i'd rather not say")
    assert call.say("no i won't") == "I'm having trouble understanding. Shall I put you through to a person?"


@pytest.mark.parametrize("words", ["um let me think", "hold on", "one moment please", "just a second"])
def test_hesitation_is_waited_for(call: TextCall, words: str) -> None:
    call.all("i need an appointment", "a filling")
    assert call.say(words) == "Take your time."
    assert call.say("tuesday") == "What time would you like?"


def test_asks_in_other_words_then_offers_a_person(call: TextCall) -> None:
    call.all("i need an appointment", "a filling")
    assert call.say("purple monkey") == (
        "Sorry, I didn't get that. Which day would you like to come, for example next Tuesday or the fifth of December?"
    )
    assert call.say("green banana").startswith("I'm sorry, once more please.")
    assert call.say("yellow house") == "I'm having trouble understanding. Shall I put you through to a person?"
    call.say("yes please")
    assert call.ended == ("hand_over", {"to": "reception", "reason": "not understood"})


def test_offer_of_a_person_may_be_declined(call: TextCall) -> None:
    call.all("i need an appointment", "a filling", "purple monkey", "green banana", "yellow house")
    assert call.say("no") == "All right. Which day would suit you?"
    assert call.say("tuesday") == "What time would you like?"


def test_answer_instead_of_a_person_counts(call: TextCall) -> None:
    call.all("i need an appointment", "a filling", "purple monkey", "green banana", "yellow house")
    assert call.say("next tuesday") == "What time would you like?"


def test_nonsense_after_the_offer_goes_to_a_person(call: TextCall) -> None:
    call.all("i need an appointment", "a filling", "purple monkey", "green banana", "yellow house", "red car")
    assert call.ended == ("hand_over", {"to": "reception", "reason": "not understood"})


@pytest.mark.parametrize(
    "words",
    [
        "can i talk to a person please",
        "let me speak to someone",
        "operator",
        "i want a human",
        "put me through to someone",
    ],
)
def test_a_person_is_given_at_once(call: TextCall, words: str) -> None:
    call.say("i need an appointment")
    assert call.say(words) == "One moment, I'll put you through."
    assert call.ended == ("hand_over", {"to": "reception", "reason": "asked for a person"})


def test_being_understood_forgives_earlier_misses(call: TextCall) -> None:
    call.all("i need an appointment", "purple monkey", "green banana", "a filling", "yellow house", "red car")
    assert call.ended is None
    assert "person" not in call.say("tuesday")


def test_silence_is_asked_about_and_ends_the_call_at_last(call: TextCall) -> None:
    call.say("i need an appointment")
    assert call.say("") == "Are you still there? What would you like to come in for?"
    call.say("")
    call.say("")
    assert call.ended == ("end_call", {"reason": "silence"})


def test_being_there_agrees_to_nothing(at_confirmation: TextCall) -> None:
    at_confirmation.say("")
    assert at_confirmation.say("yes i'm still here").endswith("Shall I book it?")
    assert at_confirmation.deeds == []


def test_goodbye_ends_the_call_without_doing_anything(at_confirmation: TextCall) -> None:
    at_confirmation.say("goodbye")
    assert at_confirmation.ended == ("end_call", {"reason": "goodbye"})
    assert at_confirmation.deeds == []


@pytest.mark.parametrize("words", ["never mind", "forget it", "cancel that", "cancel it", "no i changed my mind"])
def test_giving_up_does_nothing(at_confirmation: TextCall, words: str) -> None:
    reply = at_confirmation.say(words)
    assert reply == "All right, nothing has been changed. Is there anything else I can help you with?"
    at_confirmation.say("yes")
    assert at_confirmation.deeds == []


def test_several_goals_in_a_call_share_name_and_number(at_confirmation: TextCall) -> None:
    call = at_confirmation
    call.say("yes")
    reply = call.say("yes i'd also like to move my appointment")
    assert reply == "Which day would you like instead?"
    reply = call.all("thursday", "at ten")
    assert reply == (
        "I'll move the cleaning of Maria Lopez from Tuesday the twenty-fourth of November at half past two "
        "to Thursday the twenty-sixth of November at ten o'clock. Is that right?"
    )
    call.say("yes that's right")
    assert call.kept("appointments.json") == [{"id": 1, **BOOKED, "day": "2026-11-26", "time": "10:00"}]


def test_goal_may_change_midway(call: TextCall) -> None:
    call.all("i need an appointment", "a filling")
    assert call.say("actually i want to cancel my appointment") == "What name is the appointment under?"
    assert call.state["slots"] == {}


def test_likely_goal_is_asked_about_not_assumed(call: TextCall) -> None:
    reply = call.say("appointment")
    assert reply.startswith("Would you like to")
    assert call.state["goal"] is None


def test_yes_to_a_likely_goal_begins_it(call: TextCall) -> None:
    call.say("i want to come by")
    assert call.say("yes") == "What would you like to come in for?"


def test_slots_without_a_goal_are_kept_until_it_is_known(call: TextCall) -> None:
    assert call.say("on tuesday") == "What can I do for you?"
    assert call.all("book an appointment", "a filling") == "What time would you like?"


def test_number_that_goes_on_in_the_next_turn_is_put_together(call: TextCall) -> None:
    call.say("a cleaning next tuesday at half past two for maria lopez")
    call.say("two one two")
    assert "phone two one two, five five five, zero one two three" in call.say("five five five oh one two three")


def test_number_said_again_from_the_start_replaces_its_beginning(call: TextCall) -> None:
    call.say("a cleaning next tuesday at half past two for maria lopez")
    call.say("two one two")
    assert "phone two one two, five five five, zero one two three." in call.say(
        "two one two five five five oh one two three"
    )


def test_every_reply_is_plain_short_speech(call: TextCall) -> None:
    turns = (
        "hello",
        "what can you do",
        "how much is a filling",
        "book a filling",
        "saturday",
        "the first one",
        "any time",
    )
    for turn in turns:
        reply = call.say(turn)
        assert 0 < len(reply.split()) < 45
        assert not set(reply) & set("*#`_{}[]0123456789")


@pytest.mark.parametrize("last", ["no fact that's all", "no that's a receipt", "no san q"])
def test_a_no_with_a_misheard_word_ends_the_call_when_nothing_is_open(call: TextCall, last: str) -> None:
    call.all("I'd like to book a cleaning", "next thursday", "at three", "Maria Davis", "no", "yes please do")
    call.say(last)
    assert call.ended == ("end_call", {"reason": "done"})


@pytest.mark.parametrize("last", ["no my name is wrong", "no how much is parking", "no i need a filling too"])
def test_a_no_that_goes_on_does_not_end_it(call: TextCall, last: str) -> None:
    call.all("I'd like to book a cleaning", "next thursday", "at three", "Maria Davis", "no", "yes please do")
    call.say(last)
    assert call.ended is None
