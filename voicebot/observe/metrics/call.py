"""The face of one call that counts: a table from an event's type to what it adds to.

A turn's latencies are counted when it is over (`voicebot.observe.turns`), everything else as it happens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from voicebot import events
from voicebot.latency import waterfalls
from voicebot.money.prices import Prices
from voicebot.observe.metrics.meters import GAP_S, Meters
from voicebot.observe.metrics.replies import Gaps, at_work
from voicebot.observe.turns import Turn, Turns

_LEFT_OUT = (events.TranscriptInterim, events.BrainMoved)
"""They come often, and nothing is counted by them."""


class CallFigures:
    """Called on the event loop with each event of its call."""

    def __init__(self, meters: Meters, agent: str, table: Prices) -> None:
        """`agent` answers the call; `table` prices its telephone line."""
        self._meters = meters
        self._agent = meters.talk.agents(agent)
        self._table = table
        self._turns = Turns()
        self._gaps = Gaps()
        self._started: events.CallStarted | None = None
        self._counts: dict[type[Any], Callable[[Any], None]] = {
            events.CallStarted: self._begin,
            events.BargeIn: self._barge_in,
            events.AgentResumed: self._resumed,
            events.CallerSilent: self._silent,
            events.AudioNotice: self._notice,
            events.ToolReturned: self._tool,
            events.HandedOver: self._handed_over,
            events.GuardrailHit: self._guardrail,
            events.ProviderFailed: self._failed,
            events.ModelUsed: self._model,
            events.SpeechUsed: self._speech,
            events.BudgetReached: self._budget,
            events.CallEnded: self._end,
        }

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, _LEFT_OUT):
            return
        gap_ms = self._gaps.take(event)
        if gap_ms > GAP_S * 1000 and self._started and self._started.rate_hz:
            self._meters.talk.gaps.observe(gap_ms / 1000)
        if count := self._counts.get(type(event)):
            count(event)
        for turn in self._turns.add(event):
            self._turn(turn)

    # -- from its beginning to its end -------------------------------------------------------------------------------

    def _begin(self, event: events.CallStarted) -> None:
        self._started = event
        self._meters.talk.expect(self._agent)

    def _end(self, event: events.CallEnded) -> None:
        for turn in self._turns.rest():
            self._turn(turn)
        self._meters.talk.duration.labels(self._agent).observe(event.t_ms / 1000)
        if self._started and (line := self._table.line(self._started.transport)):
            self._spent("telephony", self._started.transport, line.cost_usd(event.t_ms / 1000))

    def _turn(self, turn: Turn) -> None:
        talk = self._meters.talk
        for fall in waterfalls(turn.events):
            talk.turns.labels(self._agent, "unanswered" if fall.v2v_ms is None else "answered").inc()
            if fall.v2v_ms is not None:
                talk.v2v.labels(self._agent).observe(max(0.0, fall.v2v_ms / 1000))
            for stage in fall.stages:
                who = self._provider(at_work(stage.name, turn.events, self._started))
                talk.stage.labels(stage.name, who).observe(stage.duration_ms / 1000)

    # -- talk --------------------------------------------------------------------------------------------------------

    def _barge_in(self, _: events.BargeIn) -> None:
        self._meters.talk.barge_ins.labels(self._agent).inc()

    def _resumed(self, _: events.AgentResumed) -> None:
        self._meters.talk.false_interruptions.labels(self._agent).inc()

    def _silent(self, _: events.CallerSilent) -> None:
        self._meters.talk.silences.labels(self._agent).inc()

    def _notice(self, event: events.AudioNotice) -> None:
        self._meters.talk.notices.labels(event.kind).inc()

    # -- deeds -------------------------------------------------------------------------------------------------------

    def _tool(self, event: events.ToolReturned) -> None:
        """A model may call a tool anything: a name counts from when a tool of that name has worked."""
        deeds = self._meters.deeds
        name = deeds.tools(event.name) if event.ok else deeds.tools.known(event.name)
        deeds.ran(name, event.duration_ms / 1000, ok=event.ok)

    def _handed_over(self, event: events.HandedOver) -> None:
        self._meters.deeds.handovers.labels("agent" if event.agent else "outside").inc()

    def _guardrail(self, event: events.GuardrailHit) -> None:
        self._meters.deeds.guardrails.labels(event.rail, event.side, event.action).inc()

    # -- providers and money -----------------------------------------------------------------------------------------

    def _failed(self, event: events.ProviderFailed) -> None:
        self._meters.providers.errors.labels(event.kind, self._provider(event.provider)).inc()

    def _model(self, event: events.ModelUsed) -> None:
        tokens = self._meters.money.tokens
        who = self._provider(event.provider)
        tokens.labels(who, "input").inc(event.input_tokens)
        tokens.labels(who, "cached").inc(event.cached_tokens)
        tokens.labels(who, "output").inc(event.output_tokens)
        self._spent("llm", event.provider, event.cost_usd)

    def _speech(self, event: events.SpeechUsed) -> None:
        self._spent(event.kind, event.provider, event.cost_usd)

    def _budget(self, event: events.BudgetReached) -> None:
        self._meters.money.budgets.labels(event.of, "yes" if event.over else "no").inc()

    def _spent(self, kind: str, provider: str, usd: float | None) -> None:
        money, who = self._meters.money, self._provider(provider)
        if usd is None:
            money.unpriced.labels(kind, who).inc()
        else:
            money.cost.labels(kind, who).inc(usd)

    def _provider(self, name: str) -> str:
        return self._meters.providers.names(name)
