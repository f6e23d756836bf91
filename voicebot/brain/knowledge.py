"""What an agent can look up: passages of text, by the words of a question.

`parse` reads markdown files whose headings are questions. Several headings above one text are several ways to ask it. A
passage is the text beneath; its first paragraph is what is spoken. `search` ranks passages with BM25 (Robertson and
Zaragoza, 2009) over stemmed words of headings and text.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import Stemmer
from numpy.typing import NDArray

from voicebot.brain.nlu.text import words
from voicebot.errors import BadInput

K1, B = 1.5, 0.75
AFTER_COUNTS = 0.5
"""What a word of the question before counts, against one of this question."""
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
    """Passages with an index over them. `language` is the one they are written in, such as 'en' or 'de-CH'."""

    def __init__(self, passages: Sequence[Passage], language: str = "en") -> None:
        self.passages = tuple(passages)
        self._terms = Terms(language)
        bags = [Counter(self._terms.of(f"{each.text}{f' {each.heading}' * HEADING_COUNTS}")) for each in passages]
        mean_length = sum(map(Counter.total, bags)) / max(len(bags), 1)
        weights: dict[str, list[tuple[int, float]]] = {}
        for place, bag in enumerate(bags):
            stretch = K1 * (1 - B + B * bag.total() / mean_length) if bag else 0.0
            for term, often in bag.items():
                weights.setdefault(term, []).append((place, often * (K1 + 1) / (often + stretch)))
        self._weights = {term: _columns(rows) for term, rows in weights.items()}
        """For each term, the passages that have it and what it counts there."""

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

    def search(self, text: str, limit: int = 3, *, after: str = "") -> list[Hit]:
        """The passages that fit best, best first; only those which share a word.

        `after` is what the text follows up on: its words count `AFTER_COUNTS` as much.
        """
        counts = dict.fromkeys(self._terms.of(after), AFTER_COUNTS) | dict.fromkeys(self._terms.of(text), 1.0)
        scores = np.zeros(len(self.passages))
        for term, weight in counts.items():
            if term in self._weights:
                places, often = self._weights[term]
                rarity = math.log(1 + (len(self.passages) - len(places) + 0.5) / (len(places) + 0.5))
                scores[places] += weight * rarity * often
        best = np.argsort(-scores, kind="stable")[:limit]
        return [Hit(self.passages[place], float(scores[place])) for place in best if scores[place] > 0]


def _columns(rows: list[tuple[int, float]]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    places, weights = zip(*rows, strict=True)
    return np.array(places, np.intp), np.array(weights, np.float32)


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
_ALPHABETS = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+")
"""Scripts that put no blanks between words: Thai, Japanese, Chinese."""


class Terms:
    """The words of a text as they are compared, in one language."""

    def __init__(self, language: str = "en") -> None:
        code = language.partition("-")[0]
        self._stop = _STOP if code == "en" else frozenset[str]()
        algorithm = _SNOWBALL.get(code)
        self._stemmer = Stemmer.Stemmer(algorithm) if algorithm in Stemmer.algorithms() else None

    def of(self, text: str) -> list[str]:
        low = text.lower().replace("\u2019", "'")
        telling = [word for word in re.findall(r"[^\W_]+(?:'[^\W_]+)*", low) if word not in self._stop]
        for run in _ALPHABETS.findall(low):
            telling += [run[place : place + 2] for place in range(len(run) - 1)]
        return [str(word) for word in self._stemmer.stemWords(telling)] if self._stemmer else telling


_SNOWBALL = {"ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek",
             "en": "english", "es": "spanish", "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian",
             "it": "italian", "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian",
             "ru": "russian", "sv": "swedish", "ta": "tamil", "tr": "turkish"}  # fmt: skip
"""The stemmers of the Snowball library; older releases of it lack a few."""
