"""A difference between two texts, to be read and closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static


class Difference(ModalScreen[None]):
    """`lines` as `diff -u` writes them."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,d,q,enter", "dismiss", "Close")]
    DEFAULT_CSS = """
    Difference { align: center middle; background: $background 65%; }
    Difference > Vertical { width: 110; max-width: 98%; height: auto; max-height: 94%; background: $surface;
                            padding: 0 1; border: round $primary; border-title-color: $primary;
                            border-title-style: bold; border-subtitle-color: $dim; }
    Difference VerticalScroll { height: auto; max-height: 100%; }
    Difference Static { width: auto; min-width: 100%; height: auto; }
    """

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._title, self._lines_of = title, lines

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._title
            box.border_subtitle = "esc closes"
            with VerticalScroll():
                yield Static(Content("\n").join(_coloured(line) for line in self._lines_of[2:]))


def _coloured(line: str) -> Content:
    if line.startswith("@@"):
        return Content.styled(line, "$dim")
    if line.startswith("+"):
        return Content.styled(line, "$success on $success 10%")
    return Content.styled(line, "$error on $error 10%") if line.startswith("-") else Content.styled(line, "$secondary")
