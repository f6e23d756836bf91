"""The table on the screen: a sign a call, and a cursor on one cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from voicebot.evals.case import Case

from .sheet import Column, Outcome, Sheet

SIGNS = {
    "passed": ("✓", "$success"), "failed": ("✗", "$error"), "invalid": ("!", "$warning"),
    "now": ("▸", "$primary"), "waits": ("·", "$dim"),
}  # fmt: skip
"""As on the command line. Colour is never alone."""
_NARROWEST, _WIDEST = 6, 14


class Matrix(Widget, can_focus=True):
    """Arrows move; Enter posts `Picked`, and every move `Moved`, with the cell's cases."""

    class Moved(Message):
        def __init__(self, cases: list[Case]) -> None:
            super().__init__()
            self.cases = cases

    class Picked(Moved):
        """This cell is meant."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(0,-1)", "Up", show=False),
        Binding("down,j", "move(0,1)", "Down", show=False),
        Binding("left,h", "move(-1,0)", "Left", show=False),
        Binding("right,l", "move(1,0)", "Right", show=False),
        Binding("n", "failure", "Next failure"),
        Binding("enter", "pick", "Open"),
    ]
    DEFAULT_CSS = "Matrix { height: 1fr; width: 1fr; }"
    row = reactive(0)
    column = reactive(0)

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.sheet = Sheet([])

    def show(self, sheet: Sheet) -> None:
        """Another table, or the same one when something in it has changed."""
        if sheet is not self.sheet:
            self.sheet = sheet
            self.set_reactive(Matrix.row, 0)
            self.set_reactive(Matrix.column, 0)
            self.post_message(self.Moved(self.cases))
        self.refresh()

    @property
    def cases(self) -> list[Case]:
        """Of the cell under the cursor."""
        sheet = self.sheet
        return sheet.at(sheet.rows[self.row], sheet.columns[self.column]) if sheet.rows else []

    # -- places ------------------------------------------------------------------------------------------------------

    @property
    def _label(self) -> int:
        longest = max((len(name) for name in self.sheet.rows), default=8)
        return min(longest, max(self.size.width // 3, 8)) + 2

    @property
    def _cell(self) -> int:
        names = max((len(self.sheet.title(column)) for column in self.sheet.columns), default=0)
        tries = max(
            (len(self.sheet.at(row, each)) for row in self.sheet.rows for each in self.sheet.columns), default=1
        )
        return max(min(names, _WIDEST), min(tries, _WIDEST), _NARROWEST) + 2

    @property
    def _across(self) -> int:
        return max((self.size.width - self._label) // self._cell, 1)

    @property
    def _down(self) -> int:
        return max(self.size.height - 2, 1)

    def _corner(self) -> tuple[int, int]:
        """(first row, first column) that are shown, so that the cursor is among them."""
        return _first(self.row, self._down, len(self.sheet.rows)), _first(
            self.column, self._across, len(self.sheet.columns)
        )

    # -- drawing -----------------------------------------------------------------------------------------------------

    def render(self) -> RenderResult:
        if not self.sheet.rows:
            return Content()
        top, left = self._corner()
        columns = list(enumerate(self.sheet.columns))[left : left + self._across]
        rows = range(top, min(top + self._down, len(self.sheet.rows)))
        lines = [self._line(number, columns) for number in rows]
        return Content("\n").join([self._heads(columns), *lines, self._more(top, left)])

    def _heads(self, columns: Sequence[tuple[int, Column]]) -> Content:
        line = Content(" " * self._label)
        for number, column in columns:
            head = Content(self.sheet.title(column)).truncate(self._cell - 1, ellipsis=True)
            style = "$primary bold" if number == self.column and self.has_focus else "$dim"
            line = line + Content.styled(f" {head.plain}".ljust(self._cell), style)
        return line

    def _line(self, number: int, columns: Sequence[tuple[int, Column]]) -> Content:
        name = self.sheet.rows[number]
        label = Content(name).truncate(self._label - 2, ellipsis=True).plain
        here = number == self.row
        line = Content.styled(label.ljust(self._label), "$foreground bold" if here else "$secondary")
        for place, column in columns:
            cell = self._signs(self.sheet.at(name, column))
            cell = cell + " " * max(self._cell - cell.cell_length, 0)
            if here and place == self.column:
                look = "$block-cursor-background" if self.has_focus else "$block-cursor-blurred-background"
                cell = cell.stylize_before(f"on {look}")
            line = line + cell
        return line

    def _signs(self, cases: Sequence[Case]) -> Content:
        if not cases:
            return Content()
        room = self._cell - 2
        signs = [_sign(self.sheet.outcome(case)) for case in cases[:room]]
        return Content.assemble(" ", *signs)

    def _more(self, top: int, left: int) -> Content:
        below = len(self.sheet.rows) - top - self._down
        right = len(self.sheet.columns) - left - self._across
        callers = "caller" if right == 1 else "callers"
        words = [f"↓ {below} more" if below > 0 else "", f"→ {right} more {callers}" if right > 0 else ""]
        return Content.styled("   ".join(filter(None, words)), "$dim")

    # -- moving ------------------------------------------------------------------------------------------------------

    def validate_row(self, row: int) -> int:
        return min(max(row, 0), max(len(self.sheet.rows) - 1, 0))

    def validate_column(self, column: int) -> int:
        return min(max(column, 0), max(len(self.sheet.columns) - 1, 0))

    def watch_row(self) -> None:
        self.post_message(self.Moved(self.cases))

    def watch_column(self) -> None:
        self.post_message(self.Moved(self.cases))

    def action_move(self, across: int, down: int) -> None:
        self.column += across
        self.row += down

    def action_failure(self) -> None:
        """To the next cell in which a call failed, or was invalid, or back to the first."""
        sheet = self.sheet
        places = [
            (row, column)
            for row, name in enumerate(sheet.rows)
            for column, head in enumerate(sheet.columns)
            if any(sheet.outcome(case).look in ("failed", "invalid") for case in sheet.at(name, head))
        ]
        if places:
            here = (self.row, self.column)
            self.row, self.column = next((place for place in places if place > here), places[0])

    def action_pick(self) -> None:
        if self.cases:
            self.post_message(self.Picked(self.cases))

    def on_click(self, event: events.Click) -> None:
        top, left = self._corner()
        row, across = top + event.y - 1, event.x - self._label
        if event.y < 1 or across < 0 or row >= len(self.sheet.rows):
            return
        self.row, self.column = row, left + across // self._cell
        if event.chain == 2:
            self.action_pick()


def _first(cursor: int, room: int, of: int) -> int:
    return min(max(cursor - room // 2, 0), max(of - room, 0))


def _sign(outcome: Outcome) -> tuple[str, str]:
    sign, style = SIGNS[outcome.look]
    return (sign, f"{style} 50%") if outcome.earlier else (sign, style)
