from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from voicebot.personas.dice import Dice
from voicebot.personas.mind import Mind
from voicebot.personas.persona import Persona
from voicebot.personas.temperament import Corrects, Digression, HangsUp, Interrupts, RefusesToGive
from voicebot.personas.words import Move

DENTAL = Path(__file__).parents[2] / "voicebot/templates/dental/personas"
SATURDAY = date(2025, 11, 22)
SEEDS = range(25)


def mind(seed: int = 0, file: str = "maria", **manners: object) -> Mind:
    persona = Persona.load(DENTAL / f"{file}.yaml")
    plain = {"digression": None, "interrupts": None, "corrects": None, "wants_human": None} | manners
    if file == "maria":
        persona = persona.model_copy(update={"temperament": persona.temperament.model_copy(update=plain)})
    return Mind(persona, Dice(seed), SATURDAY)


def answer(caller: Mind, heard: str) -> Move | None:
    return asyncio.run(caller.answer(heard))


def says(caller: Mind, heard: str) -> str:
    move = answer(caller, heard)
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
    moves = [answer(caller, "Sorry, I didn't get that. Which day?") for _ in range(3)]
    assert [move.hang_up for move in moves if move] == [False, False, True]


def test_a_digression_comes_once_and_the_open_question_is_then_answered() -> None:
    caller = Mind(Persona.load(DENTAL / "maria.yaml"), Dice(0), SATURDAY)
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
    caller = Mind(persona, Dice(1), SATURDAY)
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
    assert answer(caller, "One moment, I'll put you through to the front desk.") is None


def test_who_books_refuses_to_cancel() -> None:
    assert says(mind(), "That's the cleaning of Maria Davis on Thursday at three. Shall I cancel it?") == "no."


def test_goodbye_ends_the_call() -> None:
    move = answer(mind(), "Thank you for calling. Goodbye!")
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
    moves = [answer(caller, "Just to be sure: Tuesday or Friday?") for _ in range(4)]
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


def test_what_is_not_given_at_first_is_given_when_asked_again() -> None:
    caller = mind(refuses_to_give=RefusesToGive(fact="name"))
    assert "rather not" in says(caller, "May I have your name, please?")
    assert "Maria Davis" in says(caller, "I can't book without one. May I have your name, please?")
    assert caller.lost == []


def test_any_fact_may_be_refused_but_only_the_one_that_is_asked_for_first() -> None:
    caller = mind(refuses_to_give=RefusesToGive(times=2))
    assert "rather not" in says(caller, "Which day would suit you?")
    assert "three" in says(caller, "What time would you like?")
    assert "rather not" in says(caller, "And which day would suit you?")
    assert "thursday" in says(caller, "Which day would suit you?")


def test_who_has_no_time_leaves_in_the_middle_of_the_matter() -> None:
    caller = mind(hangs_up=HangsUp(after_answers=1))
    assert "thursday" in says(caller, "Which day would suit you?")
    move = answer(caller, "What time would you like?")
    assert move is not None
    assert move.hang_up
    assert not caller.content


@pytest.mark.parametrize("seed", range(6))
def test_any_fact_can_be_said_wrong_first(seed: int) -> None:
    caller = mind(seed, corrects=Corrects(within="next_turn"))
    wrong = says(caller, "Which day would suit you?")
    assert "thursday" not in wrong
    assert any(day in wrong for day in ("monday", "tuesday", "wednesday", "friday"))
    assert "thursday" in says(caller, "What time would you like?")
    assert "thursday" in says(caller, "Which day, please?")


def test_any_question_may_be_met_with_another_one_so_often_and_not_twice_in_a_row() -> None:
    caller = mind(digression=Digression(ask=["is there parking?"], at=["any"], times=2))
    assert says(caller, "Which day would suit you?") == "is there parking?"
    assert "thursday" in says(caller, "Yes, behind the house. Which day would suit you?")
    assert says(caller, "What time would you like?") == "is there parking?"
    assert "three" in says(caller, "Yes, behind the house. What time would you like?")
    assert "Maria" in says(caller, "May I have your name, please?")


def test_an_interrupter_meets_any_question_but_a_right_confirmation() -> None:
    caller = mind(interrupts=Interrupts(at=["any"], after_words=2))
    assert not caller.cuts_in("which", "which")
    assert caller.cuts_in("which day", "which day")
    assert not caller.cuts_in("so that is thursday is that right", "so that is thursday is that right")
    assert caller.cuts_in("so that is friday is that right", "so that is friday is that right")


def test_an_interrupter_with_a_chance_lets_some_questions_pass_as_a_whole() -> None:
    def cut(seed: int) -> bool:
        caller = mind(seed, interrupts=Interrupts(at=["any"], after_words=2, chance=0.5))
        return any(caller.cuts_in(f"which day would{' you' * n}", "which day would") for n in range(20))

    met = [cut(seed) for seed in range(200)]
    assert 70 < sum(met) < 130


def test_no_more_interruptions_than_the_habit_has() -> None:
    caller = mind(interrupts=Interrupts(at=["any"], after_words=2, times=1))
    assert caller.cuts_in("which day", "which day")
    asyncio.run(caller.answer("which day", cutting_in=True))
    assert not caller.cuts_in("what time", "what time")
