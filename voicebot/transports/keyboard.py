"""A caller who types: one line is one turn. Works the same in a terminal and in a pipe."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from voicebot.events import AgentSpeechStopped, Event
from voicebot.transports import Ear, HangUp


class Keyboard:
    """Reads turns with `read_line()`, which blocks and returns None at the end of the input.

    The next line is asked for when the agent has answered the last one: subscribe `on_event` to the call.
    """

    name = "keyboard"
    caller = "keyboard"
    rate_hz = 0

    def __init__(self, read_line: Callable[[], str | None]) -> None:
        self._read_line = read_line
        self._answered = asyncio.Event()

    def on_event(self, event: Event) -> None:
        if isinstance(event, AgentSpeechStopped):
            self._answered.set()

    async def run(self, ear: Ear) -> HangUp:
        while True:
            await self._answered.wait()
            line = await self._next_line()
            if line is None:
                return "input_ended"
            if line.strip():
                self._answered.clear()
                ear.text(line.strip())

    async def _next_line(self) -> str | None:
        """A line, read in a thread that dies with the process: a read from a terminal cannot be cancelled."""
        loop = asyncio.get_running_loop()
        line: asyncio.Future[str | None] = loop.create_future()

        def deliver(text: str | None) -> None:
            if not line.done():
                line.set_result(text)

        def read() -> None:
            text = self._read_line()
            loop.call_soon_threadsafe(deliver, text)

        threading.Thread(target=read, name="keyboard", daemon=True).start()
        return await line

    def play(self, pcm: bytes) -> None:
        """There is no sound in a typed conversation."""

    def clear(self) -> None:
        """There is no sound in a typed conversation."""

    def played(self) -> int:
        return 0
