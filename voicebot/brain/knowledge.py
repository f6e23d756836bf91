"""What an agent can look up: markdown files whose headings are questions.

Several headings above one text are several ways to ask it. A passage is the text beneath; its first paragraph is what
is spoken. `search` ranks passages with BM25 (Robertson and Zaragoza, 2009) over stemmed words of headings and text.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import Stemmer

from voicebot.brain.nlu.text import words
from voicebot.errors import BadInput

K1, B = 1.5, 0.75
HEADING_COUNTS = 3
"""A word of a heading weighs as much as so many in the text."""


@dataclass(frozen=True)
class Passage:
    """One answer and the questions it answers."""

    source: str
    """The file's name."""
    questions: tuple[str, ...]
    text: str

    @property
    def heading(self) -> str:
        return " ".join(self.questions)

    @property
    def spoken(self) -> str:
        """The first paragraph on one line."""
        return " ".join(self.text.split("\n\n")[0].split())


@dataclass(frozen=True)
class Hit:
    passage: Passage
    score: float


class Knowledge:
    """Passages with an index over them."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = tuple(passages)
        self._bags = [Counter(_terms(f"{each.text}{f' {each.heading}' * HEADING_COUNTS}")) for each in passages]
        self._lengths = [sum(bag.values()) for bag in self._bags]
        self._mean_length = sum(self._lengths) / max(len(self._lengths), 1)
        self._spread = Counter(word for bag in self._bags for word in bag)

    @classmethod
    def load(cls, root: Path, patterns: Iterable[str]) -> Knowledge:
        """The files that match the patterns, relative to `root`. Raises BadInput for a pattern that matches none."""
        passages: list[Passage] = []
        for pattern in patterns:
            files = sorted(root.glob(pattern))
            if not files:
                raise BadInput(f"{root}: no file matches the knowledge pattern '{pattern}'.")
            for file in files:
                passages.extend(parse(file.read_text(encoding="utf-8"), file.name))
        return cls(passages)

    @property
    def questions(self) -> list[str]:
        """All headings."""
        return [question for passage in self.passages for question in passage.questions]

    def search(self, text: str, limit: int = 3) -> list[Hit]:
        """The passages that fit best, best first; only those which share a word."""
        terms = set(_terms(text))
        scored = [Hit(passage, self._score(terms, place)) for place, passage in enumerate(self.passages)]
        return sorted((hit for hit in scored if hit.score > 0), key=lambda hit: -hit.score)[:limit]

    def _score(self, terms: set[str], place: int) -> float:
        bag, count = self._bags[place], len(self._bags)
        stretch = K1 * (1 - B + B * self._lengths[place] / self._mean_length)
        total = 0.0
        for word in terms & bag.keys():
            rarity = math.log(1 + (count - self._spread[word] + 0.5) / (self._spread[word] + 0.5))
            total += rarity * bag[word] * (K1 + 1) / (bag[word] + stretch)
        return total


def parse(markdown: str, source: str) -> list[Passage]:
    """The passages of a file. A top heading (`#`) is a title; text without a question above it is left out."""
    passages: list[Passage] = []
    questions: list[str] = []
    for block in re.split(r"^(?=#)", re.sub(r"<!--.*?-->", "", markdown, flags=re.S), flags=re.M):
        head, _, body = block.partition("\n")
        if not head.startswith("##"):
            questions = []
            continue
        questions.append(head.lstrip("#").strip())
        if body.strip():
            passages.append(Passage(source, tuple(questions), body.strip()))
            questions = []
    return passages


_STOP = words("a an the is are was be do does did i you we they it my your our of in on at to for with and or can")
_STEMMER = Stemmer.Stemmer("english")


def _terms(text: str) -> list[str]:
    telling = [word for word in re.findall(r"[a-z0-9']+", text.lower()) if word not in _STOP]
    return [str(word) for word in _STEMMER.stemWords(telling)]
