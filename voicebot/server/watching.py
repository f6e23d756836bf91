"""The events of a running call, for whoever comes to watch: from the first one on, while they happen.

The last ones are in memory, older ones in the call's record. Nobody who watches can hold up the call: who does not
keep up is told so and left behind.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from voicebot.events import Event, parse
from voicebot.store.record import EVENTS

_REMEMBERED = 256
"""Events in memory. Older ones are on the disk by then."""
_MOST_WAITING = 1000


@dataclass(frozen=True)
class Told:
    """One event as it is sent on."""

    number: int
    """Its line in the record, counted from 1."""
    type: str
    line: str
    """The event as JSON."""


class TooSlow(Exception):
    """A watcher did not keep up with the call. It may go on behind the last event that it has."""


class Watching:
    """Of one call; `folder` is that of its record, if it has one."""

    def __init__(self, folder: Path | None) -> None:
        self.count = 0
        """Events so far."""
        self._folder = folder
        self._last: deque[Event] = deque(maxlen=_REMEMBERED)
        self._queues: set[asyncio.Queue[tuple[int, Event] | None]] = set()
        self._over = False

    def tell(self, event: Event) -> None:
        self.count += 1
        self._last.append(event)
        for queue in self._queues:
            if not queue.full():  # else the watcher misses a number, and knows
                queue.put_nowait((self.count, event))

    def over(self) -> None:
        """There will be no more."""
        self._over = True
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    async def watch(self, after: int = 0) -> AsyncGenerator[Told, None]:
        """The events behind the `after`-th, until the call is over. Raises TooSlow."""
        queue: asyncio.Queue[tuple[int, Event] | None] = asyncio.Queue(_MOST_WAITING)
        self._queues.add(queue)
        try:
            remembered = list(self._last)
            begins = self.count - len(remembered)
            over = self._over
            for told in await self._kept(after, begins):
                yield told
            for number, event in enumerate(remembered, begins + 1):
                if number > after:
                    yield _told(number, event)
            expected = begins + len(remembered) + 1
            while not over and (item := await queue.get()) is not None:
                number, event = item
                if number != expected:
                    raise TooSlow
                expected += 1
                if number > after:
                    yield _told(number, event)
        finally:
            self._queues.discard(queue)

    async def _kept(self, after: int, until: int) -> list[Told]:
        """Events of the record: those behind the `after`-th, up to the `until`-th."""
        if self._folder is None or after >= until:
            return []
        return await asyncio.get_running_loop().run_in_executor(None, read, self._folder / EVENTS, after, until)


def read(path: Path, after: int = 0, until: int | None = None) -> list[Told]:
    """The events in a record, as `Watching.watch` tells them; a line cut in half is none. It blocks."""
    with path.open(encoding="utf-8") as lines:
        numbered = [
            (number, line.rstrip("\n")) for number, line in enumerate(islice(lines, until), 1) if number > after
        ]
    told = []
    for number, line in numbered:
        try:
            told.append(Told(number, parse(line).type, line))
        except ValueError:
            continue
    return told


def _told(number: int, event: Event) -> Told:
    return Told(number, event.type, event.model_dump_json())
