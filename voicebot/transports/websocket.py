"""The plain protocol: a call over a websocket for every client that is no telephone network. See docs/websocket.md.

Binary messages are audio, text messages are JSON. The client begins with `hello`; the server answers `ready`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from voicebot.events import Event
from voicebot.media import mulaw
from voicebot.transports.dialect import (
    VIOLATION,
    Audio,
    HungUp,
    Keys,
    LineLost,
    Marked,
    Message,
    Misread,
    ProtocolError,
    Said,
    Socket,
    SocketClosed,
)
from voicebot.transports.leg import Leg

HELLO_S = 5.0
_MOST_AUDIO_S = 1.0
"""Longest audio in one message from the client."""
_STRICT = ConfigDict(frozen=True, extra="forbid")


class Hello(BaseModel):
    """The client's first message."""

    model_config = _STRICT

    type: Literal["hello"]
    v: Literal[1] = 1
    """The version of the protocol."""
    format: Literal["pcm_s16le", "mulaw"] = "pcm_s16le"
    """Of the audio, both ways: one channel, 16 bits a sample little-endian, or G.711 mu-law."""
    rate_hz: Literal[8000, 16000] = 8000
    """Of the audio, both ways. mu-law has 8000."""
    marks: bool = False
    """Whether the client answers `mark` with `played`. Without that the server reckons by the clock what was heard."""
    events: bool = False
    """Whether the client wants the call's events."""
    caller: Annotated[str, StringConstraints(max_length=200)] = ""
    """Who calls, for the call's record."""
    parameters: dict[str, str] = Field(default={}, max_length=64)
    """Whatever else the server is to know about the call."""

    @model_validator(mode="after")
    def _is_telephony(self) -> Hello:
        if self.format == "mulaw" and self.rate_hz != 8000:
            raise ValueError("mulaw has a rate_hz of 8000")
        return self


class _Played(BaseModel):
    model_config = _STRICT

    type: Literal["played"]
    name: str


class _Keys(BaseModel):
    model_config = _STRICT

    type: Literal["keys"]
    keys: Annotated[str, StringConstraints(pattern=r"^[0-9*#A-D]{1,32}$")]


class _HangUp(BaseModel):
    model_config = _STRICT

    type: Literal["hang_up"]


_WORDS: TypeAdapter[_Played | _Keys | _HangUp] = TypeAdapter(
    Annotated[_Played | _Keys | _HangUp, Field(discriminator="type")]
)


async def answer(socket: Socket, *, within_s: float = HELLO_S) -> WebSocket:
    """The line, when the client has said hello. Raises ProtocolError (the client was told, the socket is closed),
    LineLost."""
    try:
        async with asyncio.timeout(within_s):
            hello = _hello(await socket.receive())
            line = WebSocket(socket, hello)
            await socket.send(_json(type="ready", format=hello.format, rate_hz=hello.rate_hz))
            return line
    except SocketClosed as closed:
        raise LineLost(f"the socket was closed before its hello ({closed})") from closed
    except TimeoutError:
        problem = ProtocolError(f"no hello came within {within_s:g} s")
    except ProtocolError as error:
        problem = error
    await refuse(socket, str(problem))
    raise problem


async def refuse(socket: Socket, why: str, code: int = VIOLATION) -> None:
    """Tell a client why there is no call, and close."""
    try:
        await socket.send(_json(type="error", error=why))
    except SocketClosed:
        return
    await socket.close(code, "see the error before")


def _hello(message: Message) -> Hello:
    if isinstance(message, bytes):
        raise ProtocolError("audio came before the hello")
    try:
        return Hello.model_validate_json(message)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(("hello", *map(str, first["loc"])))
        raise ProtocolError(f"`{where}`: {first['msg']}") from error


class WebSocket(Leg):
    """One call's line."""

    def __init__(self, socket: Socket, hello: Hello) -> None:
        super().__init__(socket, _Plain(hello), hello.caller)
        self.hello = hello
        self._late: list[str] = []
        """Events of the call's end, when the sound has stopped."""

    def event(self, event: Event) -> None:
        """A face of the call: subscribe it when the hello asks for events."""
        told = f'{{"type":"event","event":{event.model_dump_json()}}}'
        if self._outbox.closed:
            self._late.append(told)
        else:
            self.tell(told)

    def _last_words(self) -> Iterator[Message]:
        yield from self._outbox.rest()
        yield from self._late
        yield from super()._last_words()


class _Plain:
    """The dialect."""

    name = "websocket"

    def __init__(self, hello: Hello) -> None:
        self.rate_hz: int = hello.rate_hz
        self.marks = hello.marks
        self._mulaw = hello.format == "mulaw"
        self._most = int(_MOST_AUDIO_S * hello.rate_hz) * (1 if self._mulaw else 2)

    def read(self, message: Message) -> Said | None:
        if isinstance(message, bytes):
            return self._audio(message)
        try:
            said = _WORDS.validate_json(message)
        except ValidationError as error:
            raise Misread("a message that the protocol does not have") from error
        if isinstance(said, _Played):
            return Marked(said.name)
        return Keys(said.keys) if isinstance(said, _Keys) else HungUp()

    def _audio(self, message: bytes) -> Audio | None:
        if len(message) > self._most:
            raise Misread(f"audio of {len(message)} bytes, more than a second")
        if self._mulaw:
            return Audio(mulaw.decode(message)) if message else None
        if len(message) % 2:
            raise Misread("half a sample")
        return Audio(message) if message else None

    def audio(self, pcm: bytes) -> bytes:
        return mulaw.encode(pcm) if self._mulaw else pcm

    def mark(self, name: str) -> str:
        return _json(type="mark", name=name)

    def clear(self) -> str:
        return _json(type="clear")

    def goodbye(self) -> str:
        return _json(type="bye")


def _json(**fields: Any) -> str:
    return orjson.dumps(fields).decode()
