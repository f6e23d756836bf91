"""The screen of a call by microphone: the transcript, levels, and what can be typed meanwhile."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .live import LiveTranscript

if TYPE_CHECKING:
    from voicebot.call import Call
    from voicebot.events import CallEnded
    from voicebot.media.duplex import Duplex
    from voicebot.transports.mic import Microphone

    from .terminal import Screen

METER = 12
"""Characters of a level meter, from `_QUIET_DB` to full scale."""
_QUIET_DB = -60.0
_SEQUENCE = re.compile(r"\x1b(\[[0-9;]*[A-Za-z~])?")
"""Arrows and other keys that send more than a character mean nothing here."""
_TAB, _SPACE, _END, _DELETE, _KILL = "\t", " ", "\x04", ("\x7f", "\b"), "\x15"


class Handset(LiveTranscript):
    """A LiveTranscript with level meters, a mute switch and a line to type in.

    `send(text)` gets each typed line, `hang_up()` is Ctrl-D. With `push_to_talk` the microphone is closed until Space.
    """

    def __init__(
        self,
        screen: Screen,
        sound: Duplex,
        send: Callable[[str], None],
        hang_up: Callable[[], None],
        *,
        push_to_talk: bool = False,
    ) -> None:
        super().__init__(screen)
        self._sound = sound
        self._send = send
        self._hang_up = hang_up
        self._push_to_talk = push_to_talk
        self._typed = ""
        self._sound.muted = push_to_talk

    def key(self, character: str) -> None:
        """One key that was pressed."""
        if character == _END:
            self._hang_up()
        elif character == _TAB or (self._push_to_talk and character == _SPACE and not self._typed):
            self._sound.muted = not self._sound.muted
        elif character in "\r\n":
            line, self._typed = self._typed.strip(), ""
            if line:
                self._send(line)
        elif character in _DELETE:
            self._typed = self._typed[:-1]
        elif character == _KILL:
            self._typed = ""
        elif character.isprintable():
            self._typed += character

    def __rich__(self) -> RenderableType:
        foot = Table.grid(padding=(0, 1))
        foot.add_column(width=8)
        foot.add_column()
        foot.add_row("", self._levels())
        foot.add_row("", self._line())
        return Group(super().__rich__(), foot)

    def _levels(self) -> Text:
        microphone = Text("muted".ljust(METER), "bad") if self._sound.muted else meter(self._sound.microphone_db)
        return Text.assemble(("mic ", "dim"), microphone, ("  agent ", "dim"), meter(self._sound.loudspeaker_db))

    def _line(self) -> Text:
        if self._typed:
            return Text.assemble(("> ", "caller"), self._typed, ("▏", "dim"))
        talk = "space: talk / listen" if self._push_to_talk else "tab: mute"
        return Text(f"{talk} · type and enter: say it in writing · ctrl-c: hang up", "dim")


def meter(level_db: float) -> Text:
    """A level as a bar: green, yellow near full scale, red where it clips."""
    full = round(METER * min(1.0, max(0.0, 1 - level_db / _QUIET_DB)))
    style = "bad" if level_db > -3 else "poor" if level_db > -12 else "good"
    return Text.assemble(("▮" * full, style), ("▯" * (METER - full), "dim"))


async def on_the_line(call: Call, handset: Handset, caller: Microphone) -> CallEnded:
    """The whole call, with the keyboard at hand. Ctrl-C hangs up; once more, and the program stops."""
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        caller.hang_up()

    with keys(handset.key):
        with suppress(NotImplementedError):  # Windows: Ctrl-C ends the program, and the call with it
            loop.add_signal_handler(signal.SIGINT, interrupted)
        return await call.run()


@contextmanager
def keys(press: Callable[[str], None]) -> Iterator[None]:
    """While it lasts, each key pressed in the terminal goes to `press` on the running event loop, unechoed."""
    if not sys.stdin.isatty():
        yield
        return
    try:
        import termios
        import tty
    except ImportError:  # Windows: the call works, by voice alone
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    loop = asyncio.get_running_loop()
    tty.setcbreak(sys.stdin)
    loop.add_reader(sys.stdin.fileno(), _read, press)
    try:
        yield
    finally:
        loop.remove_reader(sys.stdin.fileno())
        termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


def _read(press: Callable[[str], None]) -> None:
    with suppress(OSError):  # the terminal was closed: the call's own end follows
        pressed = os.read(sys.stdin.fileno(), 1024).decode(errors="ignore")
        for character in _SEQUENCE.sub("", pressed):
            press(character)
