"""One simulated caller on Twilio Media Streams: sends its script in real time, times what comes back.

Protocol: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.script import Script, Turn

FRAME_S = 0.02
_MULAW_BYTES_PER_S = 8000
_GAP_S = 0.02
"""The caller's playback ran dry in the middle of a reply when it had to wait longer than this."""
_REPLY_OVER_S = 1.0
"""Silence after which the next sound is another reply, not the same one running dry."""


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
    """A caller who is silent (line noise) until `talk`, then follows `script`.

    `offset_s` shifts its frames against those of other callers; `lead` is the noise it sends before it speaks.
    """

    name: str
    script: Script
    noise: list[bytes]
    offset_s: float
    lead_frames: int
    replies: list[Reply] = field(default_factory=list)

    _talking: bool = False
    _playing_until: float = 0.0

    async def connect(self, port: int) -> None:
        """Dial and say 'start', as Twilio does. The call goes on until `hang_up`."""
        url = f"ws://127.0.0.1:{port}/ws"
        self._socket: ClientConnection = await connect(url, compression=None, max_queue=None, ping_interval=None)
        await self._socket.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        await self._socket.send(self._start_message())
        self._tasks = (asyncio.create_task(self._send()), asyncio.create_task(self._receive()))

    def talk(self) -> None:
        """From now on the script is sent, after `lead_frames` more frames of noise."""
        self._talking = True

    async def hang_up(self) -> None:
        """End the call. Raises what broke sending or receiving, if anything did."""
        self._tasks[0].cancel()
        await self._socket.close()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome

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
            await asyncio.sleep(began + (number + 1) * FRAME_S - time.monotonic())
            await self._socket.send(message)

    def _messages(self, began: float) -> Iterator[str]:
        numbers = itertools.count()
        waiting = itertools.takewhile(lambda _: not self._talking, itertools.cycle(self.noise))
        yield from self._media(waiting, numbers)
        yield from self._media(itertools.islice(itertools.cycle(self.noise), self.lead_frames), numbers)
        origin = began + self._sent(numbers) * FRAME_S
        for turn in self.script.turns:
            self.replies.append(Reply(turn, origin + turn.ends_s, origin + turn.vad_stop_s))
        yield from self._media(self.script.frames, numbers)
        yield from self._media(itertools.cycle(self.noise), numbers)

    def _media(self, frames: Iterable[bytes], numbers: Iterator[int]) -> Iterator[str]:
        for frame in frames:
            number = next(numbers)
            payload = base64.b64encode(frame).decode()
            yield (
                f'{{"event":"media","sequenceNumber":"{number + 2}","media":{{"track":"inbound","chunk":"{number + 1}",'
                f'"timestamp":"{number * 20}","payload":"{payload}"}},"streamSid":"{self.name}"}}'
            )

    async def _receive(self) -> None:
        async for text in self._socket:
            now = time.monotonic()
            message = json.loads(text)
            if message["event"] == "media":
                self._heard(now, len(base64.b64decode(message["media"]["payload"])) / _MULAW_BYTES_PER_S)
            elif message["event"] == "clear":
                self._playing_until = now

    def _heard(self, now: float, length_s: float) -> None:
        waited_s = now - self._playing_until
        self._playing_until = max(now, self._playing_until) + length_s
        reply = self._due(now)
        if reply is None:
            return
        if reply.first_audio is None:
            reply.first_audio = now
        elif _GAP_S < waited_s < _REPLY_OVER_S:
            reply.gaps += 1

    def _due(self, now: float) -> Reply | None:
        """The last turn the caller has finished, if it has not begun the next one."""
        ended = [reply for reply in self.replies if reply.speech_ended <= now]
        if not ended:
            return None
        following = self.replies[len(ended) : len(ended) + 1]
        speaking = any(now >= reply.speech_ended - (reply.turn.ends_s - reply.turn.starts_s) for reply in following)
        return None if speaking else ended[-1]
