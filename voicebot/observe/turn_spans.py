"""One turn as spans: who spoke when, the stages of the answer, the models and tools it took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from voicebot import events
from voicebot.latency import Waterfall, real_ms, waterfalls
from voicebot.observe import content, models
from voicebot.observe.context import tool_key
from voicebot.observe.moments import FAILED, moments
from voicebot.observe.span import CALL, Attributes, Span, Value
from voicebot.observe.turns import Turn

_BEFORE_A_MODEL = (events.TurnEnded, events.BrainPrepared, events.ToolReturned, events.ModelUsed)


@dataclass(frozen=True)
class TurnSpans:
    turn: Turn
    started: events.CallStarted
    agent: str
    """Who answers; another one than at the beginning after a handover."""
    said: bool
    """What was said belongs into the spans."""
    tools: dict[str, int]
    """How often an id of a tool call has been met in the call: models may give one out twice."""

    def all(self) -> Iterator[Span]:
        """The turn's parts and then the turn, which reaches from the first of them to the last."""
        parts = [*self._caller(), *self._speech(), *self._stages(), *self._prepared(), *self._models()]
        own = [real_ms(event) for event in self.turn.events if event.turn == self.turn.number]
        start_ms = min([part.start_ms for part in parts] + own)
        end_ms = max([part.end_ms for part in parts] + own)
        yield from parts
        yield from self._tools(end_ms)
        yield self._whole(start_ms, end_ms)

    @property
    def _key(self) -> str:
        return f"turn {self.turn.number}"

    @cached_property
    def _fall(self) -> Waterfall | None:
        return next((fall for fall in waterfalls(self.turn.events) if fall.turn == self.turn.number), None)

    def _whole(self, start_ms: float, end_ms: float) -> Span:
        told = tuple(moments(self.turn.events, said=self.said))
        failures = [str(moment.attributes["error.type"]) for moment in told if moment.name == FAILED]
        unanswered = self._fall is not None and self._fall.v2v_ms is None
        error = failures[-1] if failures and unanswered else ""
        link = f"turn {self.turn.number - 1}" if self.turn.interrupts else ""
        name = f"invoke_agent {self.agent}"
        return Span(self._key, CALL, name, start_ms, end_ms, "internal", self._about(), told, link, error)

    def _about(self) -> Attributes:
        about = {**self._operation("invoke_agent", self.started.brain), "gen_ai.agent.name": self.agent}
        about["voicebot.turn"] = self.turn.number
        for event in self.turn.events:
            if isinstance(event, events.TurnEnded):
                about["voicebot.end_of_turn.reason"] = event.reason
                if event.probability is not None:
                    about["voicebot.end_of_turn.probability"] = event.probability
            elif isinstance(event, events.AgentSpeechStopped) and event.interrupted:
                about["voicebot.interrupted"] = True
        if self._fall and self._fall.v2v_ms is not None:
            about["voicebot.v2v_ms"] = round(self._fall.v2v_ms, 3)
        return {**about, **content.of_turn(self.turn.events)} if self.said else about

    def _caller(self) -> Iterator[Span]:
        began: float | None = None
        for count, event in enumerate(self.turn.events):
            if isinstance(event, events.CallerSpeechStarted):
                began = event.speech_start_ms
            elif isinstance(event, events.CallerSpeechStopped) and began is not None:
                yield self._part("caller_speaking", count, began, max(began, event.speech_end_ms))
                began = None

    def _speech(self) -> Iterator[Span]:
        began: float | None = None
        for count, event in enumerate(self.turn.events):
            if isinstance(event, events.AgentSpeechStarted):
                began = real_ms(event)
            elif isinstance(event, events.AgentSpeechStopped) and began is not None:
                about: Attributes = {"voicebot.interrupted": event.interrupted}
                yield self._part("agent_speaking", count, began, max(began, real_ms(event)), about)
                began = None

    def _part(self, name: str, count: int, start_ms: float, end_ms: float, about: Attributes | None = None) -> Span:
        """`count` tells those of one name apart."""
        return Span(f"{self._key} {name} {count}", self._key, name, start_ms, end_ms, attributes=about or {})

    def _stages(self) -> Iterator[Span]:
        """The waterfall's, as it has them."""
        if self._fall is None:
            return
        by_stage = {"stt": self.started.stt, "voice": self.started.tts}
        for stage in self._fall.stages:
            about: dict[str, Value] = {"voicebot.stage": stage.name, "voicebot.stage.kind": stage.kind}
            if model := by_stage.get(stage.name):
                about |= models.named(model)
            start_ms = self._fall.speech_end_ms + stage.start_ms
            end_ms = start_ms + stage.duration_ms
            yield Span(f"{self._key} {stage.name}", self._key, stage.name, start_ms, end_ms, attributes=about)

    def _prepared(self) -> Iterator[Span]:
        """What the brain does before it asks a model."""
        for count, event in enumerate(self.turn.events):
            if isinstance(event, events.BrainPrepared):
                about = self._operation("retrieval") if event.step == "retrieve" else {}
                at_ms = real_ms(event)
                yield self._part(event.step, count, at_ms - event.duration_ms, at_ms, about)

    def _models(self) -> Iterator[Span]:
        """A model is asked when the turn is over and prepared, and again when a tool or a model has answered."""
        asked_ms: float | None = None
        for count, event in enumerate(self.turn.events):
            at_ms = real_ms(event)
            if isinstance(event, events.ModelUsed):
                about = {**self._operation("chat", event.provider), **models.usage(event)}
                name = f"chat {about['gen_ai.request.model']}"
                start_ms = at_ms if asked_ms is None else min(asked_ms, at_ms)
                yield Span(f"{self._key} chat {count}", self._key, name, start_ms, at_ms, "client", about)
            if asked_ms is None or isinstance(event, _BEFORE_A_MODEL):
                asked_ms = at_ms

    def _tools(self, over_ms: float) -> Iterator[Span]:
        returned = {each.id: each for each in self.turn.events if isinstance(each, events.ToolReturned)}
        for called in self.turn.events:
            if isinstance(called, events.ToolCalled):
                yield self._tool(called, returned.get(called.id), over_ms)

    def _tool(self, called: events.ToolCalled, returned: events.ToolReturned | None, over_ms: float) -> Span:
        """One that has not returned lasts to the end of the turn, at `over_ms`."""
        count = self.tools[called.id] = self.tools.get(called.id, 0) + 1
        key = tool_key(called.id) + (f" {count}" if count > 1 else "")
        about = {**self._operation("execute_tool"), "gen_ai.tool.name": called.name, "gen_ai.tool.call.id": called.id}
        start_ms = real_ms(called)
        end_ms, error = max(start_ms, over_ms), "no_result"
        if returned:  # one that ran before the turn was sure to be over is told of behind that
            start_ms = min(start_ms, real_ms(returned) - returned.duration_ms)
            end_ms, error = start_ms + returned.duration_ms, "" if returned.ok else "tool_error"
            about["voicebot.attempts"] = returned.attempts
        if self.said:
            about |= content.of_tool(called, returned)
        name = f"execute_tool {called.name}"
        return Span(key, self._key, name, start_ms, end_ms, "internal", about, error=error)

    def _operation(self, operation: str, model: str = "") -> dict[str, Value]:
        about = {"gen_ai.operation.name": operation, "gen_ai.conversation.id": self.started.call_id}
        return {**about, **(models.named(model) if model else {})}
