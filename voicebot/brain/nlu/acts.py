"""What an utterance does besides saying values: agree, correct, ask to repeat, ask for a person, say goodbye."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from .phrases import Found, PhraseBook
from .text import TAKEN, Utterance

Act = Literal["yes", "no", "repeat", "person", "bye", "thanks", "wait", "unsure", "refuse", "drop", "correct", "why",
              "any", "here", "filler", "not"]  # fmt: skip

_BOOK = PhraseBook(yaml.load(Path(__file__).with_suffix(".yaml").read_bytes(), yaml.CSafeLoader))


@dataclass(frozen=True)
class Acts:
    """The acts of one utterance, and the words that belong to none."""

    found: tuple[Found, ...]
    rest: tuple[str, ...]
    """Words that are neither part of an act nor of a mention."""

    def __contains__(self, act: Act) -> bool:
        return any(each.label == act for each in self.found)

    def only(self, *acts: Act) -> bool:
        """Whether it does one of these and nothing else that matters."""
        labels = {each.label for each in self.found}
        return not self.rest and labels <= {*acts, "filler"} and bool(labels & set(acts))

    def first(self, *acts: Act) -> Found | None:
        return next((each for each in self.found if each.label in acts), None)


def find_acts(utterance: Utterance) -> Acts:
    """The acts in what mentions have left over of an utterance (`Utterance.without`)."""
    found = _BOOK.find(utterance)
    used = {place for each in found for place in range(each.start, each.end)}
    rest = [word for place, word in enumerate(utterance.tokens) if place not in used and word != TAKEN]
    return Acts(tuple(found), tuple(rest))


def clear_yes(acts: Acts) -> bool:
    """A yes and nothing that could take it back: no 'no', no question, not one word that was not understood."""
    return acts.only("yes", "thanks") and "yes" in acts


def clear_no(acts: Acts) -> bool:
    """A no and nothing that could take it back."""
    return acts.only("no", "thanks", "bye") and "no" in acts
