"""Twilio Media Streams, both ways: <Connect><Stream>, 8 kHz mu-law end to end.

Protocol: https://www.twilio.com/docs/voice/media-streams/websocket-messages. Twilio sends `connected`, `start`, then
20 ms of sound a message, `dtmf`, and `stop`; it plays what it is sent in `media` and sends each `mark` back when it has
played what came before it, or at once when a `clear` has thrown that away. Closing the socket ends <Connect>: with no
other verb behind it, that hangs up.
"""

from __future__ import annotations

import asyncio
from binascii import a2b_base64, b2a_base64
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from voicebot.media import mulaw
from voicebot.transports.dialect import (
    MOST_BYTES,
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

RATE_HZ = 8000
START_S = 5.0
"""Twilio sends `start` at once: whoever has not by then is somebody else."""
_BEFORE_START = 5
"""Messages that may come before it."""
_MOST_AUDIO = RATE_HZ
"""Bytes of audio in one message; Twilio sends 160."""
_DIGITS = frozenset("0123456789*#ABCD")

Sid = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class _Format(BaseModel):
    encoding: Literal["audio/x-mulaw"] = "audio/x-mulaw"
    rate_hz: Literal[8000] = Field(8000, alias="sampleRate")
    channels: Literal[1] = 1


class Start(BaseModel):
    """What Twilio says about a call when its stream begins."""

    model_config = ConfigDict(frozen=True)

    stream_sid: Sid = Field(alias="streamSid")
    call_sid: Sid = Field(alias="callSid")
    account_sid: Sid = Field(alias="accountSid")
    parameters: dict[str, str] = Field({}, alias="customParameters", max_length=64)
    """The <Parameter>s of the TwiML that opened the stream: how a server knows which call this is, and that it may."""
    media: _Format = Field(_Format(), alias="mediaFormat")


async def answer(socket: Socket, *, within_s: float = START_S) -> Twilio:
    """The line, when Twilio has said who calls. Raises ProtocolError (the socket is closed then), LineLost."""
    try:
        async with asyncio.timeout(within_s):
            return Twilio(socket, await _start(socket))
    except SocketClosed as closed:
        raise LineLost(f"the stream was closed before its `start` ({closed})") from closed
    except TimeoutError:
        problem = ProtocolError(f"no `start` came within {within_s:g} s")
    except ProtocolError as error:
        problem = error
    await socket.close(VIOLATION, "expected `start`")
    raise problem


async def _start(socket: Socket) -> Start:
    for _ in range(_BEFORE_START):
        try:
            message = _parsed(await socket.receive())
        except Misread as error:
            raise ProtocolError(f"before `start` there was {error}") from error
        event = message.get("event")
        if event == "start":
            return _checked(message.get("start"))
        if event in ("media", "dtmf", "mark", "stop"):
            raise ProtocolError(f"`{event}` came before `start`")
    raise ProtocolError("no `start` came, but other messages")


def _checked(start: Any) -> Start:
    try:
        return Start.model_validate(start)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(("start", *map(str, first["loc"])))
        raise ProtocolError(f"`{where}` is not what Twilio sends: {first['msg']}") from error


class Twilio(Leg):
    """One call's line. `caller` is the parameter of that name, else the call's SID."""

    def __init__(self, socket: Socket, start: Start) -> None:
        super().__init__(socket, _MediaStream(start.stream_sid), start.parameters.get("caller") or start.call_sid)
        self.start = start


class _MediaStream:
    """The dialect."""

    name = "twilio"
    rate_hz = RATE_HZ
    marks = True

    def __init__(self, stream_sid: str) -> None:
        self._sid = stream_sid

    def read(self, message: Message) -> Said | None:
        said = _parsed(message)
        event = said.get("event")
        if event == "start":
            raise ProtocolError("a second `start` came")
        if event not in ("media", "mark", "dtmf", "stop"):
            return None  # `connected`, and whatever Twilio will think of
        if said.get("streamSid") != self._sid:
            raise Misread("a message of another stream")
        if event == "stop":
            return HungUp()
        content = said.get(event)
        if not isinstance(content, dict):
            raise Misread(f"`{event}` without content")
        return _media(content) if event == "media" else _mark(content) if event == "mark" else _key(content)

    def audio(self, pcm: bytes) -> str:
        payload = b2a_base64(mulaw.encode(pcm), newline=False).decode()
        return f'{{"event":"media","streamSid":"{self._sid}","media":{{"payload":"{payload}"}}}}'

    def mark(self, name: str) -> str:
        return f'{{"event":"mark","streamSid":"{self._sid}","mark":{{"name":"{name}"}}}}'

    def clear(self) -> str:
        return f'{{"event":"clear","streamSid":"{self._sid}"}}'

    def goodbye(self) -> None:
        """There is none: closing is enough."""


def _parsed(message: Message) -> dict[str, Any]:
    """Raises Misread."""
    if isinstance(message, bytes):
        raise Misread("a binary message")
    if len(message) > MOST_BYTES:
        raise Misread("an oversized message")
    try:
        said = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise Misread("a message that is not JSON") from error
    if not isinstance(said, dict):
        raise Misread("a message that is not an object")
    return said


def _media(content: dict[str, Any]) -> Audio | None:
    if content.get("track", "inbound") != "inbound":
        return None  # what the caller hears
    payload = content.get("payload")
    if not isinstance(payload, str) or not 0 < len(payload) <= 4 * _MOST_AUDIO // 3:
        raise Misread("audio of a strange length")
    try:
        coded = a2b_base64(payload, strict_mode=True)
        return Audio(mulaw.decode(coded), _count(content.get("chunk")), _count(content.get("timestamp")))
    except ValueError as error:
        raise Misread("audio that is not base64, or a strange number") from error


def _count(value: Any) -> int | None:
    """Twilio sends numbers as text."""
    if value is None:
        return None
    if not isinstance(value, str | int) or len(str(value)) > 15:
        raise ValueError(value)
    return int(value)


def _mark(content: dict[str, Any]) -> Marked:
    name = content.get("name")
    if not isinstance(name, str):
        raise Misread("a mark without a name")
    return Marked(name)


def _key(content: dict[str, Any]) -> Keys:
    digit = content.get("digit")
    if not isinstance(digit, str) or digit not in _DIGITS:
        raise Misread("a key that no telephone has")
    return Keys(digit)
