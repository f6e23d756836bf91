"""Calls whose caller really speaks, for tests of the engine: eSpeak's voice over a `Link`, real VAD and Smart Turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import soxr

from tests.doubles.stubs import EchoBrain, ScriptSTT, ToneTTS
from voicebot import clock, events
from voicebot.agent import Agent
from voicebot.call import Call
from voicebot.transports.link import Link
from voicebot.tts.espeak import Espeak

E = TypeVar("E", bound=events.Event)

AGENT = """
name: Test agent
brain: {llm: openai/gpt-4.1-mini, prompt: You are a test.}
"""


async def speech(text: str, rate_hz: int = 16000) -> bytes:
    """`text` as s16le, spoken by eSpeak, cut to where it sounds."""
    pcm = b"".join([chunk.pcm async for chunk in Espeak("en-us+f2").speak(text)])
    samples = np.frombuffer(pcm, np.int16)
    loud = np.flatnonzero(np.abs(samples) > 600)
    resampled = soxr.resample(samples[loud[0] : loud[-1] + 1], 22050, rate_hz)
    return bytes(resampled.astype(np.int16).tobytes())


class SpokenCall:
    """A call on the skip-idle clock. `events` and `brain` tell what happened."""

    def __init__(
        self,
        hears: list[str],
        says: list[str],
        *,
        greeting: str = "Hello there.",
        settings: str = "",
        interim: bool = True,
        finish_s: float = 0.0,
        settles: bool = False,
        brain: EchoBrain | None = None,
        stt: ScriptSTT | None = None,
        record: Path | None = None,
    ) -> None:
        self.link = Link("tester")
        self.brain = brain or EchoBrain(says, greeting=greeting, settles=settles)
        self.stt = stt or ScriptSTT(hears, interim=interim, finish_s=finish_s)
        self.events: list[events.Event] = []
        self._record = record
        self._agent = Agent.parse(AGENT + settings)

    def play(self, caller: Callable[[SpokenCall], Awaitable[None]]) -> events.CallEnded:
        """The whole call; it ends when `caller` does, unless the agent ends it first."""
        return clock.run(self._play(caller), skip_idle=True)

    async def _play(self, caller: Callable[[SpokenCall], Awaitable[None]]) -> events.CallEnded:
        self.call = Call(self._agent, self.link, record=self._record, stt=self.stt, tts=ToneTTS(), brain=self.brain)
        self.call.subscribe(self.events.append)

        async def speak() -> None:
            try:
                await caller(self)
            finally:
                self.link.hang_up()

        speaking = asyncio.create_task(speak())
        ended = await self.call.run()
        if speaking.done():
            speaking.result()
        speaking.cancel()
        return ended

    async def say(self, text: str) -> None:
        await self.link.speak(await speech(text))

    async def until(self, kind: type[E], count: int = 1) -> E:
        """Waits for the `count`-th event of a kind."""
        while len(found := self.all(kind)) < count:  # noqa: ASYNC110 - the events are a plain list
            await asyncio.sleep(0.01)  # in call time, which costs nothing here
        return found[count - 1]

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def only(self, kind: type[E]) -> E:
        (event,) = self.all(kind)
        return event
