"""Prompt injection: attempts to give the agent other orders, by the caller or in what tools and documents return."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.brain.guardrails import hidden, leaning, rules
from voicebot.brain.guardrails.reading import Reading
from voicebot.brain.guardrails.rules import Match, Words
from voicebot.brain.guardrails.ruling import Hit

_SUPPORTING = frozenset({"verbatim", "check", "access", "database", "demand"})
"""Kinds that only add to others."""


def find(reading: Reading, side: str) -> list[Hit]:
    """Where and how a text tries it; nothing when the signs together do not reach the threshold."""
    matches = [*_by_rules(reading, side), *hidden.signs(reading.raw, side)]
    if rules.total(matches) < rules.THRESHOLD:
        matches += _beneath(reading.raw, side)
    score = rules.total(matches)
    if score < rules.THRESHOLD:
        return _leaning(reading)
    telling = [match for match in matches if match.kind not in _SUPPORTING] or matches
    best = {match.kind: match for match in sorted(telling, key=lambda each: each.score)}
    return [Hit("injection", match.kind, match.start, match.end, round(score, 2)) for match in best.values()]


def _leaning(reading: Reading) -> list[Hit]:
    """What the rules have no words for, but looks like an attack."""
    lean = leaning.lean(reading, "injection")
    leans = lean >= leaning.threshold("injection")
    return [Hit("injection", "leaning", 0, len(reading.raw), round(lean, 2))] if leans else []


def _by_rules(reading: Reading, side: str) -> list[Match]:
    return rules.load("injection").match(Words(reading), side)


def _beneath(raw: str, side: str) -> Iterator[Match]:
    """What the rules find once a disguise is undone."""
    for plain, start, end in hidden.views(raw):
        matches = _by_rules(Reading(plain), side)
        if matches and rules.total(matches) >= rules.THRESHOLD:
            yield Match("disguise", rules.total(matches), start, end)
