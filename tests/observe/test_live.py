"""Calls that are traced while they are held: real ears, a real brain, a real tool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

from tests.doubles import web_service
from tests.doubles.openai_endpoint import OpenAIEndpoint, answer
from tests.doubles.otlp_collector import Collector, attributes
from tests.doubles.spoken import SpokenCall, speech
from tests.doubles.stubs import ScriptSTT, ToneTTS
from tests.doubles.web_service import WebService
from voicebot import clock, events
from voicebot.agent import Agent
from voicebot.call import Call
from voicebot.call.telling import Face
from voicebot.latency import waterfalls
from voicebot.observe import span_id, spans
from voicebot.observe.context import tool_key
from voicebot.observe.tracing import Tracing
from voicebot.transports.link import Link

CARD = "4111 1111 1111 1111"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
def opened(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Tracing]:
    """Tracing of its own; nothing in the environment asks for any."""

    def open_(*, said: bool = False) -> Tracing:
        with monkeypatch.context() as env:
            env.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
            return Tracing(said=said)

    return open_


Opened = Callable[..., Tracing]


class Traced(SpokenCall):
    """A spoken call with a face more."""

    tracing: Tracing

    async def _play(self, caller: Any) -> events.CallEnded:
        self.call = Call(self._agent, self.link, stt=self.stt, tts=ToneTTS(), brain=self.brain)
        self.call.subscribe(self.events.append)
        self.call.subscribe(self.tracing.face())

        async def speak() -> None:
            await caller(self)
            self.link.hang_up()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(speak())
            return await self.call.run()


def test_a_spoken_call_arrives_as_its_waterfall_has_it(collector: Collector, opened: Opened) -> None:
    async def interrupts(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await call.say("I would like to book a table.")
        await call.until(events.AgentSaying, 2)
        await asyncio.sleep(0.5)
        await call.say("No, wait a moment please.")
        await call.until(events.AgentSpeechStopped, 3)

    long = "Of course, we have many tables on many days for many people, and I can tell you all of them."
    call = Traced(["i would like to book a table", "no wait a moment please"], [long, "Yes?"])
    call.tracing = opened()
    call.play(interrupts)
    call.tracing.close()
    expected = spans(call.events)
    assert {span.span_id.hex() for span in collector.spans} == {span_id(call.call.id, each.key) for each in expected}
    first, second = waterfalls(call.events)
    turns = collector.named("invoke_agent Test agent")
    for fall, turn in zip((first, second), turns[1:], strict=True):
        below = [span for span in collector.spans if span.parent_span_id == turn.span_id]
        took = {span.name: (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6 for span in below}
        for stage in fall.stages:
            assert took[stage.name] == pytest.approx(stage.duration_ms, abs=1e-3)
    assert [link.span_id for link in turns[2].links] == [turns[1].span_id]


def hold(root: Path, server: OpenAIEndpoint, hears: list[str], face: Face, **brain: Any) -> list[events.Event]:
    """A call whose caller says each of `hears` once it is their turn."""
    told: list[events.Event] = []

    async def replies(count: int) -> None:
        while sum(isinstance(event, events.AgentSpeechStopped) for event in told) < count:  # noqa: ASYNC110 - a plain list
            await asyncio.sleep(0.01)

    async def speak(link: Link) -> None:
        for count, _ in enumerate(hears, 1):
            await replies(count)
            await asyncio.sleep(0.5)
            await link.speak(await speech("I say something here."))
        await replies(len(hears) + 1)
        link.hang_up()

    async def whole() -> None:
        async with server:
            settings = {"llm": "openai/double", "prompt": "You are Ava.", "base_url": server.url, **brain}
            path = root / "ava.yaml"
            path.write_text(yaml.safe_dump({"name": "ava", "greeting": "Hello.", "brain": settings}))
            link = Link("tester")
            call = Call(Agent.load(path), link, stt=ScriptSTT(hears, interim=True), tts=ToneTTS())
            call.subscribe(told.append)
            call.subscribe(face)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(speak(link))
                await call.run()

    clock.run(whole(), skip_idle=True)
    return told


@pytest.mark.parametrize("said", [False, True])
def test_nothing_private_is_in_a_trace(tmp_path: Path, collector: Collector, opened: Opened, said: bool) -> None:
    server = OpenAIEndpoint(answer(f"Thank you, {CARD}, is that right?"), answer("Goodbye, Nina Lopez."))
    tracing = opened(said=said)
    hears = [f"my card is {CARD}", "my name is nina lopez"]
    told = hold(tmp_path, server, hears, tracing.face(), guardrails={"pii": "redact"})
    tracing.close()
    assert any(isinstance(event, events.GuardrailHit) for event in told)
    turns = collector.named("invoke_agent ava")
    assert any(event.name == "guardrail_hit" for turn in turns for event in turn.events)
    assert {span.parent_span_id for span in collector.named("guard")} == {turn.span_id for turn in turns[1:]}
    texts = "\n".join(collector.texts)
    assert CARD not in texts
    assert CARD.replace(" ", "") not in texts
    assert ("is that right" in texts) is said
    if not said:
        assert "nina" not in texts.lower()


async def asked_by_a_tool(root: Path, face: Face) -> tuple[dict[str, Any], list[events.Event]]:
    """What a web service was asked in a call, and the call."""
    async with WebService(web_service.json({"open": True})).running() as service:
        tool = {"http": {"name": "look", "description": "Look.", "url": f"{service.url}/look"}}
        server = OpenAIEndpoint(answer("", ("look", {})), answer("It is open."))
        told = await asyncio.to_thread(hold, root, server, ["are you open"], face, tools=[tool])
    (asked,) = service.asked
    return asked, told


async def test_a_service_that_a_tool_asks_stands_below_the_tool(
    tmp_path: Path, collector: Collector, opened: Opened
) -> None:
    tracing = opened()
    asked, told = await asked_by_a_tool(tmp_path, tracing.face())
    await asyncio.to_thread(tracing.close)
    (called,) = (event for event in told if isinstance(event, events.ToolCalled))
    (started,) = (event for event in told if isinstance(event, events.CallStarted))
    tool = collector.one("execute_tool look")
    assert tool.span_id.hex() == span_id(started.call_id, tool_key(called.id))
    assert asked["headers"]["traceparent"] == f"00-{tool.trace_id.hex()}-{tool.span_id.hex()}-01"
    assert attributes(collector.named("chat double")[0])["gen_ai.provider.name"] == "openai"


async def test_a_service_is_told_nothing_when_nobody_traces(tmp_path: Path) -> None:
    asked, _ = await asked_by_a_tool(tmp_path, lambda event: None)
    assert "traceparent" not in asked["headers"]
