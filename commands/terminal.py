"""What commands print with: data on stdout, talk on stderr, colours and a live screen only on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NoReturn

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

THEME = Theme(
    {
        "agent": "bold cyan",
        "caller": "bold green",
        "tool": "yellow",
        "time": "dim",
        "note": "dim italic",
        "cut": "dim strike",
        "good": "green",
        "poor": "yellow",
        "bad": "bold red",
        "stage.silence": "grey42",
        "stage.stt": "green3",
        "stage.turn": "dark_orange",
        "stage.turn.waiting": "grey50",
        "stage.brain": "magenta",
        "stage.clause": "medium_purple3",
        "stage.voice": "deep_sky_blue2",
        "stage.playback": "gold3",
    }
)


class _Pipe(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Whoever read our output has left (`| head`); main() ends the program without a word."""
        raise BrokenPipeError


class Screen:
    """The two streams of one command. `data` goes to stdout, `talk` and `warn` to stderr."""

    def __init__(self, *, quiet: bool = False, no_color: bool = False) -> None:
        colours: dict[str, Any] = {"theme": THEME, "highlight": False, "emoji": False, "no_color": no_color or None}
        self.quiet = quiet
        self.out: Console = _Pipe(**colours)
        self.err: Console = _Pipe(stderr=True, **colours)
        self.live = self.out.is_terminal and not self.out.is_dumb_terminal and not no_color
        """Whether lines may move: a terminal, and nobody asked for plain output."""

    def data(self, what: RenderableType = "") -> None:
        """The result: shown whatever the flags say, never cut to the width of a pipe."""
        self.out.print(what, soft_wrap=not self.out.is_terminal)

    def plain(self, text: str) -> None:
        """Text that is a file: as it is, also on a terminal."""
        self.out.file.write(text)

    def talk(self, sentence: str | Text = "", style: str = "") -> None:
        """What a person may like to know, as it is (no markup); --quiet leaves it out."""
        if not self.quiet:
            self.err.print(Text(sentence, style) if isinstance(sentence, str) else sentence, soft_wrap=True)

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """A spinner on a terminal while something slow is under way."""
        shown = self.err.is_terminal and self.live and not self.quiet
        return self.err.status(Text(what, "dim"), spinner="dots") if shown else nullcontext()

    def warn(self, sentence: str) -> None:
        self.err.print(Text.assemble(("warning:", "poor"), " ", sentence), soft_wrap=True)

    def json(self, value: Any) -> None:
        """One JSON document on stdout, plain whatever the terminal."""
        json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=str)
        sys.stdout.write("\n")

    def table(
        self, headers: Iterable[str], rows: Iterable[Iterable[RenderableType]], *, right: Iterable[str] = ()
    ) -> None:
        """Columns on a terminal; in a pipe, tab-separated lines without a heading to skip."""
        headers, right = list(headers), set(right)
        if not self.out.is_terminal:
            for row in rows:
                self.out.file.write("\t".join(_plain(cell) for cell in row) + "\n")
            return
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for header in headers:
            table.add_column(header, justify="right" if header in right else "left", overflow="ellipsis", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        self.out.print(table)


def _plain(cell: RenderableType) -> str:
    text = Text.from_markup(cell).plain if isinstance(cell, str) else str(cell)
    return text.replace("\t", " ").replace("\n", " ")
