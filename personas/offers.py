"""Picking from what an agent offers: one's own wish where it is there, else what suits best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from .facts import Kind, Mention

Rule = Literal["nearest", "first", "last"]
Option = dict[str, Mention]
"""Fact -> what was offered for it."""


def choose(
    offered: Mapping[str, Sequence[Mention]], kinds: Mapping[str, Kind], own: Mapping[str, frozenset[str]], rule: Rule
) -> Option:
    """The option to take, by fact; empty when nothing was offered.

    Times go with the day said last before them ("Friday at ten or eleven, or Monday at two"). Only days and times are
    negotiable: of anything else the caller takes its own value or says nothing.
    """
    fixed = {
        fact: mention
        for fact, mentions in offered.items()
        for mention in mentions
        if kinds[fact] not in ("day", "time") and mention.values & own[fact]
    }
    if fixed:
        return fixed
    options = list(_options(offered, kinds))
    if not options:
        return {}
    if rule == "first":
        return options[0]
    return options[-1] if rule == "last" else min(options, key=lambda option: _distance(option, own))


def meant(mention: Mention, own: frozenset[str]) -> frozenset[str]:
    """What is taken with an offer that can mean several values: the time nearest to the wish, the first of the days."""
    if not all(":" in value for value in mention.values | own):
        return frozenset({min(mention.values)})
    return frozenset({min(mention.values, key=lambda value: min(_gap(value, wish) for wish in own))})


def _options(offered: Mapping[str, Sequence[Mention]], kinds: Mapping[str, Kind]) -> list[Option]:
    said = sorted(
        ((mention.start, fact, mention) for fact, all_of in offered.items() for mention in all_of), key=lambda s: s[0]
    )
    options: list[Option] = []
    day: Option = {}
    for _, fact, mention in said:
        if kinds[fact] == "day":
            day = {fact: mention}
            options.append(day)
        elif kinds[fact] == "time":
            options = [option for option in options if option is not day]
            options.append(day | {fact: mention})
    return options


def _distance(option: Option, own: Mapping[str, frozenset[str]]) -> tuple[int, int]:
    """Facts that are not as wished, and how far off the time is, in minutes."""
    missed = sum(not (mention.values & own[fact]) for fact, mention in option.items())
    gaps = [
        _gap(value, wish)
        for fact, mention in option.items()
        for value in mention.values
        for wish in own[fact]
        if ":" in value and ":" in wish
    ]
    return missed, min(gaps, default=0)


def _gap(one: str, other: str) -> int:
    return abs(_minutes(one) - _minutes(other))


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
