"""Rules over families of words: which words, in which order, how far apart, and how much that tells.

A rule file is YAML. `families` name words and phrases that mean much the same; a `*` at the end of a word stands for
any ending. A rule's `when` is a sequence of families (`@drop`), words (`you`) or one of several (`was|were|@drop`),
next to one another or with up to n words between (`~n`); `_` is a space in a phrase, `^` and `$` are the two ends
of the text. `score` is how much it tells, from 0 to 1; `unless` are sequences that take it back when they are found in or near
the match; `sides` limits it to the caller, to results or to the agent. Scores of different kinds add up like
independent odds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from voicebot.brain.guardrails.reading import Reading, fold

THRESHOLD = 0.6
NEAR = 5
"""Words around a match in which an `unless` counts."""
_ENDS = frozenset(".!?;")
_FIRST, _LAST = "^", "$"
SHORTEST_STEM = 2
MOST_KNOWN_WORDS = 20_000
Spans = dict[int, list[int]]
"""Where something begins -> where it ends, as numbers of words."""


@dataclass(frozen=True)
class Step:
    """One family in a sequence, up to `gap` words behind the one before."""

    family: str
    gap: int


@dataclass(frozen=True)
class Rule:
    kind: str
    when: tuple[Step, ...]
    score: float
    unless: tuple[tuple[Step, ...], ...]
    sides: frozenset[str]


@dataclass(frozen=True)
class Match:
    """A rule and where it matched: characters of the text."""

    kind: str
    score: float
    start: int
    end: int


class Words:
    """A text as the rules see it: words and the ends of sentences, numbered."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.places = [place for place, token in enumerate(reading.tokens) if token[0].isalnum() or token in _ENDS]
        self.texts = [reading.tokens[place] for place in self.places]

    def span(self, first: int, end: int) -> tuple[int, int]:
        """The characters of the words from `first` up to `end`."""
        return self.reading.starts[self.places[first]], self.reading.ends[self.places[end - 1]]


class Rules:
    """The rules of one file, compiled."""

    def __init__(self, families: dict[str, list[str]], rules: Iterable[dict[str, Any]]) -> None:
        self._sayings: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._stems: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._known: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._families = families
        self._named_already: set[str] = set()
        self._may_end: set[str] = set()
        """Parts that the end of the text fulfils, too."""
        self._rules = tuple(self._rule(each) for each in rules)

    def _add(self, saying: str, family: str) -> None:
        words = tuple(fold(saying).split())
        book = self._stems if words[0].endswith("*") else self._sayings
        book.setdefault(words[0].rstrip("*"), []).append((words, family))

    def _rule(self, data: dict[str, Any]) -> Rule:
        unless = data.get("unless", [])
        return Rule(
            data["kind"],
            self._sequence(data["when"]),
            float(data["score"]),
            tuple(self._sequence(each) for each in ([unless] if isinstance(unless, str) else unless)),
            frozenset(data.get("sides", ("caller", "results", "agent"))),
        )

    def _sequence(self, text: str) -> tuple[Step, ...]:
        steps, gap = list[Step](), 0
        for part in text.split():
            if part.startswith("~"):
                gap = int(part[1:])
                continue
            steps.append(Step(self._named(part), gap))
            gap = 0
        return tuple(steps)

    def _named(self, part: str) -> str:
        """The name under which a part's words are found: its own, for one that is made of several."""
        if part in self._named_already or part in (_FIRST, _LAST):
            return part
        self._named_already.add(part)
        for each in part.split("|"):
            if each == _LAST:
                self._may_end.add(part)
                continue
            if each.startswith("@") and each[1:] not in self._families:
                raise ValueError(f"no family '{each}' in the rules")
            for saying in self._families[each[1:]] if each.startswith("@") else [each.replace("_", " ")]:
                self._add(saying, part)
        return part

    def match(self, words: Words, side: str) -> list[Match]:
        """Everything that matches, whatever it scores."""
        found = self._tag(words.texts)
        matches = []
        for rule in self._rules:
            if side in rule.sides and all(step.family in found for step in rule.when):
                where = self._find(rule, found, len(words.texts))
                if where:
                    matches.append(Match(rule.kind, rule.score, *words.span(*where)))
        return matches

    def _tag(self, texts: list[str]) -> dict[str, Spans]:
        found: dict[str, Spans] = {_FIRST: {0: [0]}, _LAST: {len(texts): [len(texts)]}}
        for place, word in enumerate(texts):
            for saying, family in self._beginning(word):
                if len(saying) == 1 or _follows(texts, place, saying):
                    found.setdefault(family, {}).setdefault(place, []).append(place + len(saying))
        for family in self._may_end:
            found.setdefault(family, {}).setdefault(len(texts), []).append(len(texts))
        return found

    def _beginning(self, word: str) -> list[tuple[tuple[str, ...], str]]:
        """The sayings that begin with a word, looked up once."""
        known = self._known.get(word)
        if known is None:
            known = list(self._sayings.get(word, ()))
            for size in range(SHORTEST_STEM, min(len(word), 24) + 1):
                known.extend(self._stems.get(word[:size], ()))
            if len(self._known) >= MOST_KNOWN_WORDS:
                self._known.clear()
            self._known[word] = known
        return known

    def _find(self, rule: Rule, found: dict[str, Spans], size: int) -> tuple[int, int] | None:
        """The first match that nothing takes back."""
        for first, end in _sequences(rule.when, found):
            around = (max(0, first - NEAR), min(size, end + NEAR))
            if not any(_is_within(each, found, *around) for each in rule.unless):
                return first, max(end, first + 1)
        return None


def _follows(texts: list[str], place: int, saying: tuple[str, ...]) -> bool:
    said = texts[place + 1 : place + len(saying)]
    return len(said) == len(saying) - 1 and all(
        word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted
        for word, wanted in zip(said, saying[1:], strict=True)
    )


def _sequences(steps: tuple[Step, ...], found: dict[str, Spans]) -> Iterator[tuple[int, int]]:
    """(first word, one past the last) of each place where the steps follow one another.

    Of all ways to get to one place only the shortest is kept, so the work grows with the text and not with its square.
    """
    if any(step.family not in found for step in steps):
        return
    so_far: dict[int, int] = {}
    for start, ends in sorted(found[steps[0].family].items()):
        for end in ends:
            so_far[end] = max(start, so_far.get(end, 0))
    for step in steps[1:]:
        spans, following = found[step.family], dict[int, int]()
        for end, first in so_far.items():
            for start in range(end, end + step.gap + 1):
                for after in spans.get(start, ()):
                    following[after] = max(first, following.get(after, 0))
        so_far = following
    yield from sorted((first, end) for end, first in so_far.items())


def _is_within(steps: tuple[Step, ...], found: dict[str, Spans], first: int, end: int) -> bool:
    if any(step.family not in found for step in steps):
        return False
    near = {
        step.family: {start: ends for start in range(first, end + 1) if (ends := found[step.family].get(start))}
        for step in steps
    }
    return any(to <= end for _, to in _sequences(steps, near))


def total(matches: Collection[Match]) -> float:
    """The scores together: the odds that at least one of the signs is right."""
    doubt = 1.0
    for score in {match.kind: match.score for match in sorted(matches, key=lambda each: each.score)}.values():
        doubt *= 1 - score
    return 1 - doubt


@lru_cache(maxsize=8)
def load(name: str) -> Rules:
    """The rules in `name`.yaml of this folder, compiled once a process."""
    data = yaml.safe_load((resources.files(__package__) / f"{name}.yaml").read_text(encoding="utf-8"))
    return Rules(data["families"], data["rules"])
