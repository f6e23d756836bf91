"""One simulated caller on Twilio Media Streams: sends its script in real time, times what comes back.

Protocol: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

import asyncio
import itertools
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import orjson

from voicebot.evals.bench.calls.line import Line, framed
from voicebot.evals.bench.calls.script import Script, Turn

FRAME_S = 0.02
FRAME_GRAIN = 8
"""A script begins after a multiple of 8 frames, which are 5 windows of the VAD: its windows then fall where they fell
when its VAD stops were computed."""
_MULAW_BYTES_PER_S = 8000
_REPLY_OVER_S = 1.0
"""Silence after which the next sound is another reply, not the same one running dry, when nobody knows its length."""
_SURELY_MISSING_S = 0.1
"""So much less than its length: a reply was not over."""
_ONSET_S = 0.1
"""An answer begins after the line was silent this long; other sound is the rest of something older."""
_EARLIEST_S = 0.1
"""An answer cannot come earlier than this before the reference VAD reports the end of speech."""


@dataclass
class Reply:
    """What the caller heard after one turn. Times are time.monotonic()."""

    speech_began: float
    speech_ended: float
    vad_stopped: float
    first_audio: float | None = None
    """None: no answer before the caller's next turn."""
    gap_s: float = 0.0
    """The longest time for which the caller's playback ran dry in the middle of the reply."""
    heard_s: float = 0.0
    """Sound that came."""


@dataclass
class Caller:
    """A caller who is silent (line noise) except when told to `talk`. `offset_s` shifts its frames against others'."""

    sid: str
    """Of the call and of its stream, without their two letters in front."""
    noise: list[str]
    """20 ms each, as base64."""
    offset_s: float
    reply_s: float | None = None
    """How long a whole reply is; None: nobody knows."""
    replies: list[Reply] = field(default_factory=list)
    lost: str = ""
    """How the server lost the call; '': it did not."""
    setup_s: float | None = None
    """From the connection to the first audio."""
    late_ms: list[float] = field(default_factory=list)
    """How much later than it should each frame left."""

    _hears: asyncio.Event = field(default_factory=asyncio.Event)
    _talk: tuple[Script, int] | None = None
    _frames_sent: int = 0
    _playing_until: float = 0.0
    _marks: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    """Those not yet sent back."""
    _sending: asyncio.TimerHandle | None = None
    _line: Line | None = None

    @property
    def _stream_sid(self) -> str:
        return f"MZ{self.sid}"

    async def dial(self, url: str, headers: Mapping[str, str], parameters: Mapping[str, str]) -> None:
        """Open the stream and say `start`, as Twilio does; the call goes on until `hang_up`. Raises NoAnswer."""
        self._line = await Line.dial(url, headers, self._received, self._cut_off)
        self._tell({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        self._tell(
            {"event": "start", "sequenceNumber": "1", "start": self._start(parameters), "streamSid": self._stream_sid}
        )
        now = time.monotonic()
        self._began = now - now % FRAME_S + FRAME_S + self.offset_s
        self._messages = self._speak()
        self._send_later()

    def talk(self, script: Script, lead_frames: int = 0) -> None:
        """Speak `script`, after `lead_frames` (a multiple of `FRAME_GRAIN`) more frames of noise."""
        self._talk = (script, lead_frames)

    async def hears_something(self, within_s: float) -> None:
        """Returns when the first audio has come, or after `within_s`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._hears.wait()

    def hang_up(self) -> None:
        """End the call: Twilio says 'stop' and closes."""
        if self._sending:
            self._sending.cancel()
        for mark in self._marks.values():
            mark.cancel()
        if self._line:
            self._tell({"event": "stop", "streamSid": self._stream_sid})
            self._line.hang_up()

    def _cut_off(self) -> None:
        self.lost = "cut off by the server"

    def _start(self, parameters: Mapping[str, str]) -> dict[str, object]:
        return {
            "accountSid": f"AC{0:032x}",
            "streamSid": self._stream_sid,
            "callSid": f"CA{self.sid}",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": dict(parameters),
        }

    # -- what it says ------------------------------------------------------------------------------------------------

    def _tell(self, message: dict[str, object]) -> None:
        assert self._line is not None
        self._line.send(framed(orjson.dumps(message)))

    def _send_later(self) -> None:
        """Each frame leaves when its last sample has been spoken, at a fixed phase of the 20 ms grid."""
        self._due = self._began + (self._frames_sent + 1) * FRAME_S
        self._sending = asyncio.get_running_loop().call_later(max(0.0, self._due - time.monotonic()), self._send)

    def _send(self) -> None:
        assert self._line is not None
        self.late_ms.append((time.monotonic() - self._due) * 1000)
        self._line.send(next(self._messages))
        self._frames_sent += 1
        if not self._line.closed:
            self._send_later()

    def _speak(self) -> Iterator[bytes]:
        quiet = itertools.cycle(self.noise)
        while True:
            yield self._media(next(quiet))
            if self._talk and self._frames_sent % FRAME_GRAIN == 0:
                script, lead_frames = self._talk
                self._talk = None
                yield from map(self._media, itertools.islice(quiet, lead_frames))
                self._expect_replies(script.turns, self._began + self._frames_sent * FRAME_S)
                yield from map(self._media, as_base64(script.frames))

    def _media(self, payload: str) -> bytes:
        number = self._frames_sent
        return framed(
            f'{{"event":"media","sequenceNumber":"{number + 2}","media":{{"track":"inbound","chunk":"{number + 1}",'
            f'"timestamp":"{number * 20}","payload":"{payload}"}},"streamSid":"{self._stream_sid}"}}'.encode()
        )

    def _expect_replies(self, turns: list[Turn], origin: float) -> None:
        """`origin`: when the script's audio begins."""
        for turn in turns:
            times = (turn.starts_s, turn.ends_s, turn.vad_stop_s)
            self.replies.append(Reply(*(origin + at for at in times)))

    # -- what it hears -----------------------------------------------------------------------------------------------

    def _received(self, text: bytes) -> None:
        now = time.monotonic()
        message = orjson.loads(text)
        if message["event"] == "media":
            payload = message["media"]["payload"]
            self._heard(now, (len(payload) * 3 // 4 - payload.count("=", -2)) / _MULAW_BYTES_PER_S)
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
        self._marks[name] = asyncio.get_running_loop().call_later(max(0.0, in_s), self._answer, name)

    def _answer(self, name: str) -> None:
        del self._marks[name]
        self._tell({"event": "mark", "streamSid": self._stream_sid, "mark": {"name": name}})

    def _heard(self, now: float, length_s: float) -> None:
        if self.setup_s is None and self._line:
            self.setup_s = now - self._line.connected_at
            self._hears.set()
        waited_s = now - self._playing_until
        self._playing_until = max(now, self._playing_until) + length_s
        reply = self._due_reply(now)
        if reply is None:
            return
        if reply.first_audio is not None:
            if self._in_the_middle(reply, waited_s):
                reply.gap_s = max(reply.gap_s, waited_s)
            reply.heard_s += length_s
        elif waited_s > _ONSET_S:
            reply.first_audio, reply.heard_s = now, length_s

    def _in_the_middle(self, reply: Reply, waited_s: float) -> bool:
        if self.reply_s is None:
            return waited_s < _REPLY_OVER_S
        return reply.heard_s < self.reply_s - _SURELY_MISSING_S

    def _due_reply(self, now: float) -> Reply | None:
        """That of the last turn which can be answered by now, if the caller has not begun the next one."""
        latest = None
        for reply in self.replies:
            if now >= reply.vad_stopped - _EARLIEST_S:
                latest = reply
            elif now >= reply.speech_began:
                return None
            else:
                break
        return latest


def as_base64(frames: list[bytes]) -> list[str]:
    return [b64encode(frame).decode() for frame in frames]
