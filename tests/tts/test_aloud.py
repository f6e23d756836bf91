"""Written words as a voice says them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.tts.aloud import Reading

SAID = [
    ("You owe $12.50.", "You owe twelve dollars, fifty cents."),
    ("That is $1.", "That is one dollar."),
    ("$1,250 in all", "one thousand, two hundred and fifty dollars in all"),
    ("£5 or 3 €", "five pounds or three euros"),
    ("at 8:30 am", "at eight thirty a m"),
    ("at 9:05.", "at nine oh five."),
    ("from 8 am to 5 p.m. daily", "from eight a m to five p m daily"),
    ("open at 10:00", "open at ten o'clock"),
    ("on 2026-11-24", "on november twenty fourth, twenty twenty six"),
    ("the 3rd floor", "the third floor"),
    ("20% off", "twenty percent off"),
    ("call 415-555-0134 now", "call four one five, five five five, zero one three four now"),
    ("call +44 20 7946 0018", "call plus four four, two zero, seven nine four six, zero zero one eight"),
    ("jane.doe_7@gmail.com", "jane dot doe underscore seven at gmail dot com"),
    ("see www.example.com/help", "see www dot example dot com slash help"),
    ("code AB12-C3 please", "code A B one two dash C three please"),
    ("order 1029384", "order one zero two nine three eight four"),
    ("flight 0042", "flight zero zero four two"),
    ("Dr. Lee vs. Mr. Poe", "doctor Lee versus mister Poe"),
    ("in 1999 and 2026 people", "in nineteen ninety nine and two thousand and twenty-six people"),
    ("No. 5 & No. 7", "number five and number seven"),
    ("5 km away, 1 kg", "five kilometers away, one kilogram"),
    ("minus -3 and 2.5", "minus minus three and two point five"),
    ("nothing to change here", "nothing to change here"),
]


@pytest.mark.parametrize(("written", "said"), SAID)
def test_english(written, said):
    assert Reading(written, "en").spoken == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("de", "Das macht 12,50 & 3 Euro, also 20%.", "Das macht 12,50 und drei Euro, also zwanzig Prozent."),
        ("fr", "21 places", "vingt et un places"),
        ("es", "ana@correo.es", "ana arroba correo punto es"),
        ("xx", "3 things", "3 things"),
    ],
)
def test_other_languages(language, written, said):
    assert Reading(written, language).spoken == said


def test_the_agents_own_pronunciations_go_first():
    own = {"SQL": "sequel", "Dr. Nguyen": "doctor win", "3 o": "three oh"}
    reading = Reading("Ask Dr. Nguyen about sql, MySQL.", "en", own)
    assert reading.spoken == "Ask doctor win about sequel, MySQL."


def test_every_written_word_knows_the_word_that_is_said_for_it():
    reading = Reading("It is $12.50 for Dr. Lee at 8:30 am.", "en")
    said = reading.spoken.split()
    first = {index: said[word] for word in range(len(said)) for index in reading.shown(word)}
    assert first == {
        0: "It",
        1: "is",
        2: "twelve",
        3: "for",
        4: "doctor",
        5: "Lee",
        6: "at",
        7: "eight",
        8: "a",
    }


@given(st.text(alphabet="abc 0123456789.,:$%@-+()AB&", max_size=60))
def test_any_text_is_said_and_no_written_word_is_lost(text):
    reading = Reading(text, "en")
    words = len(text.split())
    said = len(reading.spoken.split())
    shown = [index for word in range(max(1, said)) for index in reading.shown(word)]
    assert sorted(shown) == list(range(words)) or not said
    assert shown == sorted(shown), "in the order in which they stand"
