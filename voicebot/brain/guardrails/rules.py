"""Rules over families of words: which words, in which order, how far apart, and how much that tells.

A rule file is YAML. `families` name words and phrases that mean much the same; a `*` at the end of a word stands for
any ending. A rule's `when` is a sequence of families (`@drop`), words (`you`) or one of several (`was|were|@drop`),
next to one another or with up to n words between (`~n`); `_` is a space in a phrase, `^` and `$` are the two ends
of the text. `score` is how much it tells, from 0 to 1; `unless` are sequences that take it back when they are found
in or near the match; `sides` limits it to the caller, to results or to the agent. Scores of different kinds add up like
independent odds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
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
SHORTEST_STEM, LONGEST_STEM = 2, 24
MOST_KNOWN_WORDS = 20_000
ANY = "*"
_NEGATED = "do does did is are was has have had would could should ca wo need ai".split()
_SHORTENED = (
    "i'm", "i've", "i'll", "you're", "you've", "you'll", "you'd", "he's", "she's", "they're", "they've", "they'll",
    "they'd", "we've", "that's", "there's", "what's", "who's", "where's", "let's",
    "nobody's", "somebody's", "someone's", "everyone's", "everybody's",
)  # fmt: skip
_APOSTROPHES = {each.replace("'", ""): each for each in (*(f"{verb}n't" for verb in _NEGATED), *_SHORTENED)}
"""Contractions as a transcript may leave them -> as the rules write them: "dont" -> "don't"."""
Saying = tuple[str, ...]
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
        tokens = reading.tokens
        self.places = [
            place
            for place, token in enumerate(tokens)
            if token[0].isalnum() or (token in _ENDS and not (place and tokens[place - 1] in _ENDS))
        ]
        self.texts = [_APOSTROPHES.get(tokens[place], tokens[place]) for place in self.places]

    def span(self, first: int, end: int) -> tuple[int, int]:
        """The characters of the words from `first` up to `end`."""
        return self.reading.starts[self.places[first]], self.reading.ends[self.places[end - 1]]


class _Family:
    """Sayings that mean much the same, by their first word and, of several words, by their second."""

    def __init__(self, sayings: Iterable[str], *, may_end: bool) -> None:
        self._single: set[str] = set()
        self._longer: dict[str, dict[str, list[Saying]]] = {}
        for words in (tuple(_APOSTROPHES.get(word, word) for word in fold(saying).split()) for saying in sayings):
            if len(words) == 1:
                self._single.add(words[0])
            else:
                second = ANY if words[1].endswith("*") else words[1]
                self._longer.setdefault(words[0], {}).setdefault(second, []).append(words)
        self.keys = frozenset(self._single | self._longer.keys())
        self._may_end = may_end

    def may_be_in(self, keys: dict[str, list[int]]) -> bool:
        return self._may_end or not self.keys.isdisjoint(keys)

    def find(self, texts: Sequence[str], keys: dict[str, list[int]]) -> Spans:
        found: Spans = {len(texts): [len(texts)]} if self._may_end else {}
        for key in self.keys & keys.keys():
            if key in self._single:
                for place in keys[key]:
                    found.setdefault(place, []).append(place + 1)
            if longer := self._longer.get(key):
                for place, saying in _longer_at(longer, texts, keys[key]):
                    found.setdefault(place, []).append(place + len(saying))
        return found


def _longer_at(
    longer: dict[str, list[Saying]], texts: Sequence[str], places: Iterable[int]
) -> Iterator[tuple[int, Saying]]:
    for place in places:
        second = texts[place + 1] if place + 1 < len(texts) else ""
        for saying in (*longer.get(second, ()), *longer.get(ANY, ())):
            if _follows(texts, place, saying):
                yield place, saying


class Rules:
    """The rules of one file, compiled."""

    def __init__(self, families: dict[str, list[str]], rules: Iterable[dict[str, Any]]) -> None:
        self._named = families
        self._families: dict[str, _Family] = {}
        self._rules = tuple(self._rule(each) for each in rules)
        keys = frozenset(key for family in self._families.values() for key in family.keys)
        self._stems = frozenset(key[:-1] for key in keys if key.endswith("*"))
        self._whole = frozenset(key for key in keys if not key.endswith("*"))
        self._known: dict[str, tuple[str, ...]] = {}

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
            self._add(part)
            steps.append(Step(part, gap))
            gap = 0
        return tuple(steps)

    def _add(self, part: str) -> None:
        """The family that a part of a sequence stands for; it may be put together from others and from words."""
        if part in self._families or part == _FIRST:
            return
        sayings: list[str] = []
        for each in part.split("|"):
            if each.startswith("@") and each[1:] not in self._named:
                raise ValueError(f"no family '{each}' in the rules")
            sayings += self._named[each[1:]] if each.startswith("@") else [each.replace("_", " ")]
        self._families[part] = _Family([each for each in sayings if each != _LAST], may_end=_LAST in sayings)

    def match(self, words: Words, side: str) -> list[Match]:
        """Everything that matches, whatever it scores."""
        text = _Text(words.texts, self._keys(words.texts), self._families)
        found = ((rule, _find(rule, text)) for rule in self._rules if side in rule.sides)
        return [Match(rule.kind, rule.score, *words.span(*where)) for rule, where in found if where]

    def _keys(self, texts: Sequence[str]) -> dict[str, list[int]]:
        """Where each word or stem that begins a saying stands in a text."""
        keys: dict[str, list[int]] = {}
        for place, word in enumerate(texts):
            for key in self._keys_of(word):
                keys.setdefault(key, []).append(place)
        return keys

    def _keys_of(self, word: str) -> tuple[str, ...]:
        known = self._known.get(word)
        if known is None:
            stems = (word[:size] for size in range(SHORTEST_STEM, min(len(word), LONGEST_STEM) + 1))
            whole = (word,) if word in self._whole else ()
            known = (*whole, *(f"{stem}*" for stem in stems if stem in self._stems))
            if len(self._known) >= MOST_KNOWN_WORDS:
                self._known.clear()
            self._known[word] = known
        return known


class _Text:
    """What of the families stands in one text, looked up when a rule asks for it."""

    def __init__(self, texts: Sequence[str], keys: dict[str, list[int]], families: dict[str, _Family]) -> None:
        self.size = len(texts)
        self._texts, self._keys, self._families = texts, keys, families
        self._found: dict[str, Spans] = {_FIRST: {0: [0]}}

    def may_hold(self, steps: tuple[Step, ...]) -> bool:
        """Whether each step begins somewhere."""
        return all(step.family == _FIRST or self._families[step.family].may_be_in(self._keys) for step in steps)

    def spans(self, family: str) -> Spans:
        found = self._found.get(family)
        if found is None:
            found = self._found[family] = self._families[family].find(self._texts, self._keys)
        return found


def _follows(texts: Sequence[str], place: int, saying: Saying) -> bool:
    if place + len(saying) > len(texts):
        return False
    for ahead in range(1, len(saying)):
        wanted, word = saying[ahead], texts[place + ahead]
        if word != wanted and not (wanted[-1] == "*" and word.startswith(wanted[:-1])):
            return False
    return True


def _find(rule: Rule, text: _Text) -> tuple[int, int] | None:
    """The first match of a rule that nothing takes back."""
    if not text.may_hold(rule.when):
        return None
    for first, end in _sequences(rule.when, text):
        around = (max(0, first - NEAR), min(text.size, end + NEAR))
        if not any(_is_within(each, text, *around) for each in rule.unless):
            return first, max(end, first + 1)
    return None


def _sequences(steps: tuple[Step, ...], text: _Text, first: int = 0, last: int | None = None) -> list[tuple[int, int]]:
    """(first word, one past the last) of each place between two words where the steps follow one another.

    Of all ways to get to one place only the shortest is kept, so the work grows with the text and not with its square.
    """
    last = text.size if last is None else last
    so_far: dict[int, int] = {}
    for start, ends in sorted(text.spans(steps[0].family).items()):
        if first <= start <= last:
            so_far.update((end, start) for end in ends if end <= last)
    for step in steps[1:]:
        spans, following = text.spans(step.family), dict[int, int]()
        for end, begun in so_far.items():
            for start in range(end, min(end + step.gap, last) + 1):
                for after in spans.get(start, ()):
                    if after <= last:
                        following[after] = max(begun, following.get(after, 0))
        if not following:
            return []
        so_far = following
    return sorted((begun, end) for end, begun in so_far.items())


def _is_within(steps: tuple[Step, ...], text: _Text, first: int, last: int) -> bool:
    return text.may_hold(steps) and bool(_sequences(steps, text, first, last))


def total(matches: Collection[Match]) -> float:
    """The scores together: the odds that at least one of the signs is right."""
    doubt = 1.0
    for score in {match.kind: match.score for match in sorted(matches, key=lambda each: each.score)}.values():
        doubt *= 1 - score
    return 1 - doubt


@lru_cache(maxsize=8)
def load(name: str) -> Rules:
    """The rules in `name`.yaml of this folder, compiled once a process."""
    data = yaml.load((resources.files(__package__) / f"{name}.yaml").read_bytes(), yaml.CSafeLoader)
    return Rules(data["families"], data["rules"])
