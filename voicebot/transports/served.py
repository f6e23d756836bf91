"""Websockets as a server has them, without a task or a queue between the network and the call.

    uvicorn.Config(app, ws=upgrades(route), ws_per_message_deflate=False)

Where `route(path)` knows a handler, the connection is the handler's; all others go the way uvicorn has for them. A
message costs about half of what it costs through ASGI: nobody is woken, and reading is not stopped and started again
for each message. The protocol itself (RFC 6455) is that of the package websockets.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, cast

from loguru import logger
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from voicebot.transports.dialect import CUT, GOING_AWAY, GOOD_BYE, MOST_BYTES, Message, SocketClosed
from voicebot.transports.rounds import Rounds

_MOST_WAITING = 64
"""Messages that may wait for `receive` before the other side is held up."""
_CLOSE_S = 5.0
"""How long the other side may take to answer a close."""


class Upgrade(Protocol):
    """Somebody asks for a websocket."""

    @property
    def path(self) -> str:
        """With its query."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in any case."""

    @property
    def client(self) -> str:
        """The address of the other end of the connection, maybe a proxy."""

    def accept(self) -> ServedSocket: ...

    def refuse(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        """Answer with an HTTP status instead."""


Handler = Callable[[Upgrade], Awaitable[None]]
Route = Callable[[str], Handler | None]
"""From a path, without its query."""


class ServedSocket:
    """A `Socket` that is `Pushing`."""

    def __init__(self, protocol: ServerProtocol, transport: asyncio.Transport, gather: Callable[[], None]) -> None:
        """`gather` is called when nothing but a call's messages is to come."""
        self._gather = gather
        self._protocol = protocol
        self._transport = transport
        self._waiting: deque[Message] = deque()
        self._take: Callable[[Message], None] = self._keep
        self._lost: Callable[[SocketClosed], None] | None = None
        self._closed: SocketClosed | None = None
        self._changed = asyncio.Event()
        """A message has come, or none will."""
        self._writable = asyncio.Event()
        self._writable.set()
        self._parts: list[bytes] = []
        self._is_text = True

    # -- for the call ------------------------------------------------------------------------------------------------

    async def receive(self) -> Message:
        while not self._waiting:
            if self._closed:
                raise self._closed
            self._changed.clear()
            await self._changed.wait()
        if len(self._waiting) == _MOST_WAITING:
            self._transport.resume_reading()
        return self._waiting.popleft()

    def listen(self, take: Callable[[Message], None], lost: Callable[[SocketClosed], None]) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            self._transport.resume_reading()
        while self._waiting:
            take(self._waiting.popleft())
        self._take, self._lost = take, lost
        if self._closed:
            lost(self._closed)
        else:
            self._gather()

    async def send(self, message: Message) -> None:
        if self._closed:
            raise self._closed
        try:
            if isinstance(message, str):
                self._protocol.send_text(message.encode())
            else:
                self._protocol.send_binary(message)
        except InvalidState as error:  # we have closed it, and the answer is not there yet
            raise SocketClosed from error
        self.flush()
        await self._writable.wait()

    async def close(self, code: int = GOOD_BYE, reason: str = "") -> None:
        self.end(code, reason)

    # -- for the connection ------------------------------------------------------------------------------------------

    def end(self, code: int, reason: str = "") -> None:
        if self._closed or self._protocol.close_sent:
            return
        self._protocol.send_close(code, reason)
        self.flush()
        asyncio.get_running_loop().call_later(_CLOSE_S, self._transport.abort)

    def flush(self) -> None:
        """Send what the protocol wants said."""
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()

    def frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.TEXT or frame.opcode is Opcode.BINARY:
            self._is_text = frame.opcode is Opcode.TEXT
        elif frame.opcode is not Opcode.CONT:
            return
        data = bytes(frame.data)
        if not frame.fin or self._parts:
            self._parts.append(data)
            if not frame.fin:
                return
            data = b"".join(self._parts)
            self._parts.clear()
        try:
            self._take(data.decode() if self._is_text else data)
        except UnicodeDecodeError:
            self.end(1007, "text that is not UTF-8")

    def _keep(self, message: Message) -> None:
        self._waiting.append(message)
        self._changed.set()
        if len(self._waiting) == _MOST_WAITING:
            self._transport.pause_reading()

    def lost(self) -> None:
        """The connection is gone, or about to be."""
        if self._closed:
            return
        received = self._protocol.close_rcvd
        sent = self._protocol.close_sent
        own = sent if sent and not self._protocol.close_rcvd_then_sent else None
        close = received or own
        self._closed = SocketClosed(close.code, close.reason) if close else SocketClosed(CUT, "no goodbye")
        self._changed.set()
        self._writable.set()
        if self._lost:
            self._lost(self._closed)

    def writable(self, yes: bool) -> None:
        (self._writable.set if yes else self._writable.clear)()


def upgrades(route: Route) -> type[asyncio.Protocol]:
    """What uvicorn's `ws` takes: it hands connections over with their first request unread."""

    class Connection(_Connection):
        _route = staticmethod(route)
        _rounds = Rounds()

    return Connection


class _Connection(asyncio.Protocol):
    """One connection; `Upgrade` to its handler."""

    _route: Route
    _rounds: Rounds

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        self._uvicorn = (config, server_state, app_state)
        self._connections, self._tasks = server_state.connections, server_state.tasks
        self._protocol = ServerProtocol(max_size=MOST_BYTES)
        self._socket: ServedSocket | None = None
        self._usual: asyncio.Protocol | None = None

    # -- asyncio's ---------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._usual:
            self._usual.data_received(data)
            return
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._asked(event, data)
            elif self._socket and isinstance(event, Frame):
                self._socket.frame(event)
        self._settle()

    def _settle(self) -> None:
        """Answer what the protocol answers by itself, and notice when it is at its end."""
        if self._socket is None:
            return
        self._socket.flush()
        if self._protocol.close_rcvd or self._protocol.parser_exc:
            self._socket.lost()
            self._transport.close()

    def eof_received(self) -> None:
        self._protocol.receive_eof()

    def _gather(self) -> None:
        if self._transport.get_extra_info("sslcontext") is None:  # else what the socket has must be deciphered
            self._rounds.join(self._transport, self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._rounds.leave(self._transport)
        if self._usual:
            self._usual.connection_lost(exc)
        self._connections.discard(self)
        if self._socket:
            self._socket.lost()

    def pause_writing(self) -> None:
        if self._socket:
            self._socket.writable(False)

    def resume_writing(self) -> None:
        if self._socket:
            self._socket.writable(True)

    def shutdown(self) -> None:
        """uvicorn stops."""
        if self._socket:
            self._socket.end(GOING_AWAY, "the server stops")
        else:
            self._transport.close()

    # -- the upgrade -------------------------------------------------------------------------------------------------

    def _asked(self, request: Request, data: bytes) -> None:
        handler = self._route(request.path.partition("?")[0])
        if handler is None:
            self._hand_back(data)
            return
        self._request = request
        task = asyncio.ensure_future(self._handled(handler))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _hand_back(self, data: bytes) -> None:
        """To uvicorn, as if it had never been here."""
        from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

        config, server_state, app_state = self._uvicorn
        self._connections.discard(self)
        usual = WebSocketsSansIOProtocol(config=config, server_state=server_state, app_state=app_state)
        usual.connection_made(self._transport)
        usual.data_received(data)
        self._usual = usual
        # Not at once: uvicorn makes this object the connection's protocol when it returns from here.
        asyncio.get_running_loop().call_soon(self._transport.set_protocol, usual)

    async def _handled(self, handler: Handler) -> None:
        try:
            await handler(self)
        except Exception:  # noqa: BLE001 - nobody awaits a handler; the client is not told what broke
            logger.exception(f"the handler of {self.path.partition('?')[0]} failed")
        if self._socket:
            self._socket.end(GOOD_BYE)
        elif not self._transport.is_closing():
            self.refuse(500, "this call could not be answered\n")

    @property
    def path(self) -> str:
        return self._request.path

    @property
    def headers(self) -> Mapping[str, str]:
        return self._request.headers

    @property
    def client(self) -> str:
        return str((self._transport.get_extra_info("peername") or ("",))[0])

    def accept(self) -> ServedSocket:
        """Raises SocketClosed when it is no proper upgrade (the other side was told) or gone."""
        if self._spoilt():
            raise SocketClosed(CUT, "frames that are none came before the answer")
        response = self._protocol.accept(self._request)
        self._protocol.send_response(response)
        if response.status_code != 101:
            self._write()
            raise SocketClosed(CUT, "not a websocket upgrade")
        self._socket = ServedSocket(self._protocol, self._transport, self._gather)
        self._socket.flush()
        return self._socket

    def refuse(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        if self._spoilt():
            return
        response = self._protocol.reject(status, text)
        for name, value in (headers or {}).items():
            response.headers.pop(name, None)  # else there would be two of it
            response.headers[name] = value
        self._protocol.send_response(response)
        self._write()

    def _spoilt(self) -> bool:
        """Whether the other side broke the protocol before it had its answer: then there is none."""
        if self._protocol.eof_sent:
            self._transport.close()
        return self._protocol.eof_sent

    def _write(self) -> None:
        self._transport.write(b"".join(self._protocol.data_to_send()))
        self._transport.close()
