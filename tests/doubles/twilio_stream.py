"""Twilio's side of a Media Stream: what a telephone network does between a caller and our websocket.

    link = Link("+15550100", rate_hz=8000)             # the caller's telephone: speak, stop, hang_up
    stream = TwilioStream(link, socket)
    await stream.run()                                 # until somebody hangs up

Each 20 ms of the caller's sound is one message, at the pace of the running loop's clock. What comes back is buffered
and played 20 ms at a time; a mark is sent back when everything before it was played, `clear` throws the buffer away
and sends back all marks. Messages are as in https://www.twilio.com/docs/voice/media-streams/websocket-messages.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Mapping
from typing import Any

from voicebot.media import mulaw
from voicebot.transports.dialect import Message, Socket, SocketClosed
from voicebot.transports.link import Link
from voicebot.transports.outbox import Outbox

PIECE = 160
"""Bytes of mu-law in 20 ms."""
STREAM_SID, CALL_SID, ACCOUNT_SID = (f"{kind}{'0' * 31}1" for kind in ("MZ", "CA", "AC"))


class TwilioStream:
    """One call. `caller` is the telephone, at 8000 Hz; `parameters` are those of the TwiML."""

    def __init__(
        self, caller: Link, socket: Socket, parameters: Mapping[str, str] | None = None, call_sid: str = CALL_SID
    ) -> None:
        assert caller.rate_hz == 8000
        self.heard = bytearray()
        """What the caller has heard of the agent (s16le, 8 kHz), silence where there was nothing to play."""
        self.spoken = 0
        """Samples of it that the agent said."""
        self.cleared = 0
        """How often the agent took back what was not yet played."""
        self.closed: SocketClosed | None = None
        """How our side has closed the stream, when it did."""
        self.answers_marks = True
        self._caller = caller
        self._socket = socket
        self._parameters = dict(parameters or {})
        self._call_sid = call_sid
        self._buffer: deque[bytes | str] = deque()
        """Pieces of audio, and the names of marks between them."""
        self._played: list[str] = []
        """Marks that are due when the piece that sounds now is over."""
        self._outbox = Outbox()
        self._sequence = 0
        self._chunk = 0

    async def run(self) -> None:
        """Returns when the caller has hung up or the agent's side has closed the stream."""
        sending = asyncio.create_task(self._outbox.send_to(self._socket))
        receiving = asyncio.create_task(self._receive())
        self._say("connected", protocol="Call", version="1.0.0")
        self._say("start", start=self._start(), streamSid=STREAM_SID)
        calling = asyncio.create_task(self._caller.run(self))
        try:
            await asyncio.wait({calling, receiving}, return_when=asyncio.FIRST_COMPLETED)
            if not self.closed:
                self._say("stop", stop={"accountSid": ACCOUNT_SID, "callSid": self._call_sid}, streamSid=STREAM_SID)
                await asyncio.sleep(0.01)
                await self._socket.close()
        finally:
            for task in (sending, receiving, calling):
                task.cancel()
            await asyncio.gather(sending, receiving, calling, return_exceptions=True)

    def press(self, digit: str) -> None:
        """The caller presses a key. Twilio keeps the tone itself out of the audio."""
        self._say("dtmf", dtmf={"track": "inbound_track", "digit": digit}, streamSid=STREAM_SID)

    def say_anything(self, message: Message) -> None:
        """What Twilio would never say."""
        self._outbox.put(message)

    # -- the caller's telephone --------------------------------------------------------------------------------------

    def audio(self, pcm: bytes) -> None:
        """20 ms have passed: this is what the caller said in them."""
        self._chunk += 1
        self._say(
            "media",
            media={
                "track": "inbound",
                "chunk": str(self._chunk),
                "timestamp": str(20 * self._chunk),
                "payload": b64encode(mulaw.encode(pcm)).decode(),
            },
            streamSid=STREAM_SID,
        )
        self._play()

    def text(self, text: str) -> None:
        raise AssertionError("nobody types on a telephone")

    def _play(self) -> None:
        """The piece that sounded is over, the next one begins."""
        self._send_back()
        piece = b""
        while self._buffer and len(piece) < PIECE:
            first = self._buffer.popleft()
            if isinstance(first, str):
                self._played.append(first)
                continue
            room = PIECE - len(piece)
            piece += first[:room]
            if first[room:]:
                self._buffer.appendleft(first[room:])
        while self._buffer and isinstance(self._buffer[0], str):
            self._played.append(str(self._buffer.popleft()))
        self.spoken += len(piece)
        sound = mulaw.decode(piece)
        self.heard += sound.ljust(2 * PIECE, b"\0")
        if sound:
            self._caller.play(sound)

    def _send_back(self) -> None:
        for name in self._played:
            if self.answers_marks:
                self._say("mark", mark={"name": name}, streamSid=STREAM_SID)
        self._played.clear()

    # -- our side ----------------------------------------------------------------------------------------------------

    async def _receive(self) -> None:
        try:
            while True:
                message = await self._socket.receive()
                assert isinstance(message, str), "Twilio takes no binary messages"
                self._told(json.loads(message))
        except SocketClosed as closed:
            self.closed = closed

    def _told(self, message: dict[str, Any]) -> None:
        assert message["streamSid"] == STREAM_SID
        if message["event"] == "media":
            self._buffer.append(b64decode(message["media"]["payload"], validate=True))
        elif message["event"] == "mark":
            self._buffer.append(message["mark"]["name"])
            if isinstance(self._buffer[0], str):
                self._played.append(str(self._buffer.popleft()))
        elif message["event"] == "clear":
            self.cleared += 1
            self._caller.clear()
            self._played += [each for each in self._buffer if isinstance(each, str)]
            self._buffer.clear()
            self._send_back()
        else:
            raise AssertionError(f"Twilio does not know {message['event']}")

    def _start(self) -> dict[str, Any]:
        return {
            "accountSid": ACCOUNT_SID,
            "streamSid": STREAM_SID,
            "callSid": self._call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": self._parameters,
        }

    def _say(self, event: str, **fields: Any) -> None:
        if event != "connected":
            self._sequence += 1
            fields["sequenceNumber"] = str(self._sequence)
        self._outbox.put(json.dumps({"event": event, **fields}))
