"""Twilio's side of a Media Stream, for callers that are on this machine: what the network does between a telephone and
our websocket.

    stream = MediaStream(telephone, socket, call_sid="CA…", parameters={"ticket": "…"})
    how = await stream.run()                 # "caller_hung_up" or "agent_hung_up"

The telephone is a `Transport` at 8000 Hz, such as a persona's wire: each 20 ms that it pours in are one message of
mu-law, at its own pace. What the agent's side sends is buffered, played to the telephone 20 ms at a time, and thrown
away by `clear`; a mark goes back when everything before it was played or thrown away.
Messages: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

import asyncio
import secrets
from binascii import a2b_base64, b2a_base64
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import orjson

from voicebot.errors import BadInput
from voicebot.media import mulaw
from voicebot.transports import Transport
from voicebot.transports.dialect import GOOD_BYE, Message, ProtocolError, Socket, SocketClosed
from voicebot.transports.outbox import Outbox

RATE_HZ: Final = 8000
_PIECE: Final = 160
"""Bytes of mu-law in 20 ms."""
_GOODBYE_S = 1.0

HowItEnded = Literal["caller_hung_up", "agent_hung_up"]


def sid(kind: str) -> str:
    """One that looks like Twilio's: 'CA' and 32 hexadecimal digits."""
    return kind + secrets.token_hex(16)


class MediaStream:
    """One call's. `parameters` are those of the TwiML that asked for it."""

    def __init__(
        self,
        telephone: Transport,
        socket: Socket,
        *,
        call_sid: str,
        account_sid: str = "AC" + "0" * 32,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        if telephone.rate_hz != RATE_HZ:
            raise BadInput(f"a telephone has {RATE_HZ} Hz, and not {telephone.rate_hz}.")
        self.sid = sid("MZ")
        self._telephone = telephone
        self._socket = socket
        self._start = {
            "accountSid": account_sid,
            "callSid": call_sid,
            "streamSid": self.sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": RATE_HZ, "channels": 1},
            "customParameters": dict(parameters or {}),
        }
        self._outbox = Outbox()
        self._buffer: deque[bytes | str] = deque()
        """Sound that is to be played, and the names of the marks in it."""
        self._reached: list[str] = []
        """Marks that are due when what sounds now is over."""
        self._sequence = 0
        self._chunk = 0

    async def run(self) -> HowItEnded:
        """The whole stream. Raises ProtocolError for what Twilio would not understand, SocketClosed for a cut line."""
        self._say("connected", protocol="Call", version="1.0.0")
        self._say("start", start=self._start, streamSid=self.sid)
        sending = asyncio.create_task(self._outbox.send_to(self._socket))
        hearing = asyncio.create_task(self._receive())
        calling = asyncio.create_task(self._telephone.run(self))
        try:
            await asyncio.wait({sending, hearing, calling}, return_when=asyncio.FIRST_COMPLETED)
            if hearing.done() or sending.done():
                return self._closed(hearing if hearing.done() else sending)
            calling.result()
            await self._say_goodbye(sending)
            return "caller_hung_up"
        finally:
            for task in (sending, hearing, calling):
                task.cancel()
            await asyncio.gather(sending, hearing, calling, return_exceptions=True)

    def press(self, keys: Iterable[str]) -> None:
        """The caller presses keys. The network keeps their tones out of the sound."""
        for key in keys:
            self._say("dtmf", dtmf={"track": "inbound_track", "digit": key}, streamSid=self.sid)

    def _closed(self, task: asyncio.Task[None]) -> HowItEnded:
        """Whether our side closed it in good order."""
        try:
            task.result()
        except SocketClosed as closed:
            if not closed.clean:
                raise
        return "agent_hung_up"

    async def _say_goodbye(self, sending: asyncio.Task[None]) -> None:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        self._say("stop", stop={key: self._start[key] for key in ("accountSid", "callSid")}, streamSid=self.sid)
        try:
            async with asyncio.timeout(_GOODBYE_S):
                for message in self._outbox.rest():
                    await self._socket.send(message)
        except (SocketClosed, TimeoutError):
            return
        await self._socket.close(GOOD_BYE)

    # -- an `Ear` of the telephone -----------------------------------------------------------------------------------

    def audio(self, pcm: bytes) -> None:
        """20 ms have passed: this is what the caller said in them."""
        self._chunk += 1
        payload = b2a_base64(mulaw.encode(pcm), newline=False).decode()
        media = {"track": "inbound", "chunk": str(self._chunk), "timestamp": str(20 * self._chunk), "payload": payload}
        self._say("media", media=media, streamSid=self.sid)
        self._play()

    def text(self, text: str) -> None:
        raise BadInput("nobody can type on a telephone: take the channel 'audio'.")

    # -- what the agent's side sends ---------------------------------------------------------------------------------

    async def _receive(self) -> None:
        while True:
            self._told(_parsed(await self._socket.receive()))

    def _told(self, message: dict[str, Any]) -> None:
        """Raises ProtocolError."""
        event, content = message.get("event"), message.get(str(message.get("event")))
        if message.get("streamSid") != self.sid:
            raise ProtocolError("a message for another stream")
        if event == "clear":
            self._clear()
        elif event == "media" and isinstance(content, dict):
            self._buffer.append(_sound(content.get("payload")))
        elif event == "mark" and isinstance(content, dict):
            self._buffer.append(str(content.get("name")))
            self._pass_marks()
        else:
            raise ProtocolError(f"Twilio does not know the message {event!r}")

    def _clear(self) -> None:
        self._telephone.clear()
        self._reached += [each for each in self._buffer if isinstance(each, str)]
        self._buffer.clear()
        self._send_marks_back()

    def _play(self) -> None:
        """What sounded is over, the next 20 ms begin."""
        self._send_marks_back()
        piece = b""
        while self._buffer and len(piece) < _PIECE:
            first = self._buffer.popleft()
            if isinstance(first, str):
                self._reached.append(first)
                continue
            room = _PIECE - len(piece)
            piece += first[:room]
            if rest := first[room:]:
                self._buffer.appendleft(rest)
        self._pass_marks()
        if piece:
            self._telephone.play(mulaw.decode(piece))

    def _pass_marks(self) -> None:
        """Those with no sound before them."""
        while self._buffer and isinstance(self._buffer[0], str):
            self._reached.append(str(self._buffer.popleft()))

    def _send_marks_back(self) -> None:
        for name in self._reached:
            self._say("mark", mark={"name": name}, streamSid=self.sid)
        self._reached.clear()

    def _say(self, event: str, **fields: Any) -> None:
        if event != "connected":
            self._sequence += 1
            fields["sequenceNumber"] = str(self._sequence)
        self._outbox.put(orjson.dumps({"event": event, **fields}).decode())


def _parsed(message: Message) -> dict[str, Any]:
    """Raises ProtocolError."""
    if isinstance(message, bytes):
        raise ProtocolError("Twilio takes no binary messages")
    try:
        said = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise ProtocolError("a message that is not JSON") from error
    if not isinstance(said, dict):
        raise ProtocolError("a message that is not an object")
    return said


def _sound(payload: Any) -> bytes:
    """Raises ProtocolError."""
    try:
        return a2b_base64(payload, strict_mode=True)
    except (TypeError, ValueError) as error:
        raise ProtocolError("sound that is not base64") from error
