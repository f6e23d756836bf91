"""One simulated caller on Twilio Media Streams: sends its script in real time, times what comes back.

Protocol: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.script import Script, Turn

FRAME_S = 0.02
FRAME_GRAIN = 8
"""A script begins after a multiple of 8 frames, which are 5 windows of the VAD: its windows then fall where they fell
when its VAD stops were computed."""
_MULAW_BYTES_PER_S = 8000
_GAP_S = 0.02
"""The caller's playback ran dry in the middle of a reply when it had to wait longer than this."""
_REPLY_OVER_S = 1.0
"""Silence after which the next sound is another reply, not the same one running dry."""
_ONSET_S = 0.1
"""An answer begins after the line was silent this long; other sound is the rest of something older."""
_EARLIEST_S = 0.1
"""An answer cannot come earlier than this before the reference VAD reports the end of speech."""


@dataclass
class Reply:
    """What the caller heard after one turn. Times are time.monotonic()."""

    turn: Turn
    speech_ended: float
    vad_stopped: float
    first_audio: float | None = None
    """None: no answer before the caller's next turn."""
    gaps: int = 0
    """Times the playback ran dry in the middle of the reply."""


@dataclass
class Caller:
    """A caller who is silent (line noise) except when told to `talk`. `offset_s` shifts its frames against others'."""

    name: str
    noise: list[bytes]
    offset_s: float
    replies: list[Reply] = field(default_factory=list)
    dropped: bool = False
    """The server closed the connection before the caller hung up."""
    late_ms: list[float] = field(default_factory=list)
    """How much later than it should each frame left."""

    _talk: tuple[Script, int] | None = None
    _frames_sent: int = 0
    _playing_until: float = 0.0
    _marks: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    """Those not yet sent back."""
    _answering: set[asyncio.Task[None]] = field(default_factory=set)

    async def connect(self, port: int) -> None:
        """Dial and say 'start', as Twilio does. The call goes on until `hang_up`."""
        url = f"ws://127.0.0.1:{port}/ws"
        self._socket: ClientConnection = await connect(url, compression=None, max_queue=None, ping_interval=None)
        await self._socket.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        await self._socket.send(self._start_message())
        self._sending = asyncio.create_task(self._send())
        self._receiving = asyncio.create_task(self._receive())

    def talk(self, script: Script, lead_frames: int = 0) -> None:
        """Speak `script`, after `lead_frames` (a multiple of `FRAME_GRAIN`) more frames of noise."""
        self._talk = (script, lead_frames)

    async def hang_up(self) -> None:
        """End the call: Twilio says 'stop' and closes."""
        self._sending.cancel()
        for mark in self._marks.values():
            mark.cancel()
        with suppress(ConnectionClosed):
            await self._socket.send(json.dumps({"event": "stop", "streamSid": self.name}))
        await self._socket.close()
        await asyncio.gather(self._sending, self._receiving, return_exceptions=True)

    def _start_message(self) -> str:
        start = {
            "accountSid": "AC0",
            "streamSid": self.name,
            "callSid": f"CA{self.name}",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {},
        }
        return json.dumps({"event": "start", "sequenceNumber": "1", "start": start, "streamSid": self.name})

    async def _send(self) -> None:
        """Each frame leaves when its last sample has been spoken, at a fixed phase of the 20 ms grid."""
        now = time.monotonic()
        began = now - now % FRAME_S + FRAME_S + self.offset_s
        for number, message in enumerate(self._messages(began)):
            due = began + (number + 1) * FRAME_S
            await asyncio.sleep(due - time.monotonic())
            self.late_ms.append((time.monotonic() - due) * 1000)
            try:
                await self._socket.send(message)
            except ConnectionClosed:
                self.dropped = True
                return

    def _messages(self, began: float) -> Iterator[str]:
        quiet = itertools.cycle(self.noise)
        while True:
            yield self._media(next(quiet))
            if self._talk and self._frames_sent % FRAME_GRAIN == 0:
                script, lead_frames = self._talk
                self._talk = None
                yield from map(self._media, itertools.islice(quiet, lead_frames))
                self._expect_replies(script, origin=began + self._frames_sent * FRAME_S)
                yield from map(self._media, script.frames)

    def _expect_replies(self, script: Script, origin: float) -> None:
        """`origin`: when the script's audio begins."""
        for turn in script.turns:
            self.replies.append(Reply(turn, origin + turn.ends_s, origin + turn.vad_stop_s))

    def _media(self, frame: bytes) -> str:
        number = self._frames_sent
        self._frames_sent += 1
        payload = base64.b64encode(frame).decode()
        return (
            f'{{"event":"media","sequenceNumber":"{number + 2}","media":{{"track":"inbound","chunk":"{number + 1}",'
            f'"timestamp":"{number * 20}","payload":"{payload}"}},"streamSid":"{self.name}"}}'
        )

    async def _receive(self) -> None:
        async for text in self._socket:
            now = time.monotonic()
            message = json.loads(text)
            if message["event"] == "media":
                self._heard(now, len(base64.b64decode(message["media"]["payload"])) / _MULAW_BYTES_PER_S)
            elif message["event"] == "mark":
                self._answer_later(message["mark"]["name"], self._playing_until - now)
            elif message["event"] == "clear":
                self._playing_until = now
                for name in list(self._marks):
                    self._answer_later(name, 0)

    def _answer_later(self, name: str, in_s: float) -> None:
        """A mark is sent back when everything before it was played, or thrown away."""
        if earlier := self._marks.pop(name, None):
            earlier.cancel()
        self._marks[name] = asyncio.get_running_loop().call_later(in_s, self._answer, name)

    def _answer(self, name: str) -> None:
        del self._marks[name]
        self._answering.add(task := asyncio.create_task(self._send_back(name)))
        task.add_done_callback(self._answering.discard)

    async def _send_back(self, name: str) -> None:
        with suppress(ConnectionClosed):
            await self._socket.send(json.dumps({"event": "mark", "streamSid": self.name, "mark": {"name": name}}))

    def _heard(self, now: float, length_s: float) -> None:
        waited_s = now - self._playing_until
        self._playing_until = max(now, self._playing_until) + length_s
        reply = self._due(now)
        if reply is None:
            return
        if reply.first_audio is None:
            if waited_s > _ONSET_S:
                reply.first_audio = now
        elif _GAP_S < waited_s < _REPLY_OVER_S:
            reply.gaps += 1

    def _due(self, now: float) -> Reply | None:
        """The last turn that can be answered by now, if the caller has not begun the next one."""
        ended = [reply for reply in self.replies if reply.vad_stopped - _EARLIEST_S <= now]
        if not ended:
            return None
        following = self.replies[len(ended) : len(ended) + 1]
        speaking = any(now >= reply.speech_ended - (reply.turn.ends_s - reply.turn.starts_s) for reply in following)
        return None if speaking else ended[-1]
