"""Turn-taking by hand: each test draws a call as stretches of milliseconds and counts."""

from __future__ import annotations

import pytest

from voicebot.evals.measures import Rate
from voicebot.evals.scores.spans import Span, joined, overlap_ms
from voicebot.evals.scores.turntaking import agent_interruptions, answers, false_interruptions, response_rate, yields


def spans(*pairs: tuple[float, float]) -> list[Span]:
    return [Span(*pair) for pair in pairs]


# -- responses ---------------------------------------------------------------------------------------------------------


def test_a_turn_is_answered_when_the_agent_speaks_before_the_caller_does_again():
    caller = spans((0, 1000), (5000, 6000), (8000, 9000))
    agent = spans((1800, 4000), (9500, 11000))
    # turn 1: the agent at 1800, before 5000: answered after 800.  turn 2: the caller at 8000, before 9500: not.
    # turn 3: the agent at 9500: answered after 500.  2 of 3.
    found = answers(caller, agent)
    assert [answer.delay_ms for answer in found] == [800, None, 500]
    assert response_rate(found) == Rate(hits=2, n=3)


def test_a_turn_at_whose_end_the_agent_is_already_speaking_is_no_turn_to_be_answered():
    assert answers(spans((0, 1000)), spans((800, 3000))) == []
    assert answers(spans((0, 1000)), spans((1000, 3000))) == []  # it began in that very moment
    assert [answer.delay_ms for answer in answers(spans((0, 1000)), spans((500, 1000), (1400, 2000)))] == [400]


def test_the_callers_last_words_count_only_when_there_was_time_to_answer_them():
    caller, agent = spans((0, 1000), (5000, 6000)), spans((1500, 4000))
    assert len(answers(caller, agent)) == 1  # as tau-voice has it: nobody speaks after the last turn
    assert len(answers(caller, agent, until_ms=6500)) == 1  # hung up half a second later
    assert len(answers(caller, agent, until_ms=10_999)) == 1
    assert [answer.delay_ms for answer in answers(caller, agent, until_ms=11_000)] == [500, None]  # 5.0 s of silence


def test_no_turns_no_rate():
    assert response_rate(answers([], spans((0, 1000)))).value is None


# -- yielding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stops_ms", "hits", "times"),
    [
        (3500.0, 1, [500.0]),  # interrupted at 3000, silent at 3500
        (5000.0, 1, [2000.0]),  # exactly 2.0 s is within 2.0 s
        (5000.1, 0, []),
        (9000.0, 0, []),
    ],
)
def test_the_agent_yields_when_it_stops_within_two_seconds(stops_ms: float, hits: int, times: list[float]):
    found = yields(spans((3000, 4500)), spans((1000, stops_ms)))
    assert found.rate == Rate(hits=hits, n=1)
    assert found.times_ms == times


def test_speech_is_an_interruption_only_while_the_agent_speaks():
    agent = spans((1000, 2000))
    assert yields(spans((2000, 3000)), agent).rate.n == 0  # it had just ended
    assert yields(spans((1999, 3000)), agent).rate == Rate(hits=1, n=1)
    assert yields(spans((1000, 3000)), agent).rate == Rate(hits=1, n=1)  # both began at once


def test_an_interruption_that_the_end_of_the_call_cuts_short_says_nothing():
    speech, agent = spans((3000, 3500)), spans((1000, 4000))
    assert yields(speech, agent, until_ms=4000).rate.n == 0  # the agent spoke to the last, 1.0 s after
    assert yields(speech, agent, until_ms=4100).rate == Rate(hits=1, n=1)  # it stopped before the end
    assert yields(speech, spans((1000, 6000)), until_ms=6000).rate == Rate(hits=0, n=1)  # 3.0 s were enough


# -- sounds that want no answer ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stops_ms", "hits"), [(3400, 1), (4000, 1), (4001, 0), (8000, 0)])
def test_a_cough_that_stops_the_agent_within_a_second_is_a_false_interruption(stops_ms: float, hits: int):
    assert false_interruptions(spans((3000, 3300)), spans((1000, stops_ms))) == Rate(hits=hits, n=1)


@pytest.mark.parametrize(("starts_ms", "hits"), [(3500, 1), (5300, 1), (5301, 0), (2999, 0)])
def test_a_cough_into_silence_that_is_answered_within_two_seconds_is_one_too(starts_ms: float, hits: int):
    cough = spans((3000, 3300))  # until 3300 + 2000 = 5300
    agent = spans((starts_ms, starts_ms + 1)) if starts_ms < 3000 else spans((starts_ms, starts_ms + 900))
    assert false_interruptions(cough, agent) == Rate(hits=hits, n=1)


def test_an_answer_to_real_words_is_not_blamed_on_a_cough_beside_them():
    turn, cough, agent = spans((0, 2000)), spans((2200, 2400)), spans((2900, 5000))
    assert false_interruptions(cough, agent, turn) == Rate(hits=0, n=1)
    assert false_interruptions(cough, agent) == Rate(hits=1, n=1)  # tau-voice does not ask whose answer it is
    again = spans((2900, 5000), (3900, 5000))  # ... but a second start within the window is nobody's answer
    assert false_interruptions(spans((3000, 3300)), [again[1]], turn) == Rate(hits=0, n=1)


# -- the agent interrupts ----------------------------------------------------------------------------------------------


def test_agent_interruptions_can_be_more_than_one_a_turn():
    caller = spans((0, 10_000))
    agent = spans((1000, 1500), (3000, 3500), (10_000, 12_000))  # the third begins as the caller ends
    assert agent_interruptions(agent, caller, turns=1).value == 2.0


def test_overlap_is_the_sum_of_pairwise_intersections():
    caller = spans((0, 1000), (2000, 3000))
    agent = spans((500, 2500), (2900, 4000))
    # 500..1000 = 500, 2000..2500 = 500, 2900..3000 = 100
    assert overlap_ms(caller, agent) == 1100
    assert overlap_ms(caller, []) == 0


def test_stretches_near_each_other_are_joined():
    assert joined(spans((500, 600), (0, 100), (120, 200)), 20) == spans((0, 200), (500, 600))
