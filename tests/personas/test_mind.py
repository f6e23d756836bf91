from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest

from voicebot.personas.mind import Mind
from voicebot.personas.persona import Persona

DENTAL = Path(__file__).parents[2] / "voicebot/templates/dental/personas"
SATURDAY = date(2025, 11, 22)
SEEDS = range(25)


def mind(seed: int = 0, file: str = "maria", **manners: object) -> Mind:
    persona = Persona.load(DENTAL / f"{file}.yaml")
    plain = {"digression": None, "interrupts": None, "corrects": None, "wants_human": None} | manners
    if file == "maria":
        persona = persona.model_copy(update={"temperament": persona.temperament.model_copy(update=plain)})
    return Mind(persona, random.Random(seed), SATURDAY)


def says(caller: Mind, heard: str) -> str:
    move = caller.answer(heard)
    assert move is not None
    return move.say


@pytest.mark.parametrize("seed", SEEDS)
def test_each_question_gets_its_own_fact(seed: int) -> None:
    caller = mind(seed)
    assert "thursday" in says(caller, "Which day would suit you?")
    assert "three" in says(caller, "What time would you like?")
    assert "Maria Davis" in says(caller, "May I have your name, please?")
    assert "rather not" in says(caller, "And what number can we reach you on?")


@pytest.mark.parametrize("seed", SEEDS)
def test_only_a_right_confirmation_gets_a_yes(seed: int) -> None:
    confirmed = "So that's a {} on {} at {} for {}. Shall I book it?"
    right = confirmed.format("cleaning", "Thursday, November 27th", "three in the afternoon", "Maria Davis")
    wrongs = {
        "cleaning": confirmed.format("filling", "Thursday, November 27th", "three", "Maria Davis"),
        "thursday": confirmed.format("cleaning", "Tuesday, November 25th", "three", "Maria Davis"),
        "three": confirmed.format("cleaning", "Thursday, November 27th", "two", "Maria Davis"),
        "maria davis": confirmed.format("cleaning", "Thursday, November 27th", "three", "Maria Bell"),
    }
    assert not says(mind(seed), right).startswith("no")
    for fact, wrong in wrongs.items():
        answer = says(mind(seed), wrong).lower()
        assert "yes" not in answer
        assert answer.startswith("no")
        assert fact in answer


def test_the_same_weekday_in_another_week_is_wrong() -> None:
    assert says(mind(), "So that's Thursday, December 4th. Is that right?").startswith("no")


def test_a_yes_or_no_that_got_lost_is_given_again() -> None:
    caller = mind()
    says(caller, "So that's a cleaning on Tuesday. Is that right?")
    assert says(caller, "Sorry, was that a yes or a no?").startswith("no")


def test_the_wish_is_taken_where_it_is_offered() -> None:
    caller = mind()
    assert "three" in says(caller, "On Thursday I have two, three or four o'clock. Which would you like?")
    assert caller.wants["time"] == "15:00"


def test_the_nearest_alternative_is_taken_only_when_the_wish_cannot_be_had() -> None:
    caller = mind()
    offer = "I'm sorry, three on Thursday is taken. I have two thirty or five. Which would you like?"
    assert "2 30" in says(caller, offer)
    assert caller.wants["time"] == "14:30"
    assert "yes" in says(caller, "So that's a cleaning on Thursday at two thirty. Shall I book it?")
    assert says(mind(), "So that's a cleaning on Thursday at two thirty. Shall I book it?").startswith("no")


def test_an_alternative_day_becomes_the_day_to_confirm() -> None:
    caller = mind()
    says(caller, "We're closed on Thursday. The next days are Friday, November 28th and Monday. Which would you like?")
    assert caller.wants["day"] == "2025-11-28"
    assert says(caller, "So that's a cleaning on Thursday at three. Shall I book it?").startswith("no")


def test_a_mistake_in_what_was_done_is_objected_to() -> None:
    answer = says(mind(), "You're booked for a cleaning on Friday at three. Is there anything else I can help with?")
    assert answer.startswith("no")
    assert "thursday" in answer


def test_the_same_question_twice_gets_another_wording() -> None:
    caller = mind()
    first = says(caller, "Which day would suit you?")
    assert says(caller, "Sorry, I didn't get that. Which day would you like to come?") != first
    assert caller.lost == ["not understood"]


def test_patience_ends_the_call() -> None:
    caller = mind(patience=2)
    moves = [caller.answer("Sorry, I didn't get that. Which day?") for _ in range(3)]
    assert [move.hang_up for move in moves if move] == [False, False, True]


def test_a_digression_comes_once_and_the_open_question_is_then_answered() -> None:
    caller = Mind(Persona.load(DENTAL / "maria.yaml"), random.Random(0), SATURDAY)
    assert "?" in says(caller, "What time would you like?")
    assert "three" in says(caller, "There's free parking behind the building.")
    assert caller.lost == []


@pytest.mark.parametrize("within", ["same_turn", "next_turn"])
def test_a_slip_is_put_right_in_the_same_breath_or_after_the_next_words(within: str) -> None:
    persona = Persona.load(DENTAL / "corrector.yaml")
    slip = persona.temperament.corrects
    assert slip is not None
    habit = {"corrects": slip.model_copy(update={"within": within})}
    persona = persona.model_copy(update={"temperament": persona.temperament.model_copy(update=habit)})
    caller = Mind(persona, random.Random(1), SATURDAY)
    first = says(caller, "Which day would suit you?")
    assert any(wrong in first for wrong in slip.first)
    assert ("wednesday" in first) == (within == "same_turn")
    if within == "next_turn":
        assert "wednesday" in says(caller, "What time would you like?")
    assert "eleven" in says(caller, "What time would you like?")


def test_who_wants_a_person_asks_for_one_and_agrees_to_be_passed_on() -> None:
    caller = mind(file="human")
    assert any(word in says(caller, "How can I help you?") for word in ("person", "human", "front desk", "somebody"))
    assert "yes" in says(caller, "Shall I put you through to a person?")
    assert caller.answer("One moment, I'll put you through to the front desk.") is None


def test_who_books_refuses_to_cancel() -> None:
    assert says(mind(), "That's the cleaning of Maria Davis on Thursday at three. Shall I cancel it?") == "no."


def test_goodbye_ends_the_call() -> None:
    move = mind().answer("Thank you for calling. Goodbye!")
    assert move is not None
    assert move.hang_up


def test_an_agent_that_makes_no_sense_is_noted() -> None:
    caller = mind()
    says(caller, "The weather is purple.")
    assert caller.lost == ["makes no sense: the weather is purple."]


def test_the_same_seed_says_the_same_and_others_differ() -> None:
    def opening(seed: int) -> str:
        return says(mind(seed), "How can I help you?") + says(mind(seed), "Which day?")

    assert opening(3) == opening(3)
    assert len({opening(seed) for seed in SEEDS}) > 4


def test_asked_which_of_two_wrong_values_it_was_the_caller_says_the_right_one() -> None:
    caller = mind()
    assert "thursday" in says(caller, "Just to be sure: Tuesday the first of December or Friday the fourth?")
    assert caller.wants["day"] == "2025-11-27"
    assert "thursday" in says(caller, "Just to be sure: Tuesday or Thursday?")


def test_the_same_words_again_wear_out_patience() -> None:
    caller = mind(patience=2)
    moves = [caller.answer("Just to be sure: Tuesday or Friday?") for _ in range(4)]
    assert [move.hang_up for move in moves if move] == [False, False, False, True]


def test_a_name_is_spelled_when_asked_unless_it_was_right() -> None:
    assert "m a r i a" in says(mind(), "I keep hearing Mary Davis. Could you spell the first name for me?")
    answer = says(mind(), "I keep hearing Maria Davis. Could you spell it?")
    assert answer.startswith(("yes", "that's right"))


def test_what_went_wrong_is_said_again_in_the_plainest_way() -> None:
    for seed in SEEDS:
        answer = says(mind(seed), "So that's a cleaning on Tuesday. Is that right?")
        assert "this thursday" not in answer
        assert "thursday" in answer
