"""A wrong booking must never happen: nothing is done but what was read out, heard, and clearly agreed to."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.doubles.text_call import TODAY, TextCall
from voicebot.brain.flow.dialogue import Dialogue
from voicebot.brain.flow.state import Move
from voicebot.brain.flow.wording import Wording
from voicebot.flow import Flow

CONFIRMATION = (
    "So that's a cleaning on Tuesday the twenty-fourth of November at half past two for Maria Lopez. Shall I book it?"
)


@pytest.mark.parametrize(
    "words",
    [
        "yes", "yes please", "yeah", "that's right", "correct", "sure go ahead", "yes that's fine thank you", "perfect",
        "yes book it please", "book it please", "okay", "yes tuesday is fine", "yes tuesday at half past two is right",
        "um yes", "yes for maria lopez that's correct", "yes a cleaning", "sounds good thanks",
    ],
)  # fmt: skip
def test_clear_yes_books_exactly_what_was_read_out(at_confirmation: TextCall, words: str) -> None:
    assert at_confirmation.dialogue.step(at_confirmation.state, words).understood
    at_confirmation.say(words)
    (deed,) = at_confirmation.deeds
    assert deed == (
        "book",
        {"treatment": "cleaning", "day": "2026-11-24", "time": "14:30", "name": "Maria Lopez", "phone": None},
    )


@pytest.mark.parametrize(
    "words",
    [
        "no", "yes no", "no yes", "yes but", "yes wait", "yes hold on", "uh huh", "mm hmm", "um", "yes at three",
        "yes but tuesday", "maybe", "i think it was wednesday", "yes the time", "yes what", "yes if i can pay by card",
        "is it", "right what was the time", "cancel it", "yes cancel it", "don't book it", "do not", "not yet",
        "yes for two", "yes and", "okay and my wife", "yes my brother", "tuesday", "yes i have a question",
        "yesterday", "guess", "the guest", "yes at", "sure not", "never", "yes no wait", "right or wrong", "hello",
        "thank you", "goodbye", "", "can i book it", "could you book it for three", "what", "yes blah blah", "oh no",
        "please don't", "yes yes no", "i said no", "yes on wednesday", "yes half past three", "ok on the other hand",
    ],
)  # fmt: skip
def test_anything_less_than_a_clear_yes_books_nothing(at_confirmation: TextCall, words: str) -> None:
    at_confirmation.say(words)
    assert at_confirmation.deeds == []


@pytest.mark.parametrize("words", range(0, 2 + len(CONFIRMATION.split()) - 4))
def test_yes_to_a_confirmation_cut_before_its_last_value_does_not_count(at_confirmation: TextCall, words: int) -> None:
    heard = " ".join(f"That's fine. {CONFIRMATION}".split()[:words])
    reply = at_confirmation.say("yes", heard=heard)
    assert at_confirmation.deeds == []
    assert reply == CONFIRMATION
    at_confirmation.say("yes")
    assert len(at_confirmation.deeds) == 1


def test_yes_over_the_last_words_of_the_question_counts(at_confirmation: TextCall) -> None:
    at_confirmation.say("yes", heard=f"That's fine. {CONFIRMATION}".removesuffix("I book it?"))
    assert len(at_confirmation.deeds) == 1


def test_confirmation_behind_other_words_must_be_heard_as_well(at_confirmation: TextCall) -> None:
    said = at_confirmation.say("how much is a cleaning", heard="That's fine. So that's")
    assert said.endswith(CONFIRMATION)
    at_confirmation.say("yes", heard="A cleaning is ninety dollars.")
    assert at_confirmation.deeds == []


def test_correction_of_an_unheard_confirmation_is_taken(at_confirmation: TextCall) -> None:
    reply = at_confirmation.say("no wednesday", heard="That's fine. So that's a cleaning on Tuesday")
    assert "Wednesday the twenty-fifth" in reply
    assert at_confirmation.deeds == []


def test_time_taken_meanwhile_is_not_booked(at_confirmation: TextCall) -> None:
    at_confirmation.tools.book("filling", "2026-11-24", "14:30", "Somebody Else", None)
    reply = at_confirmation.say("yes")
    assert reply.startswith("I'm sorry, half past two on Tuesday the twenty-fourth of November has just gone.")
    assert [each["name"] for each in at_confirmation.kept("appointments.json")] == ["Somebody Else"]
    at_confirmation.say("three o'clock")
    at_confirmation.say("yes")
    assert [each["time"] for each in at_confirmation.kept("appointments.json")] == ["14:30", "15:00"]


def test_misheard_slot_is_put_right_at_the_confirmation(call: TextCall) -> None:
    call.all("a cleaning next thursday at half past two for maria lopez", "no")
    assert call.say("no tuesday not thursday") == CONFIRMATION
    call.say("yes")
    assert [deed[1]["day"] for deed in call.deeds] == ["2026-11-24"]


def test_flow_that_does_not_read_out_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="confirm` must say it"):
        Flow.model_validate(_flow(confirm="Shall I?"))


# -- whatever is heard -----------------------------------------------------------------------------------------------

DAYS = ["monday", "next tuesday", "wednesday", "the fifth of december", "tomorrow", "not tuesday", "friday no thursday"]
TIMES = ["at ten", "half past two", "three", "noon", "quarter to four", "in the morning", "not at ten", "eight"]
NAMES = ["maria lopez", "for anna smith", "my name is john", "no it's peter king"]
THINGS = ["a cleaning", "a filling", "check up", "not a cleaning", "whitening or a filling"]
TALK = ["no", "actually", "what", "cancel that", "never mind", "i want to cancel my appointment", "um", "hello", "and",
        "how much is it", "the time", "change the day", "the first one", "any", "book an appointment", "i don't know",
        "move my appointment", "purple", "five five five", "one two three four", "is", "it", "the", "but", "maybe",
        "two"]  # fmt: skip
YES = ["yes", "yes please", "that's right", "sure", "okay", "correct", "yeah"]
UTTERANCES = st.lists(st.sampled_from([*DAYS, *TIMES, *NAMES, *THINGS, *TALK, *YES]), min_size=1, max_size=4).map(
    " ".join
)
TURNS = st.lists(st.one_of(UTTERANCES, st.sampled_from(YES), st.sampled_from([*DAYS, *TIMES, *NAMES])), max_size=14)
CLEAR = {*" ".join(YES).split(), "um", "it", "is", "the", "book", "and", "a", "hello"}


def _flow(confirm: str = "A {thing} on {day} at {time} for {name}. Shall I book it?") -> dict[str, Any]:
    return {
        "hours": {"open": "08:00", "close": "17:00"},
        "names": {"first": ["maria", "anna", "john", "peter"], "last": ["lopez", "smith", "king"]},
        "slots": {
            "thing": {
                "type": "choice",
                "ask": "What?",
                "values": {"cleaning": [], "filling": [], "check-up": [], "whitening": []},
            },
            "day": {"type": "date", "ask": "Which day?"},
            "time": {"type": "time", "ask": "What time?"},
            "name": {"type": "name", "ask": "Your name?"},
        },
        "goals": {
            "book": {
                "title": "book an appointment",
                "examples": ["book an appointment", "a {thing} on {day}"],
                "ask": ["thing", "day", "time", "name"],
                "confirm": confirm,
                "do": {"tool": "book", "with": ["thing", "day", "time", "name"]},
            }
        },
    }


FLOW = Flow.model_validate(_flow())
DIALOGUE = Dialogue(FLOW, person="desk", today=lambda: TODAY)
BEGINNING = DIALOGUE.step({}, "a cleaning on tuesday at ten for maria lopez")


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TURNS)
def test_whatever_is_heard_nothing_unagreed_is_done(turns: list[str]) -> None:
    move = BEGINNING
    assert (
        move.say
        == "A cleaning on Tuesday the twenty-fourth of November at ten o'clock for Maria Lopez. Shall I book it?"
    )
    for words in turns:
        before, move = move, DIALOGUE.step(move.state, words)
        if not move.tools:
            continue
        if move.tools[0].name != "book":
            return  # the call has ended
        _assert_agreed(before, words, move)
        move = DIALOGUE.resume(move.state, {"outcome": "booked"})


def _assert_agreed(before: Move, words: str, move: Move) -> None:
    """The question read out every value, and the answer held nothing but a yes and values as they were read out."""
    arguments = move.tools[0].arguments
    wording = Wording(FLOW)
    assert before.say.endswith("Shall I book it?")
    for slot, value in arguments.items():
        assert wording.value(slot, value, TODAY) in before.say
    assert set(words.split()) & {*" ".join(YES).split(), "book"}
    unclear = set(words.split()) - CLEAR - _ways_to_say(arguments)
    assert unclear == set(), words


def _ways_to_say(arguments: dict[str, Any]) -> set[str]:
    """Words that callers of this test use for these values."""
    day = date.fromisoformat(arguments["day"])
    said = {f"{day:%A}".lower(), "next", "for", "at", "my", "name", "no", *arguments["name"].lower().split()}
    said |= set(arguments["thing"].replace("-", " ").split())
    if day.toordinal() == TODAY.toordinal() + 1:
        said.add("tomorrow")
    if (day.month, day.day) == (12, 5):
        said |= {"the", "fifth", "of", "december"}
    spoken = {"10:00": "ten", "14:30": "half past two", "15:00": "three", "12:00": "noon", "15:45": "quarter to four",
              "08:00": "eight", "14:00": "two"}  # fmt: skip
    return said | set(spoken.get(arguments["time"], "").split())
