"""What there is to say about one cell of a suite, as rows: its calls, and what their checks found."""

from __future__ import annotations

from textual.content import Content

from voicebot.studio.look.rows import Column
from voicebot.studio.look.script import clock

from .matrix import SIGNS
from .sheet import Entry


def key(entry: Entry) -> object:
    return entry.case.id, entry.finding.check if entry.finding else ""


def _sign(entry: Entry) -> Content:
    return Content() if entry.finding else Content.styled(*SIGNS[entry.look])


def _what(entry: Entry) -> Content:
    if entry.finding:
        return Content.assemble("  ", (f"{entry.finding.stage} ", "$error"), entry.finding.says)
    return Content.assemble((f"#{entry.case.seed} ", "$dim"), (entry.says, "$secondary"))


def _at(entry: Entry) -> Content:
    at_ms = entry.finding.at_ms if entry.finding else None
    return Content.styled(clock(at_ms) if at_ms is not None else "", "$primary")


COLUMNS = (
    Column[Entry]("", _sign, 1),
    Column[Entry]("this cell", _what),
    Column[Entry]("at", _at, 8, right=True),
)
