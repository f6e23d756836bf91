"""What the caller has refused is not asked about for ever, and never done."""

from __future__ import annotations

import random

import pytest

from tests.doubles.text_call import TODAY, TextCall
from voicebot.brain.flow.dialogue import Dialogue

SPELL = "I keep hearing Maria Lopez. Could you spell the first name for me?"
PASSED_ON = "I'm sorry, I don't seem to get this right. One moment, I'll put you through."
HANDED_OVER = ("hand_over", {"to": "reception", "reason": "not understood"})


def booked_name(call: TextCall) -> str:
    ((_, arguments),) = call.deeds
    return str(arguments["name"])


@pytest.mark.parametrize(
    "words", ["no it's maria lopez", "no maria lopez", "no it's maria", "no maria lopez forgot an a lopez"]
)
def test_refused_name_heard_again_is_asked_for_letter_by_letter(at_confirmation: TextCall, words: str) -> None:
    assert at_confirmation.say(words) == SPELL


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("e m m a", "Emma Lopez"),
        ("it's e m m a", "Emma Lopez"),
        ("maria e m m a", "Emma Lopez"),
        ("emma", "Emma Lopez"),
        ("emma lewis", "Emma Lewis"),
        ("sure e as in echo m as in mike m a", "Emma Lopez"),
    ],
)
def test_answer_to_the_spelling_is_confirmed_before_it_is_booked(
    at_confirmation: TextCall, words: str, name: str
) -> None:
    reply = at_confirmation.all("no it's maria lopez", words)
    assert reply.endswith(f"for {name}. Shall I book it?")
    assert at_confirmation.deeds == []
    at_confirmation.say("yes")
    assert booked_name(at_confirmation) == name


def test_second_failure_goes_to_the_person(at_confirmation: TextCall) -> None:
    assert at_confirmation.all("no it's maria lopez", "maria lopez") == PASSED_ON
    assert at_confirmation.ended == HANDED_OVER
    assert at_confirmation.deeds == []


def test_nothing_is_left_to_agree_to_after_passing_on(at_confirmation: TextCall) -> None:
    at_confirmation.all("no it's maria lopez", "maria lopez", "yes", "yes")
    assert at_confirmation.deeds == []


def test_without_a_person_the_call_ends(at_confirmation: TextCall) -> None:
    assert at_confirmation.agent.flow is not None
    at_confirmation.dialogue = Dialogue(at_confirmation.agent.flow, today=lambda: TODAY)
    reply = at_confirmation.all("no it's maria lopez", "maria lopez")
    assert reply == "I'm sorry, I can't understand you well. Please call us again. Goodbye."
    assert at_confirmation.ended == ("end_call", {"reason": "not understood"})


def test_refused_name_after_the_question_what_to_change(at_confirmation: TextCall) -> None:
    assert at_confirmation.all("no", "maria lopez") == SPELL


def test_refused_name_after_it_was_named_as_wrong(at_confirmation: TextCall) -> None:
    assert at_confirmation.all("the name is wrong", "maria lopez") == SPELL


def test_name_refused_before_the_last_one_is_still_refused(at_confirmation: TextCall) -> None:
    assert at_confirmation.all("no it's helen lopez", "no it's maria lopez") == SPELL


@pytest.mark.parametrize("words", ["yes maria lopez", "that's right", "yes maria"])
def test_refused_name_may_be_right_after_all(at_confirmation: TextCall, words: str) -> None:
    reply = at_confirmation.all("no it's maria lopez", words)
    assert reply.endswith("for Maria Lopez. Shall I book it?")
    assert at_confirmation.deeds == []
    at_confirmation.say("yes")
    assert booked_name(at_confirmation) == "Maria Lopez"


def test_first_bare_yes_to_the_spelling_may_only_be_willing(at_confirmation: TextCall) -> None:
    assert at_confirmation.all("no it's maria lopez", "sure") == "Could you spell the first name for me?"
    assert at_confirmation.say("yes").endswith("for Maria Lopez. Shall I book it?")


def test_yes_with_a_refused_name_does_not_book_another(at_confirmation: TextCall) -> None:
    assert at_confirmation.all("no it's helen lopez", "yes maria lopez") == SPELL
    assert at_confirmation.deeds == []


def test_letters_at_the_confirmation_put_the_first_name_right(at_confirmation: TextCall) -> None:
    assert at_confirmation.say("no e m m a").endswith("for Emma Lopez. Shall I book it?")


def test_turn_does_not_end_early_while_letters_are_said(at_confirmation: TextCall) -> None:
    at_confirmation.say("no it's maria lopez")
    assert not at_confirmation.dialogue.settles(at_confirmation.state, "e m")
    assert at_confirmation.dialogue.settles(at_confirmation.state, "emma lopez")


def test_other_values_in_the_same_breath_count(at_confirmation: TextCall) -> None:
    assert at_confirmation.all("no it's helen lopez", "no maria lopez at three") == SPELL
    assert at_confirmation.say("e m m a").endswith("at three o'clock for Emma Lopez. Shall I book it?")


def test_refused_day_heard_again_is_asked_in_other_words(at_confirmation: TextCall) -> None:
    assert at_confirmation.say("no tuesday") == (
        "I keep hearing Tuesday the twenty-fourth of November. "
        "Which day would you like to come, for example next Tuesday or the fifth of December?"
    )
    assert at_confirmation.say("thursday").endswith("at half past two for Maria Lopez. Shall I book it?")


def test_changing_ones_mind_about_a_time_and_back_is_fine(at_confirmation: TextCall) -> None:
    reply = at_confirmation.all("no at three", "actually make it half past two")
    assert reply.endswith("at half past two for Maria Lopez. Shall I book it?")


@pytest.mark.parametrize(
    "turns",
    [
        ["no", "yes", "no", "yes", "no"],
        ["no at three", "no at ten", "no at nine", "no at two"],
        ["no helen lopez", "no karen lopez", "no lisa lopez", "no anna lopez"],
    ],
)
def test_confirmations_refused_without_progress_go_to_the_person(at_confirmation: TextCall, turns: list[str]) -> None:
    at_confirmation.all(*turns[:-1])
    assert at_confirmation.ended is None
    assert at_confirmation.say(turns[-1]) == PASSED_ON
    assert at_confirmation.ended == HANDED_OVER


def test_putting_one_slot_after_the_other_right_is_progress(at_confirmation: TextCall) -> None:
    reply = at_confirmation.all("no wednesday", "no at three", "no a filling", "no it's emma lewis")
    assert reply.endswith("a filling on Wednesday the twenty-fifth of November at three o'clock for Emma Lewis. "
                          "Shall I book it?")  # fmt: skip


def test_next_goal_begins_without_what_was_refused(at_confirmation: TextCall) -> None:
    reply = at_confirmation.all("the name is wrong", "maria lopez", "i want to cancel my appointment")
    assert reply == "What name is the appointment under?"
    assert at_confirmation.say("maria lopez") == ("I can't find an appointment for Maria Lopez. What name is it under?")


def test_name_that_a_check_does_not_know_is_spelled_then_passed_on(call: TextCall) -> None:
    assert call.all("i want to cancel my appointment", "maria lopez", "maria lopez") == SPELL
    call.say("maria lopez")
    assert call.ended == HANDED_OVER


def test_no_caller_goes_round_in_circles(at_confirmation: TextCall) -> None:
    """A caller who only ever says what is misheard gets to a person, whatever the order."""
    start = at_confirmation.state
    said = ["no", "no it's maria lopez", "maria lopez", "no that's wrong", "the name is wrong", "no maria"]
    for seed in range(200):
        chance = random.Random(seed)
        at_confirmation.state, at_confirmation.ended = start, None
        turns = 0
        while not at_confirmation.ended and at_confirmation.state["goal"]:
            at_confirmation.say(chance.choice(said))
            turns += 1
            assert turns <= 12
    assert at_confirmation.deeds == []
