"""A transcript on the screen: of a call that goes on, or of one that was recorded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from voicebot.events import Event

from .bars import latency
from .script import Row, Script, clock

_WIDE = 56
"""From this width on there are columns for the time and the speaker."""
_NAMES = {"caller": "you", "agent": "agent", "tool": "⚙"}
_COLOURS = {"caller": "$caller", "agent": "$agent", "tool": "$tool", "poor": "$warning", "bad": "$error"}


class Line(Widget):
    """One row, wrapped under itself."""

    DEFAULT_CSS = """
    Line { height: auto; width: 1fr; padding: 0 1; }
    Line.-agent { margin-bottom: 1; }
    Line.-chosen { background: $block-cursor-background; }
    Line.-earlier { opacity: 60%; }
    """

    def __init__(self, row: Row, caller: str) -> None:
        super().__init__(classes=f"-{row.who}")
        self.row = row
        self._caller = caller

    def update(self) -> None:
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> RenderResult:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        head = self._head(width >= _WIDE)
        indent = head.cell_length
        wrapped = self._words().wrap(max(width - indent, 8)) or [Content()]
        return [head + wrapped[0], *(Content(" " * indent) + line for line in wrapped[1:])]

    def _head(self, wide: bool) -> Content:
        row = self.row
        name = self._caller if row.who == "caller" else _NAMES.get(row.who, "")
        colour = f"{_COLOURS.get(row.who, '$dim')} bold"
        if not wide:
            return Content.styled(f"{name:<7}", colour)
        stamp = clock(row.t_ms) if row.t_ms is not None and row.who in ("caller", "agent") else ""
        return Content.assemble((f"{stamp:<9}", "$dim"), (f"{name:>7}", colour), "  ")

    def _words(self) -> Content:
        row = self.row
        if row.who in ("note", "poor", "bad", "tool"):
            going_on = Content.styled(" …", "$dim") if row.going_on else Content()
            return Content.styled(row.text, _COLOURS.get(row.who, "$dim italic")) + going_on
        parts: list[Content | str | tuple[str, str]] = [(row.text, "$foreground")]
        if row.interim:
            parts.append((f" {row.interim}".lstrip() if not row.text else f" {row.interim}", "$dim italic"))
        if row.going_on:
            parts.append((" ▍", _COLOURS[row.who]))
        if row.cut:
            parts += [(" ✂ ", "$error"), (row.lost, "$dim strike")]
        if row.fall:
            parts += ["  ", latency(row.fall)]
        return Content.assemble(*parts)


class TranscriptView(VerticalScroll, can_focus=True):
    """All rows of a call. Up and down choose a turn of the caller's; Enter posts `Picked` for it.

    It follows the last words until somebody scrolls up, and again when they are back at the end.
    """

    class Picked(Message):
        """A turn was chosen with Enter or a double click."""

        def __init__(self, turn: int) -> None:
            super().__init__()
            self.turn = turn

    class Moved(Message):
        """Another turn is under the cursor; None when it was let go."""

        def __init__(self, turn: int | None) -> None:
            super().__init__()
            self.turn = turn

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "Earlier turn", show=False),
        Binding("down,j", "choose(1)", "Later turn", show=False),
        Binding("enter", "pick", "Choose this turn", show=False),
    ]
    DEFAULT_CSS = """
    TranscriptView { height: 1fr; width: 1fr; scrollbar-size-vertical: 1; }
    """
    chosen: reactive[int | None] = reactive(None)
    """The caller's turn under the cursor."""

    def __init__(self, caller: str = "you", id: str | None = None) -> None:
        """`caller` is what the caller is called in front of their words."""
        super().__init__(id=id)
        self.script = Script()
        self._caller = caller
        self._lines: dict[int, Line] = {}
        self._follows = False

    @property
    def turns(self) -> list[int]:
        """The caller's turns that are over."""
        return [row.turn for row in self.script.rows if row.who == "caller" and not row.going_on and row.turn > 0]

    def feed(self, event: Event) -> None:
        """The next event of a call that goes on."""
        if not self._follows:
            self._follows = True
            self.anchor()  # until the user scrolls up, and again when they are back at the end
        self._show(self.script.feed(event))

    def load(self, happened: Iterable[Event]) -> None:
        """A whole call at once, from its beginning; what was shown is gone."""
        self.clear()
        self._follows = False
        self.anchor(False)
        for event in happened:
            self.script.feed(event)
        self._show(self.script.rows)

    def clear(self) -> None:
        self.script, self.chosen, self._lines = Script(), None, {}
        self.remove_children()

    def at(self, t_ms: float) -> None:
        """Mark what is spoken at this moment of the call, and bring it into view: the playhead is there."""
        row = self.script.at(t_ms)
        for each in self._lines.values():
            each.set_class(each.row is row, "-chosen")
        if row is not None and id(row) in self._lines:
            self._lines[id(row)].scroll_visible(animate=False)

    def turn_over(self, said: str) -> None:
        """What is shown so far was said in another call; `said` is the line between it and what follows."""
        self.chosen = None
        for line in self._lines.values():
            line.add_class("-earlier")
        self.script = self.script.turn_over(said)
        self._show(self.script.rows[-1:])

    def _show(self, rows: list[Row]) -> None:
        fresh: dict[int, Line] = {}
        for row in rows:
            if line := self._lines.get(id(row)) or fresh.get(id(row)):
                line.update()
            else:
                fresh[id(row)] = Line(row, self._caller)
        if fresh:
            self._lines |= fresh
            self.mount_all(fresh.values())

    def action_choose(self, step: int) -> None:
        turns = self.turns
        if not turns:
            self.scroll_relative(y=step, animate=False)
            return
        here = turns.index(self.chosen) if self.chosen in turns else len(turns) if step < 0 else -1
        self.chosen = turns[min(max(here + step, 0), len(turns) - 1)]

    def action_pick(self) -> None:
        if self.chosen is not None:
            self.post_message(self.Picked(self.chosen))

    def watch_chosen(self, turn: int | None) -> None:
        for line in self._lines.values():
            is_it = turn is not None and line.row.turn == turn and line.row.who == "caller"
            line.set_class(is_it, "-chosen")
            if is_it:
                line.scroll_visible(animate=False)
        self.post_message(self.Moved(turn))
