"""What `voicebot phone dev` shows: where the agent can be reached, each call as it goes, and where its time went."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from loguru import logger
from rich.table import Table
from rich.text import Text

from voicebot import events
from voicebot.latency import waterfalls

from . import waterfall
from .live import LiveTranscript
from .terminal import Screen
from .transcript import Transcript

if TYPE_CHECKING:
    from voicebot.server.state import CallRow
    from voicebot.telephony.pointed import Back

Face = Callable[[events.Event], None]


class Calls:
    """The calls of a server, in one terminal: of several at once the first one moves, the others are lines."""

    def __init__(self, screen: Screen, *, as_json: bool = False) -> None:
        self.count = 0
        self._screen = screen
        self._as_json = as_json
        self._moving: LiveTranscript | None = None
        self.failed = ""
        """Why the last call has failed; '' when it has not."""

    def watch(self, row: CallRow) -> Sequence[Face]:
        """For the desk of a server."""
        self.count += 1
        return [_Lines(row.id) if self._as_json else self._shown(row), self._note]

    def _note(self, event: events.Event) -> None:
        if isinstance(event, events.CallEnded):
            self.failed = event.detail if event.reason == "failed" else ""

    def _shown(self, row: CallRow) -> Face:
        if self._moving is None:
            self._moving = LiveTranscript(self._screen)
            self._moving.__enter__()
            return _Call(self._screen, row, self._moving, self._over)
        return _Call(self._screen, row, Transcript(self._screen), lambda: None)

    def _over(self) -> None:
        self.close()

    def close(self) -> None:
        """The terminal is as it was."""
        if self._moving:
            self._moving.__exit__(None, None, None)
            self._moving = None


class _Call:
    """One call's face: its transcript, and its waterfall when it is over."""

    def __init__(self, screen: Screen, row: CallRow, transcript: Transcript, over: Callable[[], None]) -> None:
        self._screen = screen
        self._row = row
        self._transcript = transcript
        self._over = over
        self._events: list[events.Event] = []

    def __call__(self, event: events.Event) -> None:
        self._events.append(event)
        self._transcript(event)
        if isinstance(event, events.CallEnded):
            self._over()
            self._screen.data()
            self._screen.data(waterfall.report(waterfalls(self._events), self._screen.out))
            self._screen.talk(f"voicebot calls show {self._row.id}\n", "dim")
            self._events.clear()


class _Lines:
    """Each event as one line of JSON, with its call's id."""

    def __init__(self, call: str) -> None:
        self._call = call

    def __call__(self, event: events.Event) -> None:
        sys.stdout.write(json.dumps({"call": self._call, **event.model_dump(mode="json")}) + "\n")
        sys.stdout.flush()


def warn_of(screen: Screen) -> None:
    """Say what the server warns of, such as an unsigned request; with --debug it says everything by itself."""
    if os.environ.get("LOGURU_AUTOINIT") != "0":
        return
    logger.remove()
    logger.add(lambda message: screen.warn(message.record["message"]), level="WARNING", filter="voicebot")


def ready(screen: Screen, number: str, agent: str, url: str, was: str) -> None:
    """It can be called."""
    if screen.quiet:
        return
    table = Table.grid(padding=(0, 2))
    table.add_row(Text("call", "agent"), Text.assemble((number, "bold"), f"   {agent} answers on this machine"))
    table.add_row("by", Text(url))
    table.add_row("until", Text.assemble("Ctrl-C; then it is answered again by ", (was or "nobody", "dim")))
    screen.talk()
    screen.err.print(table)
    screen.talk()


def back(screen: Screen, back: Back | None, *, late: bool = False) -> None:
    """What became of a number that was lent; `late`: by somebody who could not give it back."""
    if back is None:
        screen.warn("the number still points here. Give it back with: voicebot phone dev --restore")
        return
    earlier = " (a 'phone dev' that was killed had left it)" if late else ""
    if back.how == "restored":
        screen.talk(f"{back.number} is answered again by {back.answered_by or 'nobody'}{earlier}.")
    elif back.how == "left alone":
        screen.talk(f"{back.number} was pointed elsewhere meanwhile, to {back.answered_by or 'nobody'}: left as it is.")
    else:
        screen.talk(f"{back.number} is not in this account any more.")
