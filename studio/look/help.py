"""What can be done here: the page's own words, and every key that works on it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static


class Help(ModalScreen[None]):
    """`about` is what the page says of itself; `keys` are (key, what it does) under a heading."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,question_mark,q", "dismiss", "Close")]
    DEFAULT_CSS = """
    Help { align: center middle; background: $background 65%; }
    Help > Vertical { width: 76; max-width: 98%; height: auto; max-height: 96%; background: $surface; padding: 0 1;
                      border: round $primary; border-title-color: $primary; border-title-style: bold;
                      border-subtitle-color: $dim; }
    Help VerticalScroll { height: auto; max-height: 100%; padding: 0 1; }
    Help Static { width: 1fr; height: auto; }
    """

    def __init__(self, title: str, about: str, keys: dict[str, list[tuple[str, str]]]) -> None:
        super().__init__()
        self._title, self._about, self._keys = title, about, keys

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._title
            box.border_subtitle = "esc closes"
            with VerticalScroll():
                yield Static(_words(self._about))
                yield Static(self._table())

    def _table(self) -> Content:
        width = max((len(key) for keys in self._keys.values() for key, _ in keys), default=0)
        lines: list[Content] = []
        for heading, keys in self._keys.items():
            lines += [Content(), Content.styled(heading, "$foreground bold")]
            for key, words in keys:
                lines.append(Content.assemble((f"{key:>{width}}", "$primary bold"), "  ", (words, "$secondary")))
        return Content("\n").join(lines)


def _words(about: str) -> Content:
    """Plain words, with **keys** in them."""
    pieces = about.strip().split("**")
    styled = ((piece, "$primary bold" if i % 2 else "$secondary") for i, piece in enumerate(pieces))
    return Content.assemble(*styled)
