"""`voicebot.Call` with stub providers, on the wire the others use.

The engine is the product's, untouched: its ear, floor, Smart Turn, Pipecat pipeline, mouth and playout. The stub brain
never says that a text settles the turn, so that Smart Turn is asked at every end of a turn, as in the other systems.
Like them, the agent does not speak up when the caller is silent: callers wait here until all calls are set up.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from benchmarks import stubs
from benchmarks.systems.serve import serve
from voicebot.agent import Agent
from voicebot.brain import Output, Say, ToolResult
from voicebot.call import Call
from voicebot.stt import Transcript
from voicebot.transports import twilio
from voicebot.transports.dialect import LineLost, SocketClosed
from voicebot.transports.served import Upgrade, upgrades
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

    async def say(self, text: str) -> AsyncGenerator[Output, None]:
        yield Say(text)

    async def heard(self, text: str, *, interrupted: bool) -> None: ...

    async def prepare(self, text: str) -> None: ...

    def settles(self, text: str) -> bool:
        return False

    def on_finish(self, tell: Callable[[ToolResult], None]) -> None: ...

    has_news = False

    async def close(self) -> Sequence[Output]:
        return ()


agent = Agent.parse(_AGENT)


async def call(upgrade: Upgrade) -> None:
    """One call over Twilio Media Streams."""
    try:
        line = await twilio.answer(upgrade.accept())
    except (LineLost, SocketClosed):
        return
    try:
        await Call(agent, line, stt=StubSTT(), tts=StubTTS(), brain=StubBrain()).run()
    finally:
        await line.hang_up()


async def nothing_else(scope: Any, receive: Any, send: Any) -> None:
    """The server has no other pages."""


if __name__ == "__main__":
    serve(nothing_else, ws=upgrades({"/ws": call}.get), lifespan="off")
