"""What is kept word for word of the turns that a model no longer sees: once each, and as last corrected.

A correction is believed where it can be seen: the caller says so ("sorry", "not 0123", "I meant", "my number is"
again) and says a value of the same kind, of the same owner. The value it replaces is taken out wherever it stands;
whatever is in doubt stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from voicebot.brain.memory.facts import Kind, Mark, Quote
from voicebot.brain.memory.meter import estimated_tokens

LEFT_OUT = "…"
"""Stands in a quote for a value that was corrected later."""
_RANKS: dict[Kind, int] = {"name": 0, "phone": 0, "email": 0, "redacted": 0, "spelled": 0, "code": 1, "detail": 1,
                           "date": 2, "time": 2, "number": 3}  # fmt: skip
"""What is given up last has the lowest."""
_DEAR = 1
"""Up to this rank, what does not fit in its words is listed without them."""
_AGENT_RANK = 4
_UNITS_AT_LEAST = 4
"""Letters of the word after a number, from which on it says what was counted."""


@dataclass(frozen=True)
class Kept:
    """A quote as it is listed."""

    text: str
    """With `LEFT_OUT` for values that no longer hold."""
    values: str
    """The values alone."""
    side: str
    corrected: bool
    rank: int

    def shown(self, *, whole: bool) -> str:
        return f'"{self.text if whole else self.values}"{" (corrected)" if self.corrected else ""}'


@dataclass(frozen=True)
class Verbatim:
    """The quotes of a conversation, sifted."""

    kept: tuple[Kept, ...]
    replaced: frozenset[str]
    """Values that were corrected and hold no longer."""


def sifted(quotes: Sequence[Quote], listed: int | None = None) -> Verbatim:
    """What of the first `listed` quotes is worth keeping (default: all), by what all of them say."""
    sieve = _Sieve()
    for place, quote in enumerate(quotes):
        sieve.take(place, quote)
    return Verbatim(tuple(sieve.kept(quotes[:listed])), frozenset(sieve.replaced))


class _Sieve:
    """Which values of which quotes hold."""

    def __init__(self) -> None:
        self.replaced: set[str] = set()
        self._holds: dict[tuple[int, int], Mark] = {}
        """Values that hold, by (quote, mark)."""
        self._callers: list[Mark] = []
        """What the caller has said."""
        self._last_agents: list[Mark] = []
        """What the agent has said right before."""
        self._corrected: set[int] = set()

    def take(self, place: int, quote: Quote) -> None:
        for value in quote.denied:
            self._replace(value, place)
        if quote.corrects or quote.anew:
            for old in [self._older(mark, quote) for mark in quote.marks if mark.value not in quote.denied]:
                if old:
                    self._replace(old, place)
        for number, mark in enumerate(quote.marks):
            wrong = quote.side == "agent" and mark.value in self.replaced
            if mark.value not in quote.denied and not wrong:
                self._holds[place, number] = mark
                self.replaced.discard(mark.value)
        if quote.side == "caller":
            self._callers += quote.marks
        self._last_agents = [*self._last_agents, *quote.marks] if quote.side == "agent" else []

    def _older(self, new: Mark, quote: Quote) -> str | None:
        """The value that a corrected one replaces: the last one of the same kind and owner. What the agent has just
        read back, only when the caller objects to it."""
        if new.kind == "number" and len(new.owner) < _UNITS_AT_LEAST:
            return None
        said = [*self._callers, *self._last_agents] if quote.corrects else self._callers
        alike = (mark for mark in reversed(said) if mark.kind == new.kind and mark.owner == new.owner)
        last = next((mark for mark in alike if mark.value not in self.replaced), None)
        return last.value if last and not _same(last, new) else None

    def _replace(self, value: str, place: int) -> None:
        gone = [where for where, mark in self._holds.items() if mark.value == value]
        for where in gone:
            del self._holds[where]
        if gone:
            self.replaced.add(value)
            self._corrected.add(place)

    def kept(self, quotes: Sequence[Quote]) -> Iterator[Kept]:
        """The quotes with a value that holds and that no quote before has; the caller's words before the agent's."""
        listed = _Values()
        chosen: set[int] = set()
        for place in sorted(range(len(quotes)), key=lambda place: (quotes[place].side == "agent", place)):
            marks = [mark for number, mark in enumerate(quotes[place].marks) if (place, number) in self._holds]
            if not all(mark in listed for mark in marks):
                chosen.add(place)
            listed.update(marks)
        yield from (self._shown(place, quotes[place]) for place in sorted(chosen))

    def _shown(self, place: int, quote: Quote) -> Kept:
        text, values, ranks = quote.text, list[str](), list[int]()
        for number in range(len(quote.marks) - 1, -1, -1):
            mark = quote.marks[number]
            if (place, number) in self._holds:
                values.insert(0, quote.text[mark.start : mark.end])
                ranks.append(_RANKS[mark.kind])
            else:
                text = text[: mark.start] + LEFT_OUT + text[mark.end :]
        rank = _AGENT_RANK if quote.side == "agent" else min(ranks)
        return Kept(text, ", ".join(values), quote.side, place in self._corrected, rank)


class _Values:
    """A set of values."""

    def __init__(self) -> None:
        self._values: set[tuple[Kind, str]] = set()
        self._phones: list[Mark] = []

    def update(self, marks: Iterable[Mark]) -> None:
        for mark in marks:
            self._values.add((mark.kind, mark.value))
            self._phones += [mark] if mark.kind == "phone" else []

    def __contains__(self, mark: Mark) -> bool:
        return (mark.kind, mark.value) in self._values or any(_same(mark, phone) for phone in self._phones)


def _same(one: Mark, other: Mark) -> bool:
    """The same value; of phone numbers, also with and without the code of the country or area."""
    if one.kind == other.kind == "phone":
        return one.value.endswith(other.value) or other.value.endswith(one.value)
    return one.kind == other.kind and one.value == other.value


def fitting(kept: Iterable[Kept], limit: int) -> tuple[list[str], list[str]]:
    """(the caller's quotes, the agent's) in at most `limit` tokens, in the order in which they were said.

    When there are too many, the least important ones are left out, the oldest first; of those that matter most the
    values alone are listed before that.
    """
    everything = list(kept)
    dear = [each for each in everything if each.rank <= _DEAR]
    whole = sum(map(_tokens, (each.shown(whole=True) for each in dear))) <= limit
    chosen: dict[int, str] = {}
    for place in sorted(range(len(everything)), key=lambda place: (everything[place].rank, -place)):
        text = everything[place].shown(whole=whole or everything[place].rank > _DEAR)
        if _tokens(text) <= limit:
            chosen[place] = text
            limit -= _tokens(text)
    shown = [(everything[place].side, chosen[place]) for place in sorted(chosen)]
    return [text for side, text in shown if side == "caller"], [text for side, text in shown if side == "agent"]


def _tokens(text: str) -> int:
    return estimated_tokens(text) + 1
