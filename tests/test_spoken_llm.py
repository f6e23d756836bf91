"""Whole spoken calls with a language model: the real SDK asks a loopback server, the answer streams to the voice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.doubles.openai_endpoint import OpenAIEndpoint, answer
from tests.doubles.project import llm_agent
from tests.doubles.spoken import speech
from tests.doubles.stubs import ScriptSTT, ToneTTS
from voicebot import clock, events
from voicebot.brain.mind import open_brain
from voicebot.brain.session import GraphBrain
from voicebot.call import Call
from voicebot.transports.link import Link

TOOL = '''
def opening_hours(day: str) -> str:
    """When we are open on a day."""
    return f"eight to five on {day}"
'''


class LlmCall:
    """A spoken call whose brain is the real one, asking `server`."""

    def __init__(self, root: Path, server: OpenAIEndpoint, hears: list[str]) -> None:
        agent = llm_agent(root, server, TOOL)
        brain = open_brain(agent, "test")
        assert isinstance(brain, GraphBrain)
        self.brain = brain
        self.link = Link("tester")
        self.events: list[events.Event] = []
        self.call = Call(agent, self.link, stt=ScriptSTT(hears, interim=True), tts=ToneTTS(), brain=brain)
        self.call.subscribe(self.events.append)

    async def stopped(self, count: int) -> events.AgentSpeechStopped:
        while len(found := [e for e in self.events if isinstance(e, events.AgentSpeechStopped)]) < count:  # noqa: ASYNC110 - in call time
            await asyncio.sleep(0.01)
        return found[count - 1]

    async def say(self, text: str) -> None:
        await self.link.speak(await speech(text))


def play(
    root: Path, server: OpenAIEndpoint, hears: list[str], caller: Callable[[LlmCall], Awaitable[None]]
) -> list[events.Event]:
    async def whole() -> list[events.Event]:
        async with server:
            call = LlmCall(root, server, hears)

            async def speak() -> None:
                try:
                    await caller(call)
                finally:
                    call.link.hang_up()

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(speak())
                await call.call.run()
            return call.events

    return clock.run(whole(), skip_idle=True)


def test_a_model_with_a_tool_answers_by_voice(tmp_path: Path):
    async def ask(call: LlmCall) -> None:
        await call.stopped(1)
        await asyncio.sleep(0.5)
        await call.say("When are you open on Monday?")
        await call.stopped(2)

    server = OpenAIEndpoint(
        answer("", ("opening_hours", {"day": "Monday"})), answer("We open at eight, and close at five.")
    )
    happened = play(tmp_path, server, ["when are you open on monday"], ask)
    assert [e.name for e in happened if isinstance(e, events.ToolCalled)] == ["opening_hours"]
    assert [e.result for e in happened if isinstance(e, events.ToolReturned)] == ["eight to five on Monday"]
    said = [e.heard for e in happened if isinstance(e, events.AgentSpeechStopped)]
    assert said[-1] == "We open at eight, and close at five."
    clauses = [e.text for e in happened if isinstance(e, events.AgentSaying) and e.turn == 1]
    assert clauses == ["We open at eight,", "and close at five."]


def test_after_a_barge_in_the_model_is_told_what_the_caller_heard(tmp_path: Path):
    remembered: list[str] = []

    async def interrupt(call: LlmCall) -> None:
        await call.stopped(1)
        await asyncio.sleep(0.5)
        await call.say("What do you offer?")
        while not any(isinstance(e, events.AgentSpeechStarted) and e.turn == 1 for e in call.events):  # noqa: ASYNC110 - in call time
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.5)
        await call.say("Wait a minute, please.")
        await call.stopped(3)
        remembered.extend(message.text for message in await call.brain.messages())

    server = OpenAIEndpoint(answer("One two three four five six seven eight nine ten."), answer("Yes?"))
    happened = play(tmp_path, server, ["what do you offer", "wait a minute"], interrupt)
    (cut,) = [e for e in happened if isinstance(e, events.AgentSpeechStopped) and e.interrupted]
    assert 3 <= len(cut.heard.split()) <= 7
    assert cut.heard in remembered
    assert not any("ten" in text for text in remembered)
    sent = [message["content"] for message in server.requests[-1]["messages"] if message["role"] == "assistant"]
    assert any(str(text).startswith(cut.heard) for text in sent)
