"""All calls of a project as the list shows them: from the facts that the store keeps, and the words it can search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voicebot.errors import BadInput
from voicebot.store import calls as records
from voicebot.store import kept
from voicebot.store.words import Words

from .query import Query

_ROWS = """
select call, agent, caller, transport, started_at, duration_s, turns,
    list_aggregate(v2v_ms, 'quantile_cont', 0.5), outcome, ended, cost_usd
from facts order by started_at desc, call desc
"""


@dataclass(frozen=True)
class Card:
    """One call in the list. Of a call whose facts are not read yet, or cannot be read, only the name is known."""

    call: str
    agent: str = ""
    caller: str = ""
    transport: str = ""
    started_at: str = ""
    duration_s: float | None = None
    turns: int = 0
    p50_ms: float | None = None
    outcome: str | None = None
    ended: str | None = None
    cost_usd: float | None = None
    readable: bool = True
    found: str = ""
    """The line that a search found; without one, what the caller said first."""


class Shelf:
    """Of one project. Its methods block: they are for a worker."""

    def __init__(self, project: Path) -> None:
        try:
            self.folder = records.folder_of(project)
        except BadInput:  # no call was made here yet
            self.folder = project / "calls"
        self._words = Words(self.folder)
        self._cards: list[Card] = []
        self._stamps: dict[str, kept.Stamp] = {}
        self.count = 0
        """How many calls there are."""

    def changed(self) -> bool:
        """Whether calls have come, gone or grown since `load`."""
        return kept.stamps(self.folder) != self._stamps

    def names(self) -> list[Card]:
        """What can be said at once: which calls there are, by their names, which begin with their dates."""
        names = sorted(kept.stamps(self.folder), reverse=True)
        self.count = len(names)
        return [Card(name) for name in names]

    def load(self) -> list[Card]:
        """All calls, the latest first; those without a readable beginning last. Raises BadInput."""
        there = self._stamps = kept.stamps(self.folder)
        with kept.connect(self.folder) as db:
            self._cards = [Card(*row) for row in db.execute(_ROWS).fetchall()]
        known = {card.call for card in self._cards}
        broken = sorted(there.keys() - known, reverse=True)
        self._cards += [Card(name, readable=False) for name in broken]
        self.count = len(self._cards)
        return self._cards

    def read_words(self) -> None:
        """So that a search finds what was said; the first time this reads every call."""
        self._words.read()

    def search(self, query: Query) -> list[Card]:
        """The calls that fit, each with the line that was found."""
        cards = [card for card in self._cards if query.fits(card)]
        if not query.words:
            return [_with(card, self._words.openings.get(card.call, "")) for card in cards]
        found = self._words.having(query.words)
        return [_with(card, found[card.call]) for card in cards if card.call in found]


def _with(card: Card, line: str) -> Card:
    return Card(**{**card.__dict__, "found": " ".join(line.split())})


def counted(cards: Sequence[Card], of: int) -> str:
    """'12 of 5000 calls'."""
    whole = f"{of} call{'' if of == 1 else 's'}"
    return whole if len(cards) == of else f"{len(cards)} of {whole}"
