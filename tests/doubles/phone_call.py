"""Calls by telephone: a caller who really speaks, Twilio's side of the stream, and the whole engine behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from tests.doubles.sockets import pair
from tests.doubles.spoken import AGENT, speech
from tests.doubles.stubs import EchoBrain, ScriptSTT, ToneTTS
from tests.doubles.twilio_stream import TwilioStream
from voicebot import clock, events
from voicebot.agent import Agent
from voicebot.call import Call
from voicebot.errors import VoicebotError
from voicebot.transports import twilio
from voicebot.transports.link import Link

E = TypeVar("E", bound=events.Event)


class PhoneCall:
    """A call on the skip-idle clock. `stream` is Twilio, `phone` the caller's telephone, `events` what happened.

    `delay_s` is that of the network, one way.
    """

    def __init__(
        self,
        hears: list[str],
        says: list[str],
        *,
        greeting: str = "Hello there.",
        delay_s: float = 0.05,
        brain: EchoBrain | None = None,
        record: Path | None = None,
        settings: str = "",
    ) -> None:
        """`settings`: lines that are added to the agent's file."""
        self.brain = brain or EchoBrain(says, greeting=greeting)
        self.events: list[events.Event] = []
        self.phone = Link("+15550100", rate_hz=8000)
        self.error: VoicebotError | None = None
        """What the call raised."""
        self._stt = ScriptSTT(hears, interim=True)
        self._delay_s = delay_s
        self._record = record
        self._agent = Agent.parse(AGENT + settings)

    def play(self, caller: Callable[[PhoneCall], Awaitable[None]]) -> events.CallEnded:
        """The whole call; it ends when `caller` does, unless something ends it first."""
        return clock.run(self._play(caller), skip_idle=True)

    async def _play(self, caller: Callable[[PhoneCall], Awaitable[None]]) -> events.CallEnded:
        self.socket, server = pair(self._delay_s)
        self.stream = TwilioStream(self.phone, self.socket, {"caller": self.phone.caller})

        async def speak() -> None:
            try:
                await caller(self)
            finally:
                self.phone.hang_up()

        calling = asyncio.create_task(self.stream.run())
        self.leg = await twilio.answer(server)
        self.call = Call(self._agent, self.leg, record=self._record, stt=self._stt, tts=ToneTTS(8000), brain=self.brain)
        self.call.subscribe(self.events.append)
        speaking = asyncio.create_task(speak())
        try:
            await self.call.run()
        except VoicebotError as error:
            self.error = error
        finally:
            await self.leg.hang_up()
        await calling
        if speaking.done():
            speaking.result()
        speaking.cancel()
        await asyncio.sleep(1)
        self.tasks_left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        return self.only(events.CallEnded)

    async def say(self, text: str) -> None:
        await self.phone.speak(await speech(text, 8000))

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
