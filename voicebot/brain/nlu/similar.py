"""Which of many example sentences an utterance is most like: shared words, weighted by how telling they are.

The score is an F-measure over stemmed words (0 to 1): how much of the example was said, which counts double, and how
much of what was said is in the example. Words that differ by a letter or two count a little less.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import Stemmer
from rapidfuzz import fuzz, process

from .text import TAKEN, Utterance, words

_STEMMER = Stemmer.Stemmer("english")
_COMMON = words(
    "a an the i i'd i'm i'll i've me my we us our you your it its it's this that these those is are am was were "
    "be been do does did can could would will should may might have has had to of in on at for from with by and "
    "or but so if as please um uh er hmm well like just want get there here hi hello yes yeah no okay ok thanks "
    "thank know tell wondering maybe actually sorry oh any some also need 'd 'll then"
)
_QUESTION_WORDS = words("what when where who which how why much many long")
COMMON_WEIGHT = 0.12
QUESTION_WEIGHT = 0.7
UNKNOWN_WEIGHT = 0.45
"""Of a word that is in no example, relative to the most telling known word: noise must not outweigh sense."""
SLOT_WEIGHT = 0.35
FUZZY_CUTOFF = 84
SHORTEST_GUESS = 4
"""Letters below which a word is not taken for another."""
RECALL_COUNTS = 2.0


@dataclass(frozen=True)
class Match:
    label: str
    score: float
    example: str


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    return word if word.startswith("{") else str(_STEMMER.stemWord(word.removesuffix("'s")))


class Examples:
    """An index of labelled examples. `{slot}` in an example matches `{slot}` put into the utterance for a mention."""

    def __init__(self, examples: Iterable[tuple[str, str]]) -> None:
        self._examples = [(label, text, _bag(_tokens(text))) for label, text in examples]
        seen = Counter(word for _, _, bag in self._examples for word in bag)
        self._labels_with: dict[str, set[str]] = defaultdict(set)
        self._having: dict[str, list[int]] = defaultdict(list)
        for place, (label, _, bag) in enumerate(self._examples):
            for word in bag:
                self._labels_with[word].add(label)
                self._having[word].append(place)
        labels = len({label for label, _, _ in self._examples})
        self._weight = {word: self._weigh(word, labels) for word in seen}
        self._heaviest = max(self._weight.values(), default=1.0)
        self._long_words = [word for word in seen if len(word) >= SHORTEST_GUESS and not word.startswith("{")]

    def _weigh(self, word: str, labels: int) -> float:
        if word.startswith("{"):
            return SLOT_WEIGHT
        if word in _COMMON_STEMS:
            return COMMON_WEIGHT
        telling = math.log(1 + labels / len(self._labels_with[word])) / math.log(1 + max(labels, 2))
        return max(0.3, telling) * (QUESTION_WEIGHT if word in _QUESTION_STEMS else 1.0)

    def rank(self, *readings: Sequence[str]) -> list[Match]:
        """The best example of each label, best first. `readings` are the same words, with and without `{slot}`s."""
        best: dict[str, Match] = {}
        for tokens in dict.fromkeys(map(tuple, readings)):
            for match in self._matches(tokens):
                if match.label not in best or match.score > best[match.label].score:
                    best[match.label] = match
        return sorted(best.values(), key=lambda match: -match.score)

    def _matches(self, tokens: Iterable[str]) -> Iterator[Match]:
        said = self._known_words(_bag([each for each in tokens if each != TAKEN]))
        total = sum(weight for _, weight in said.values())
        for place in {each for word in said for each in self._having.get(word, ())} if total else ():
            label, text, bag = self._examples[place]
            yield Match(label, self._score(said, total, bag), text)

    def _known_words(self, bag: frozenset[str]) -> dict[str, tuple[float, float]]:
        """word of the index -> (likeness, weight in the utterance)."""
        said: dict[str, tuple[float, float]] = {}
        for word in bag:
            if word in self._weight:
                said[word] = (1.0, self._weight[word])
                continue
            if word in _COMMON_STEMS:
                said[word] = (0.0, COMMON_WEIGHT)
                continue
            near = self._near(word)
            if near and near[0] not in said:
                said[near[0]] = (near[1] / 100, self._weight[near[0]])
            else:
                said[word] = (0.0, SLOT_WEIGHT / 3 if word.startswith("{") else UNKNOWN_WEIGHT * self._heaviest)
        return said

    def _near(self, word: str) -> tuple[str, float, int] | None:
        """The word of the index that this one may be a mishearing of: (word, likeness 0 to 100, place)."""
        if len(word) < SHORTEST_GUESS:
            return None
        return process.extractOne(word, self._long_words, scorer=fuzz.ratio, score_cutoff=FUZZY_CUTOFF)

    def _score(self, said: dict[str, tuple[float, float]], total: float, example: frozenset[str]) -> float:
        shared = sum(said[word][0] * self._weight[word] for word in example if word in said)
        wanted = sum(self._weight[word] for word in example)
        # Values that the example does not mention take nothing from it.
        extra = sum(weight for word, (_, weight) in said.items() if word.startswith("{") and word not in example)
        recall, precision = shared / wanted, shared / max(total - extra, 1e-9)
        if not recall:
            return 0.0
        beta = RECALL_COUNTS
        return (1 + beta) * precision * recall / (beta * precision + recall)


def beyond(said: Iterable[str], example: str) -> list[str]:
    """The telling words of what was said that are not in the example, nor nearly."""
    known = _bag(_tokens(example)) | _COMMON_STEMS
    return [word for word in said if stem(word) not in known and not _is_nearly(word, known)]


def _is_nearly(word: str, known: Iterable[str]) -> bool:
    return (
        len(word) >= SHORTEST_GUESS
        and process.extractOne(word, list(known), scorer=fuzz.ratio, score_cutoff=FUZZY_CUTOFF) is not None
    )


def _tokens(text: str) -> list[str]:
    """Words of an example; placeholders stay."""
    parts: list[str] = []
    for part in text.replace("{", " {").replace("}", "} ").split():
        parts.extend([part] if part.startswith("{") else Utterance.of(part).tokens)
    return parts


def _bag(tokens: Iterable[str]) -> frozenset[str]:
    return frozenset(stem(word) for word in tokens)


_COMMON_STEMS = frozenset(map(stem, _COMMON))
_QUESTION_STEMS = frozenset(map(stem, _QUESTION_WORDS))
