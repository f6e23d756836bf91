"""`voicebot.Call` with stub providers, on the wire the others use.

The engine is the product's, untouched: its ear, floor, Smart Turn, Pipecat pipeline, mouth and playout. The stub brain
never says that a text settles the turn, so that Smart Turn is asked at every end of a turn, as in the other systems.
Like them, the agent does not speak up when the caller is silent: callers wait here until all calls are set up.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from benchmarks import mulaw, stubs
from benchmarks.systems.serve import serve
from voicebot.agent import Agent
from voicebot.brain import Output, Say, ToolResult
from voicebot.call import Call
from voicebot.media.schedule import Schedule
from voicebot.stt import Transcript
from voicebot.transports import Ear, HangUp
from voicebot.tts import Speech

_AGENT = f"""
name: Benchmark
greeting: {stubs.GREETING}
voice: {{turns: {{idle: 10m}}}}
brain: {{llm: openai/stub, prompt: Never asked.}}
"""


class StubStream:
    """Hears the same sentence each time, final as soon as it is asked for."""

    def start(self) -> None: ...

    def feed(self, pcm: bytes) -> None: ...

    async def finish(self) -> Transcript:
        return Transcript(stubs.HEARD)

    def cancel(self) -> None: ...

    async def close(self) -> None: ...


class StubSTT:
    name = "stub"

    async def load(self) -> None: ...

    def stream(self, rate_hz: int, on_interim: Callable[[str], None]) -> StubStream:
        return StubStream()


class StubTTS:
    """Speaks tones, at once."""

    name = "stub"

    async def load(self) -> None: ...

    async def speak(self, text: str) -> AsyncGenerator[Speech, None]:
        yield Speech(stubs.speak(text), stubs.RATE_HZ)


class StubBrain:
    """Streams the same reply each time, at once."""

    name = "stub"

    async def greet(self) -> AsyncGenerator[Output, None]:
        yield Say(stubs.GREETING)

    async def reply(self, text: str) -> AsyncGenerator[Output, None]:
        for token in stubs.reply_tokens():
            yield Say(token)

    async def heard(self, text: str, *, interrupted: bool) -> None: ...

    async def prepare(self, text: str) -> None: ...

    def settles(self, text: str) -> bool:
        return False

    def on_finish(self, tell: Callable[[ToolResult], None]) -> None: ...

    has_news = False

    async def close(self) -> Sequence[Output]:
        return ()


class MediaStream:
    """Twilio Media Streams as a voicebot `Transport`: Twilio buffers what it is given, so replies go out at once."""

    name = "media-stream"
    rate_hz = stubs.RATE_HZ

    def __init__(self, websocket: WebSocket) -> None:
        self.caller = ""
        self._websocket = websocket
        self._schedule = Schedule(self.rate_hz)
        self._outgoing: asyncio.Queue[dict[str, object]] = asyncio.Queue()

    async def run(self, ear: Ear) -> HangUp:
        sending = asyncio.create_task(self._send())
        try:
            async for text in self._websocket.iter_text():
                message = json.loads(text)
                if message["event"] == "media":
                    ear.audio(mulaw.decode(base64.b64decode(message["media"]["payload"])))
                elif message["event"] == "stop":
                    break
        finally:
            sending.cancel()
        return "caller_hung_up"

    def play(self, pcm: bytes) -> None:
        self._schedule.play(len(pcm) // 2)
        payload = base64.b64encode(mulaw.encode(pcm)).decode()
        self._outgoing.put_nowait({"event": "media", "media": {"payload": payload}})

    def clear(self) -> None:
        self._schedule.clear()
        self._outgoing.put_nowait({"event": "clear"})

    def played(self) -> int:
        return self._schedule.played()

    async def _send(self) -> None:
        while True:
            message = await self._outgoing.get()
            with suppress(WebSocketDisconnect):  # `run` sees the end of the call too, and reports it
                await self._websocket.send_text(json.dumps({**message, "streamSid": self.caller}))

    async def answer(self) -> None:
        """Wait for Twilio's first messages."""
        await self._websocket.accept()
        while (message := json.loads(await self._websocket.receive_text()))["event"] != "start":
            pass
        self.caller = message["streamSid"]


agent = Agent.parse(_AGENT)


async def call(websocket: WebSocket) -> None:
    """One call over Twilio Media Streams."""
    line = MediaStream(websocket)
    try:
        await line.answer()
    except WebSocketDisconnect:
        return
    await Call(agent, line, stt=StubSTT(), tts=StubTTS(), brain=StubBrain()).run()


app = Starlette(routes=[WebSocketRoute("/ws", call)])

if __name__ == "__main__":
    serve(app)
