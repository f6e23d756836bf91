"""Lines from a person or a pipe, for a conversation that is typed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .terminal import Screen


class LineReader:
    """Call it for the next line, without its newline; None at the end of the input. It blocks.

    A pipe is read from its file descriptor: a thread that waits in `sys.stdin.readline` would hold the lock that the
    interpreter needs to exit after Ctrl-C.
    """

    def __init__(self, prompt: str) -> None:
        self._prompt = prompt
        self._rest = b""
        self._ended = False

    def __call__(self) -> str | None:
        return self._typed() if sys.stdin.isatty() else self._piped()

    def _typed(self) -> str | None:
        with suppress(ImportError):  # not on Windows; with it, input() has editing and history
            import readline  # noqa: F401
        try:
            return input(self._prompt)
        except EOFError:
            return None

    def _piped(self) -> str | None:
        while b"\n" not in self._rest and not self._ended:
            more = os.read(sys.stdin.fileno(), 65536)
            self._ended = not more
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        if not line and self._ended and not self._rest:
            return None
        return line.decode("utf-8", errors="replace")


@contextmanager
def terminal_restored() -> Iterator[None]:
    """A call may end while a line is being edited: the terminal is left as it was found."""
    if not sys.stdin.isatty():
        yield
        return
    import termios

    before = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


def prompt(screen: Screen) -> str:
    """'you', where the transcript names its speakers, so that what is typed stands where words stand."""
    who = f"\x01\x1b[1;32m\x02{'you':<6}\x01\x1b[0m\x02" if screen.live else f"{'you':<6}"
    return f"{'':9}{who} "
