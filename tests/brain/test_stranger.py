"""A ReAct agent as LangGraph's documentation writes one is talked to without a change: typed, spoken, and by name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.doubles.project import a_call, outputs_of, project, words
from tests.doubles.spoken import speech
from tests.doubles.stubs import ScriptSTT
from tests.graphs_of_others import react
from voicebot import clock, events
from voicebot.agent import Agent
from voicebot.brain import CallTool, ToolResult
from voicebot.call import Call
from voicebot.transports.link import Link
from voicebot.tts.espeak import Espeak

SOURCE = Path(react.__file__)


@pytest.fixture(params=["graph.py:graph", "langgraph.json:agent"])
def agent(request: pytest.FixtureRequest, tmp_path: Path) -> Agent:
    (tmp_path / "graph.py").write_text(SOURCE.read_text())
    table = {"dependencies": ["."], "graphs": {"agent": "./graph.py:graph"}}
    (tmp_path / "langgraph.json").write_text(json.dumps(table))
    return project(tmp_path, {"graph": request.param})


def test_it_knows_nothing_of_voicebot():
    assert "voicebot" not in SOURCE.read_text().partition('"""\n')[2]


async def test_typed(agent: Agent):
    async with a_call(agent) as brain:
        opening = await outputs_of(brain, "When are you open?")
        assert words(opening).startswith("We are open from eight in the morning")
        assert len(opening) > 10, "word by word"
        await brain.heard(words(opening), interrupted=False)
        asking = await outputs_of(brain, "Book a table on Tuesday, please.")
        assert words(asking) == "One moment please. Shall I book a table on Tuesday at noon?"
        assert [each.name for each in asking if isinstance(each, CallTool)] == ["book_table"]
        await brain.heard(words(asking), interrupted=False)
        answering = await outputs_of(brain, "Yes, please.")
        assert words(answering).startswith("Your table is booked on Tuesday at noon.")
        assert [each.ok for each in answering if isinstance(each, ToolResult)] == [True]


class Spoken:
    """A spoken call: `caller` says things when it likes, and `heard` are the agent's replies."""

    def __init__(self, agent: Agent, hears: list[str]) -> None:
        self.link = Link("tester")
        self.events: list[events.Event] = []
        self.call = Call(agent, self.link, stt=ScriptSTT(hears, interim=True), tts=Espeak())
        self.call.subscribe(self.events.append)

    async def play(self, caller: Callable[[Spoken], Awaitable[None]]) -> None:
        async def speak() -> None:
            try:
                await caller(self)
            finally:
                self.link.hang_up()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(speak())
            await self.call.run()

    async def said(self, count: int) -> str:
        """What the caller heard of the reply of that number."""
        while len(found := [e for e in self.events if isinstance(e, events.AgentSpeechStopped)]) < count:  # noqa: ASYNC110 - in call time
            await asyncio.sleep(0.01)
        return found[count - 1].heard

    async def say(self, text: str) -> None:
        await asyncio.sleep(0.5)
        await self.link.speak(await speech(text))


def test_spoken(agent: Agent):
    heard: list[str] = []

    async def caller(call: Spoken) -> None:
        heard.append(await call.said(1))
        await call.say("When are you open?")
        while not any(isinstance(e, events.AgentSaying) and e.turn == 1 for e in call.events):  # noqa: ASYNC110 - in call time
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.5)
        await call.say("Book a table on Tuesday, please.")
        heard.append(await call.said(2))
        heard.append(await call.said(3))
        await call.say("Yes, please.")
        heard.append(await call.said(4))

    call = Spoken(agent, ["when are you open", "book a table on tuesday", "yes please"])
    clock.run(call.play(caller), skip_idle=True)
    assert heard[1].startswith("We are open")
    assert not heard[1].endswith("Sunday."), "the caller cut in"
    assert heard[2:] == [
        "One moment please. Shall I book a table on Tuesday at noon?",
        "Your table is booked on Tuesday at noon. Is there anything else I can do for you today?",
    ]
    kinds = [type(event) for event in call.events]
    assert kinds.count(events.ToolCalled) == kinds.count(events.ToolReturned) == 1
    assert any(isinstance(e, events.BrainMoved) and e.node == "__interrupt__" for e in call.events)
