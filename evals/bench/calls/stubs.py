"""What the stand-ins for recogniser, model and voice do, the same in every system: all of them do the same work.

They answer at once: what is measured is the engine between them, not a provider.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from voicebot.stt import Transcript
from voicebot.tts import Speech

if TYPE_CHECKING:
    from voicebot.agent import Agent
    from voicebot.brain import Output, ToolResult

RATE_HZ = 8000
GREETING = "Bright Smile Dental, how can I help?"
HEARD = "Tomorrow at ten would be great."
"""What the recogniser understands, always."""
REPLY = "Thank you very much I have noted that."
"""What the model answers, always: one sentence, one clause, so that no system may begin with less."""
_MS_PER_CHARACTER = 52
AGENT = f"""
name: Benchmark
greeting: {GREETING}
voice: {{turns: {{idle: 10m}}}}
brain: {{llm: openai/stub, prompt: Never asked.}}
"""
"""It does not speak up when the caller is silent, as the others do not: callers wait until all calls are there."""


def reply_tokens() -> list[str]:
    """The reply as a language model streams it: word by word."""
    first, *rest = REPLY.split()
    return [first, *(f" {word}" for word in rest)]


def length_s(text: str) -> float:
    """How long it takes to say `text`; `REPLY`: about two seconds."""
    return len(text) * _MS_PER_CHARACTER / 1000


@cache
def speak(text: str) -> bytes:
    """s16le mono at `RATE_HZ`: a tone as long as `text` takes to say."""
    seconds = np.arange(round(length_s(text) * RATE_HZ)) / RATE_HZ
    return np.asarray(8000 * np.sin(2 * np.pi * 300 * seconds)).astype(np.int16).tobytes()


PARTS = f"{__name__}:parts"
"""What VOICEBOT_PARTS is to name."""

# -- for voicebot ----------------------------------------------------------------------------------------------------


class Stream:
    """Hears the same sentence each time, final as soon as it is asked for."""

    def start(self) -> None: ...

    def feed(self, pcm: bytes) -> None: ...

    async def finish(self) -> Transcript:
        return Transcript(HEARD)

    def cancel(self) -> None: ...

    async def close(self) -> None: ...


class Recogniser:
    name = "stub"

    async def load(self) -> None: ...

    def stream(self, rate_hz: int, on_interim: Callable[[str], None]) -> Stream:
        return Stream()


class Voice:
    """Speaks tones, at once."""

    name = "stub"

    async def load(self) -> None: ...

    async def speak(self, text: str) -> AsyncGenerator[Speech, None]:
        yield Speech(speak(text), RATE_HZ)


class Brain:
    """Streams the same reply each time, at once.

    It never says that a text settles the turn, so that Smart Turn is asked at every end of a turn, as in all systems.
    """

    name = "stub"
    has_news = False

    async def greet(self) -> AsyncGenerator[Output, None]:
        from voicebot.brain import Say

        yield Say(GREETING)

    async def reply(self, text: str) -> AsyncGenerator[Output, None]:
        from voicebot.brain import Say

        for token in reply_tokens():
            yield Say(token)

    async def heard(self, text: str, *, interrupted: bool) -> None: ...

    async def prepare(self, text: str) -> None: ...

    def settles(self, text: str) -> bool:
        return False

    def on_finish(self, tell: Callable[[ToolResult], None]) -> None: ...

    async def close(self) -> Sequence[Output]:
        return ()


def parts(_agent: Agent) -> dict[str, Any]:
    """Of one call: what a server is given instead of an agent's own providers."""
    return {"stt": Recogniser(), "tts": Voice(), "brain": Brain()}
