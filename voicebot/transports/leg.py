"""A call over a websocket, whatever the other side's dialect: a `Transport`.

    line = await twilio.answer(socket)
    try:
        await Call(agent, line).run()
    finally:
        await line.hang_up()

The agent's audio goes out as soon as it is there and is buffered by the other side; a barge-in clears it, and marks
tell what was heard. The caller's audio is taken in one plain call per message. A message that cannot be understood is
left out and counted; too many of them, a broken connection and a line that has gone dead end the call, with an error
that says so in its record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from loguru import logger

from voicebot.media.playback import Playback
from voicebot.transports import Ear, HangUp
from voicebot.transports.dialect import (
    GOOD_BYE,
    MOST_BYTES,
    VIOLATION,
    Audio,
    Dialect,
    Keys,
    LineLost,
    Marked,
    Message,
    Misread,
    ProtocolError,
    Pushing,
    Said,
    Socket,
    SocketClosed,
    TakesKeys,
)
from voicebot.transports.order import Order
from voicebot.transports.outbox import Outbox

MOST_FAULTS = 100
"""Messages that may make no sense within `DEAD_S` before the other side is taken to speak something else."""
DEAD_S = 15.0
"""Callers send audio all the time: a line on which nothing has come for so long (to twice as long: it is looked at that
often) is broken, though nobody said so."""
_PIECE_S = 0.4
"""Audio in one message, and between two marks."""
_PLENTY_S = 0.5
"""With so much still to be heard, new audio may wait for company ..."""
_GATHER_S = 0.1
"""... for so long."""
_GOODBYE_S = 1.0
"""Whoever takes nothing for so long when the call is over is not waited for."""


class Leg:
    """One call's. `caller` may be set until the call begins."""

    def __init__(self, socket: Socket, dialect: Dialect, caller: str = "") -> None:
        self.name = dialect.name
        self.caller = caller
        self.rate_hz = dialect.rate_hz
        self.faults = 0
        """Messages that were left out."""
        self._new_faults = 0
        self._socket = socket
        self._dialect = dialect
        self._playback = Playback(dialect.rate_hz)
        self._order = Order(dialect.rate_hz, asyncio.get_running_loop().time())
        self._outbox = Outbox()
        self._pcm = bytearray()
        """The agent's audio that waits for company."""
        self._flush_timer: asyncio.Handle | None = None
        self._sent = False
        """Whether the other side may hold audio."""
        self._over: asyncio.Future[HangUp] = asyncio.get_running_loop().create_future()
        self._came = 0
        self._violated = False

    # -- the caller's side -------------------------------------------------------------------------------------------

    async def run(self, ear: Ear) -> HangUp:
        """Raises LineLost, ProtocolError."""
        self._ear = ear
        tasks = [asyncio.create_task(self._send())]
        if isinstance(self._socket, Pushing):
            self._socket.listen(self._take, self._lost)
        else:
            tasks.append(asyncio.create_task(self._receive()))
        watch = asyncio.create_task(self._watch())
        try:
            return await self._over
        finally:
            self._outbox.closed = True
            for task in (*tasks, watch):
                task.cancel()
            await asyncio.gather(*tasks, watch, return_exceptions=True)

    async def _receive(self) -> None:
        try:
            while True:
                self._take(await self._socket.receive())
        except SocketClosed as closed:
            self._lost(closed)

    async def _watch(self) -> None:
        came = -1
        while came != self._came:
            came, self._new_faults = self._came, 0
            await asyncio.sleep(DEAD_S)
        self._fail(LineLost(f"the line went dead: nothing came for {DEAD_S:.0f} s"))

    def _lost(self, closed: SocketClosed) -> None:
        if closed.clean:
            self._end("caller_hung_up")
        else:
            self._fail(LineLost(f"the line was cut ({closed})"))

    def _take(self, message: Message) -> None:
        """One message. A plain call, and the only thing that happens 50 times a second in a call."""
        if self._over.done():
            return
        self._came += 1
        try:
            if len(message) > MOST_BYTES:
                raise Misread(f"a message of {len(message)} bytes")
            if (said := self._dialect.read(message)) is not None:
                self._hear(said)
        except Misread as fault:
            self._leave_out(fault)
        except Exception as error:  # noqa: BLE001 - whatever breaks ends the call; it is raised where `run` is awaited
            self._fail(error)

    def _hear(self, said: Said) -> None:
        if isinstance(said, Audio):
            self._ear.audio(self._order.admit(said, asyncio.get_running_loop().time()))
        elif isinstance(said, Marked):
            self._playback.marked(said.name)
        elif not isinstance(said, Keys):
            self._end("caller_hung_up")
        elif isinstance(self._ear, TakesKeys):
            self._ear.keys(said.keys)

    def _leave_out(self, fault: Misread) -> None:
        self.faults += 1
        self._new_faults += 1
        if self.faults == 1:
            logger.debug(f"{self.name}: a message was left out: {fault}")
        if self._new_faults > MOST_FAULTS:
            self._fail(ProtocolError(f"too many messages on the {self.name} line cannot be used, such as {fault}"))

    def _end(self, how: HangUp) -> None:
        if not self._over.done():
            self._over.set_result(how)

    def _fail(self, error: Exception) -> None:
        if not self._over.done():
            self._violated = isinstance(error, ProtocolError)
            self._over.set_exception(error)
            self._over.exception()  # marked as seen: the call may have ended before anybody waits for it

    # -- the agent's side --------------------------------------------------------------------------------------------

    def play(self, pcm: bytes) -> None:
        if not pcm:
            return
        plenty = self._playback.backlog_s > _PLENTY_S
        self._playback.play(len(pcm) // 2)
        self._pcm += pcm
        if self._flush_timer is None:
            loop = asyncio.get_running_loop()
            self._flush_timer = loop.call_later(_GATHER_S, self._flush) if plenty else loop.call_soon(self._flush)

    def clear(self) -> None:
        self._playback.clear()
        self._pcm.clear()
        self._outbox.silence()
        if self._sent:
            self._sent = False
            self.tell(self._dialect.clear())

    def played(self) -> int:
        return self._playback.played()

    def tell(self, message: Message, *, sound: bool = False) -> None:
        """Send a message; `sound` is taken back by `clear` while it has not left. Ignored when the call is over."""
        try:
            self._outbox.put(message, sound=sound)
        except LineLost as error:
            self._fail(error)

    def _flush(self) -> None:
        self._flush_timer = None
        size = 2 * round(_PIECE_S * self.rate_hz)
        while self._pcm:
            piece = bytes(self._pcm[:size])
            del self._pcm[:size]
            self._sent = True
            self.tell(self._dialect.audio(piece), sound=True)
            if self._dialect.marks:
                name = self._playback.mark(behind=len(self._pcm) // 2)
                self.tell(self._dialect.mark(name), sound=True)

    async def _send(self) -> None:
        try:
            await self._outbox.send_to(self._socket)
        except SocketClosed as closed:
            self._lost(closed)

    async def hang_up(self) -> None:
        """Close the line, after the call or before it. The caller hears no more; idempotent."""
        self._outbox.closed = True
        self._end("interrupted")
        if self._violated:
            await self._socket.close(VIOLATION, "what came is not the protocol")
            return
        try:
            async with asyncio.timeout(_GOODBYE_S):
                for message in self._last_words():
                    await self._socket.send(message)
        except SocketClosed:
            return
        except TimeoutError:
            logger.debug(f"{self.name}: the other side takes nothing, not even a goodbye")
        await self._socket.close(GOOD_BYE)

    def _last_words(self) -> Iterator[Message]:
        if goodbye := self._dialect.goodbye():
            yield goodbye
