"""The words of an utterance that a call stands or falls with: numbers, names and codes, and which of them were heard.

They are found in the reference text by rule: numbers in digits or words, names by their capital letter inside a
sentence, codes by letters with digits, letters said one by one, or capitals. A text without capitals has no names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from voicebot.evals.words.wer import normalise

Kind = Literal["number", "name", "code"]
KINDS: tuple[Kind, ...] = ("number", "name", "code")
_DIGIT = "zero|oh|one|two|three|four|five|six|seven|eight|nine"
_SPELLED = re.compile(rf"(?<!['\u2019])\b[A-Za-z](?:[ .-]+(?:[A-Za-z]|\d+|{_DIGIT})\b)+")
_TITLE = re.compile(r"\b(Dr|Mr|Mrs|Ms|St|Prof)\.")
_MIXED = re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])\w+(?:-\w+)*\b")
_ORDINAL_OR_TIME = re.compile(r"\d+(?:st|nd|rd|th|am|pm|s)", re.IGNORECASE)
_CAPITALS = re.compile(r"\b[A-Z]{2,}\b")
_NAME = re.compile(r"\b[A-Z][\w'\u2019]*[a-z][\w'\u2019]*(?:[ -][A-Z][\w'\u2019]*[a-z][\w'\u2019]*)*")
_STARTS = re.compile(r"(?:^|[.!?:]\s+|[\"\u201c])\s*$")
_NO_NAMES = frozenset(
    "i i'm i'll i'd i've monday tuesday wednesday thursday friday saturday sunday january february march april "
    "may june july august september october november december ok okay mr mrs ms dr".split()
)
_BEGINNERS = frozenset(
    "a an the this that these those my your our his her their its it we you he she they there here is are was "
    "were am be do does did can could will would shall should may might must have has had what when where who "
    "whom whose why how which please yes no not hello hi hey good thanks thank well so and or but if then to from "
    "for in on at by with of as just let call tell give make book cancel move change one sorry great oh".split()
)
"""Words that begin a sentence with a capital and are no names."""


@dataclass(frozen=True)
class Entity:
    """A number, name or code of the reference."""

    kind: Kind
    text: str
    """Normalised and without blanks: 'half past 2:30' has '230'."""
    heard: bool = False


def judged(said: str, heard: str) -> tuple[Entity, ...]:
    """The entities of `said`, and whether each stands in `heard`. One place in `heard` counts for one of them."""
    left: list[str | None] = list(normalise(heard).split())
    found = sorted(entities(said), key=lambda entity: -len(entity.text))
    return tuple(Entity(entity.kind, entity.text, _take(entity.text, left)) for entity in found)


def entities(text: str) -> list[Entity]:
    """What `text` has of them, each stretch of text in one kind only."""
    found: list[Entity] = []
    text = _TITLE.sub(r"\1", text)
    rest = text if text != text.upper() else text.lower()  # a text in capitals says nothing by its capitals
    for pattern, kind in ((_SPELLED, "code"), (_MIXED, "code"), (_CAPITALS, "code"), (_NAME, "name")):
        rest = _cut_out(rest, pattern, kind, found)  # type: ignore[arg-type]  # the kinds are literals
    return found + [Entity("number", number) for number in _numbers(rest)]


def _cut_out(text: str, pattern: re.Pattern[str], kind: Kind, found: list[Entity]) -> str:
    """`text` with a mark in place of each match that is an entity, which is added to `found`."""

    def take(match: re.Match[str]) -> str:
        words = _without_beginner(match) if kind == "name" else match[0]
        compact = normalise(words).replace(" ", "")
        if not compact or (kind == "code" and not _is_code(match[0])):
            return match[0]
        found.append(Entity(kind, compact))
        return " | "

    return pattern.sub(take, text)


def _is_code(text: str) -> bool:
    """Not 'a two', '5 a m' or '21st'."""
    if _SPELLED.fullmatch(text):
        letters = "".join(re.findall(r"\b[A-Za-z]\b", text)).lower()
        return letters not in ("a", "i", "am", "pm")
    return not _ORDINAL_OR_TIME.fullmatch(text)


def _without_beginner(match: re.Match[str]) -> str:
    """The words of a name: not the first of a sentence unless a name goes on after it, nor what is never one."""
    words = match[0].split(" ")
    if _STARTS.search(match.string[: match.start()]) and (len(words) == 1 or words[0].lower() in _BEGINNERS):
        words = words[1:]
    return " ".join(word for word in words if word.lower().replace("\u2019", "'") not in _NO_NAMES)


def _numbers(text: str) -> Iterable[str]:
    """Digits side by side are one number: 'two thirty' and '2:30' are '230'. An 'one' alone is no number."""
    run = ""
    for word in [*normalise(text).split(), ""]:
        digits = re.match(r"\d+", word)
        run += digits[0] if digits else ""
        if run and word != (digits[0] if digits else None):
            if run != "1" or "1" in text:
                yield run
            run = ""


def _take(text: str, left: list[str | None]) -> bool:
    """Whether `text` stands in the words that are left, in one of them or in several side by side; they are used up."""
    for start in range(len(left)):
        joined = ""
        for end in range(start, len(left)):
            word = left[end]
            if word is None or len(joined) >= len(text):
                break
            joined += word
            if text in (joined, joined[: -len(word)] + (re.match(r"\d*", word) or [""])[0]):
                left[start : end + 1] = [None] * (end + 1 - start)
                return True
    return False


def accuracy(found: Sequence[Entity]) -> float | None:
    """The share that was heard; None when there was nothing of the kind."""
    return sum(entity.heard for entity in found) / len(found) if found else None
