"""Which of a model's own words may be spoken beside the flow's: short remarks, nothing that takes the lead.

A question of its own would have the caller say yes to something else than the flow asked, and a deed is told by the
flow, when it is done.
"""

from __future__ import annotations

import re

from voicebot.brain.nlu import Utterance
from voicebot.brain.nlu.similar import stem
from voicebot.brain.nlu.text import words
from voicebot.flow import Flow

LONGEST = 3
"""Sentences."""
LETTERS = 400
LONGEST_QUESTION = 160
"""Letters."""

_ASKS = ("?", "\uff1f")
_QUOTES = "\"'\u201d\u2019)"
_ENDS = re.compile(rf"(?<=[.!?\u2026\u3002\uff01\uff1f])[{_QUOTES}]*\s+")
_MACHINE = re.compile(r"[{}<>|`\\\[\]]|https?:|\w+_\w+|\*\*|^#|\w\(")
"""What nobody says: JSON, markup, names of tools and slots."""
_OF_THIS_CALL = words("i i've we we've you you're your it it's its that that's this everything")
_NOT_YET = words("if when whenever once can could would will may might must should cannot can't not")


class Speakable:
    """Reads a model's words for one flow."""

    def __init__(self, flow: Flow) -> None:
        doing = [goal for goal in flow.goals.values() if goal.do]
        self._deeds = {stem(Utterance.of(goal.title).tokens[0]) for goal in doing}

    def of(self, said: str, *, complete: bool) -> str:
        """The sentences that may be spoken. Unless it is `complete`, the last one may still go on and is kept back."""
        sentences = [each.strip() for each in _ENDS.split(said.strip())]
        if not complete:
            sentences.pop()
        good: list[str] = []
        for sentence in sentences:
            if _MACHINE.search(sentence):
                break
            if sentence and not sentence.rstrip(_QUOTES).endswith(_ASKS) and not self._tells_a_deed(sentence):
                good.append(sentence)
            if len(good) == LONGEST or sum(map(len, good)) > LETTERS:
                break
        spoken = " ".join(good)
        return spoken if len(spoken) <= LETTERS else ""

    def question(self, said: str) -> str:
        """The whole, if it is one short question and nothing else; else ''."""
        question = " ".join(said.strip().strip('"').split())
        plain = len(question) <= LONGEST_QUESTION and not _MACHINE.search(question) and len(_ENDS.split(question)) <= 2
        return question if plain and question.endswith(_ASKS) and not self._tells_a_deed(question) else ""

    def _tells_a_deed(self, sentence: str) -> bool:
        """ "I've booked it": only the flow knows."""
        tokens = Utterance.of(sentence).tokens
        done = any(each.endswith("ed") and stem(each) in self._deeds for each in tokens)
        return done and bool(_OF_THIS_CALL & set(tokens)) and not _NOT_YET & set(tokens)
