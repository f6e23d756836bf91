"""A second model goes on with the first one's answer: nothing is said twice, nothing is lost."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.brain.seam import Seam

WHOLE = "We open at eight in the morning, and we close at five. Shall I book you in?"


def joined(said: str, *pieces: str) -> str:
    seam = Seam(said)
    return said + "".join(map(seam.feed, pieces)) + seam.end()


@pytest.mark.parametrize(
    ("said", "more", "whole"),
    [
        ("We open at", "eight.", "We open at eight."),
        ("We open at", " eight.", "We open at eight."),
        ("We open at ", "eight.", "We open at eight."),
        ("We open at", "We open at eight.", "We open at eight."),
        ("We open at", "open at eight.", "We open at eight."),
        ("We open at", "...at eight.", "We open at eight."),
        ("We open on Wed", "Wednesday at eight.", "We open on Wednesday at eight."),
        ("We open on Wed", "on Wednesday at eight.", "We open on Wednesday at eight."),
        ("We open at eight", ".", "We open at eight."),
        ("We open at eight", ", and close at five.", "We open at eight, and close at five."),
        ("We open at eight.", "We open at eight. And you?", "We open at eight. And you?"),
        ("We open at eight.", "Anything else?", "We open at eight. Anything else?"),
        ("We open at eight.", "We open at eight.", "We open at eight."),
        ("We open", "SORRY, we open at eight.", "We open SORRY, we open at eight."),
    ],
)
def test_it_goes_on_where_it_stopped(said: str, more: str, whole: str):
    assert joined(said, more) == whole
    assert joined(said, *more) == whole, "in whatever pieces it comes"


@pytest.mark.parametrize("seed", range(100))
def test_a_model_that_begins_anywhere_again_is_cut_to_what_is_new(seed: int):
    chance = random.Random(seed)
    words = WHOLE.split(" ")
    stopped = chance.randrange(1, len(words))
    said = " ".join(words[:stopped])
    again = " ".join(words[chance.randrange(stopped + 1) :])
    cuts = sorted(chance.sample(range(len(again) + 1), 3))
    pieces = [again[start:end] for start, end in zip([0, *cuts], [*cuts, len(again)], strict=True)]
    assert joined(said, *pieces) == WHOLE


@given(st.text(max_size=30), st.lists(st.text(max_size=8), max_size=6))
def test_it_only_ever_leaves_out_a_beginning(said: str, pieces: list[str]):
    more = "".join(pieces)
    told = joined(said, *pieces)[len(said) :]
    assert more.endswith(told.lstrip()) or more.endswith(told)


def test_what_is_surely_new_is_said_at_once():
    seam = Seam("We open at")
    assert seam.feed("eight") == " eight"
    assert seam.feed(" in the") == " in the"
