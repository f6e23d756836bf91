"""Whole spoken calls with a language model: the real SDK asks a loopback server, the answer streams to the voice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.doubles.openai_endpoint import Answer, OpenAIEndpoint, answer
from tests.doubles.project import llm_agent
from tests.doubles.spoken import speech
from tests.doubles.stubs import ScriptSTT, ToneTTS
from voicebot import clock, events
from voicebot.brain.mind import open_brain
from voicebot.brain.session import GraphBrain
from voicebot.call import Call
from voicebot.latency import real_ms, waterfalls
from voicebot.transports.link import Link

E = TypeVar("E", bound=events.Event)

TOOL = '''
def opening_hours(day: str) -> str:
    """When we are open on a day."""
    return f"eight to five on {day}"
'''


class LlmCall:
    """A spoken call whose brain is the real one, asking `server`."""

    def __init__(self, root: Path, server: OpenAIEndpoint, hears: list[str], how: dict[str, Any]) -> None:
        agent = llm_agent(root, server, TOOL, brain=how)
        brain = open_brain(agent, "test")
        assert isinstance(brain, GraphBrain)
        self.brain = brain
        self.link = Link("tester")
        self.events: list[events.Event] = []
        self.call = Call(agent, self.link, stt=ScriptSTT(hears, interim=True), tts=ToneTTS(), brain=brain)
        self.call.subscribe(self.events.append)

    async def stopped(self, count: int) -> events.AgentSpeechStopped:
        while len(found := [e for e in self.events if isinstance(e, events.AgentSpeechStopped)]) < count:  # noqa: ASYNC110 - the events are a plain list
            await asyncio.sleep(0.01)
        return found[count - 1]

    async def say(self, text: str) -> None:
        await self.link.speak(await speech(text))

    async def until(self, kind: type[E], turn: int) -> E:
        """Waits for the first event of a kind in a turn."""
        while not (found := [e for e in self.events if isinstance(e, kind) and e.turn == turn]):  # noqa: ASYNC110 - the events are a plain list
            await asyncio.sleep(0.01)
        return found[0]


def play(
    root: Path, server: OpenAIEndpoint, hears: list[str], caller: Callable[[LlmCall], Awaitable[None]], **how: Any
) -> list[events.Event]:
    async def whole() -> list[events.Event]:
        async with server:
            call = LlmCall(root, server, hears, how)

            async def speak() -> None:
                try:
                    async with asyncio.timeout(60):  # in call time
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
        while not any(isinstance(e, events.AgentSpeechStarted) and e.turn == 1 for e in call.events):  # noqa: ASYNC110 - the events are a plain list
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


def fillers(happened: list[events.Event]) -> list[str]:
    return [e.text for e in happened if isinstance(e, events.AgentSaying) and e.filler]


def test_a_caller_whose_answer_is_late_hears_a_filler_and_the_memory_does_not(tmp_path: Path):
    remembered: list[str] = []

    async def ask(call: LlmCall) -> None:
        await call.stopped(1)
        await asyncio.sleep(0.5)
        await call.say("When are you open?")
        await call.stopped(2)
        remembered.extend(message.text for message in await call.brain.messages())

    server = OpenAIEndpoint(answer("We open at eight.", first_s=2.0))
    happened = play(tmp_path, server, ["when are you open"], ask)
    assert fillers(happened) == ["One moment."]
    (started,) = [e for e in happened if isinstance(e, events.AgentSpeechStarted) and e.turn == 1]
    (ended,) = [e for e in happened if isinstance(e, events.TurnEnded)]
    assert started.filler
    assert started.t_ms - ended.t_ms < 1500, "from when it was decided that the caller had finished"
    (stopped,) = [e for e in happened if isinstance(e, events.AgentSpeechStopped) and e.turn == 1]
    assert stopped.heard == "One moment. We open at eight."
    assert remembered[-1] == "We open at eight."
    (fall,) = waterfalls(happened)
    assert fall.filler_ms == real_ms(started) - ended.speech_end_ms
    assert fall.v2v_ms is not None
    decided_ms = ended.t_ms - ended.speech_end_ms
    assert 1500 < fall.v2v_ms - decided_ms < 3000, "the latency of the answer, not of the filler"
    assert {stage.name for stage in fall.stages} >= {"brain", "voice"}


def test_interrupting_a_filler_leaves_nothing_of_it(tmp_path: Path):
    remembered: list[str] = []

    async def interrupt(call: LlmCall) -> None:
        await call.stopped(1)
        await asyncio.sleep(0.5)
        await call.say("When are you open?")
        await call.until(events.AgentSpeechStarted, 1)
        await asyncio.sleep(0.2)
        await call.say("Wait a minute, please.")
        await call.stopped(3)
        remembered.extend(message.text for message in await call.brain.messages())

    server = OpenAIEndpoint(answer("Never said.", first_s=60), answer("Yes?"))
    happened = play(tmp_path, server, ["when are you open", "wait a minute"], interrupt)
    assert any(isinstance(e, events.BargeIn) for e in happened)
    assert remembered[-3:] == ["when are you open", "wait a minute", "Yes?"]


def test_an_answer_that_gets_stuck_is_bridged_where_it_was_cut_off(tmp_path: Path):
    """The filler stands between two halves of the answer; a caller who cuts in behind it is remembered to the word."""
    remembered: list[str] = []

    async def interrupt(call: LlmCall) -> None:
        await call.stopped(1)
        await asyncio.sleep(0.5)
        await call.say("What do you offer?")
        while len(fillers(call.events)) < 1:  # noqa: ASYNC110 - the events are a plain list
            await asyncio.sleep(0.01)
        while len([e for e in call.events if isinstance(e, events.AgentSaying) and e.turn == 1]) < 3:  # noqa: ASYNC110 - the events are a plain list
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.5)
        await call.say("Wait a minute, please.")
        await call.stopped(3)
        remembered.extend(message.text for message in await call.brain.messages())

    slow = Answer("One two three. Four five six seven eight nine ten.", pause_after=3, pause_s=2.7)
    server = OpenAIEndpoint(slow, answer("Yes?"))
    how = {"filler": {"after": "300ms", "say": "One moment."}, "patience": "30s", "speculative": False}
    happened = play(tmp_path, server, ["what do you offer", "wait a minute"], interrupt, **how)
    (cut,) = [e for e in happened if isinstance(e, events.AgentSpeechStopped) and e.interrupted]
    assert cut.heard.startswith("One two three. One moment. Four")
    assert remembered[-3] == cut.heard.replace(" One moment.", "")


@pytest.mark.parametrize("speculative", [True, False])
def test_the_model_is_asked_while_it_is_decided_whether_the_caller_has_finished(tmp_path: Path, speculative: bool):
    seen: list[events.Event] = []
    was_over: list[bool] = []

    async def ask(call: LlmCall) -> None:
        call.call.subscribe(seen.append)
        await call.stopped(1)
        await asyncio.sleep(0.5)
        await call.say("When are you open?")
        await call.stopped(2)

    def answered(body: dict[str, Any]) -> Answer:
        was_over.append(any(isinstance(event, events.TurnEnded) for event in seen))
        return answer("We open at eight.", first_s=0.5)

    happened = play(tmp_path, OpenAIEndpoint(answered), ["when are you open"], ask, speculative=speculative)
    assert was_over == [not speculative], "one request, and the guess comes before the end of the turn"
    assert [e.heard for e in happened if isinstance(e, events.AgentSpeechStopped)][-1] == "We open at eight."


def test_a_caller_who_goes_on_is_answered_once_and_in_full(tmp_path: Path):
    async def ask(call: LlmCall) -> None:
        await call.stopped(1)
        await asyncio.sleep(0.5)
        await call.say("I would like to know")
        await asyncio.sleep(0.45)
        await call.say("when you are open on Monday.")
        await call.stopped(2)

    server = OpenAIEndpoint(answer("We open at eight.", first_s=0.6))
    happened = play(tmp_path, server, ["I would like to know", "when you are open on monday"], ask)
    ended = [e.text for e in happened if isinstance(e, events.TurnEnded)]
    asked = [body["messages"][-1]["content"] for body in server.requests]
    assert asked[-1] == ended[-1]
    said = [e.heard for e in happened if isinstance(e, events.AgentSpeechStopped)]
    assert said[1:] == ["We open at eight."]
    assert len(server.hung_up_at) == len(asked) - 1
    used = [e for e in happened if isinstance(e, events.ModelUsed)]
    assert len(used) == len(asked), "what was asked in vain is counted"
