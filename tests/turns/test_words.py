from __future__ import annotations

import pytest

from voicebot.turns.words import only_listening, stray, unfinished


@pytest.mark.parametrize(
    "text", ["i would like to", "on the", "for maria and", "um", "my name is, I'm", "Well, because"]
)
def test_words_that_cannot_end_a_sentence_leave_the_turn_open(text: str):
    assert unfinished(text)


@pytest.mark.parametrize("text", ["", "yes", "next tuesday please", "what is that", "the one I was looking for?"])
def test_words_that_can_end_a_sentence_do_not(text: str):
    assert not unfinished(text)


@pytest.mark.parametrize(
    "text", ["I see.", "ah ha", "go on", "uh-huh", "uh huh", "Mm hmm.", "Mhm.", "okay", "yeah yeah", "oh right"]
)
def test_signs_of_listening_are_known(text: str):
    assert only_listening(text, unheard_ms=5000)


@pytest.mark.parametrize("text", ["", "no", "wait", "yes but not then", "okay stop please", "yes yes yes yes"])
def test_anything_else_takes_the_floor(text: str):
    assert not only_listening(text, unheard_ms=5000)


def test_yes_is_an_answer_when_the_agent_is_about_to_finish():
    assert not only_listening("yes", unheard_ms=800)
    assert only_listening("mhm", unheard_ms=800)


@pytest.mark.parametrize("text", ["the", "how", "uh", "and the", "huh"])
def test_a_word_that_says_nothing_on_its_own_is_stray(text: str):
    assert stray(text)


@pytest.mark.parametrize("text", ["no", "wait", "stop", "what", "how much", "the cleaning", "and the next one"])
def test_a_word_that_says_something_is_not(text: str):
    assert not stray(text)
