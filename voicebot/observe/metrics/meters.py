"""Every metric of a call and of a provider, defined once; docs/metrics-server.md explains them.

    meters = Meters()
    call.subscribe(CallFigures(meters, "front-desk", prices(project)))
    ward().witnesses.append(meters.providers)

What a worker and its admission count is on the board (`voicebot.server.capacity.board`).
"""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from voicebot.observe.health import Kind
from voicebot.observe.metrics.labels import Names

_OURS = "voicebot"
WAITS_S = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Edges for what somebody waits for: fine where answers are good, coarse where they are not."""
GAP_S = 0.06
"""A silence in the middle of a reply that is shorter is none; `voicebot bench calls` allows as much."""
_GAPS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_LATE_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
_CALLS_S = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0)


class Meters:
    """Of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        """With what this process counts; `voicebot.observe.metrics.files` is for several."""
        make = _Make(self.registry)
        self.talk = Talk(make)
        self.deeds = Deeds(make)
        self.money = Money(make)
        self.providers = Providers(make)
        self.loop_lag = make.histogram("loop_lag_seconds", "How late the event loop came to what was due.", (), _LATE_S)


class _Make:
    """Makes what Prometheus knows as voicebot_<name>."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def counter(self, name: str, text: str, labels: Sequence[str]) -> Counter:
        return Counter(name, text, labels, namespace=_OURS, registry=self._registry)

    def gauge(self, name: str, text: str, labels: Sequence[str]) -> Gauge:
        """The sum over the processes that there are."""
        return Gauge(name, text, labels, namespace=_OURS, registry=self._registry, multiprocess_mode="livesum")

    def histogram(
        self, name: str, text: str, labels: Sequence[str] = (), edges: Sequence[float] = WAITS_S
    ) -> Histogram:
        return Histogram(name, text, labels, namespace=_OURS, registry=self._registry, buckets=edges)


class Talk:
    """How the conversation goes."""

    def __init__(self, make: _Make) -> None:
        self.agents = Names()
        self.duration = make.histogram("call_duration_seconds", "How long calls were.", ["agent"], _CALLS_S)
        self.v2v = make.histogram("v2v_seconds", "End of the caller's speech to the agent's first sound.", ["agent"])
        text = "That time by stage, as in the waterfall, and who was at work."
        self.stage = make.histogram("stage_seconds", text, ["stage", "provider"])
        self.turns = make.counter("turns", "Turns of callers, answered or not.", ["agent", "outcome"])
        self.barge_ins = make.counter("barge_ins", "Replies that the caller interrupted.", ["agent"])
        text = "Sounds of the caller's that silenced the agent for a moment and were no words for it."
        self.false_interruptions = make.counter("false_interruptions", text, ["agent"])
        text = "Silences in the middle of a reply, from 60 ms on, in which its next words were not there yet."
        self.gaps = make.histogram("audio_gap_seconds", text, (), _GAPS_S)
        self.notices = make.counter("audio_notices", "Calls whose sound from the caller was bad.", ["kind"])
        self.silences = make.counter("caller_silences", "Times that the caller had nothing to say.", ["agent"])

    def expect(self, agent: str) -> None:
        """What its calls are counted by is there from now on: Prometheus sees no first one in a series that begins
        with it."""
        for each in (self.duration, self.v2v, self.barge_ins, self.false_interruptions, self.silences):
            each.labels(agent)
        for outcome in ("answered", "unanswered"):
            self.turns.labels(agent, outcome)


class Deeds:
    """What agents do besides talking."""

    def __init__(self, make: _Make) -> None:
        self.tools = Names()
        self.tool_calls = make.counter("tool_calls", "Tools that ran, well or not.", ["tool", "outcome"])
        self.tool = make.histogram("tool_seconds", "How long tools ran.", ["tool"])
        self.guardrails = make.counter("guardrail_hits", "Guardrails that struck.", ["rail", "side", "action"])
        self.handovers = make.counter("handovers", "Callers that were passed on: to an agent, or outside.", ["to"])

    def ran(self, tool: str, seconds: float, *, ok: bool) -> None:
        """The other outcome is there from now on, too: a share of failures is 0, and not unknown, before the first."""
        for outcome in ("ok", "failed"):
            self.tool_calls.labels(tool, outcome).inc(outcome == ("ok" if ok else "failed"))
        self.tool.labels(tool).observe(seconds)


class Money:
    """What is used, and what it costs by the price table."""

    def __init__(self, make: _Make) -> None:
        self.cost = make.counter("cost_usd", "US dollars, by the price table.", ["kind", "provider"])
        self.unpriced = make.counter(
            "unpriced", "Uses that have no price and are not in the cost.", ["kind", "provider"]
        )
        self.tokens = make.counter("tokens", "Of language models.", ["provider", "direction"])
        self.budgets = make.counter("budgets_reached", "Budgets that were nearly or all spent.", ["of", "over"])
        for of in ("call", "day"):
            for over in ("yes", "no"):
                self.budgets.labels(of, over)  # there from the beginning: an alert shall see the first one


class Providers:
    """How providers do. `names` bounds the label of all metrics that have it. A `voicebot.observe.health.Witness`."""

    def __init__(self, make: _Make) -> None:
        self.names = Names()
        text = "Failures of providers that calls noticed, and went on."
        self.errors = make.counter("provider_errors", text, ["kind", "provider"])
        self._tries = make.counter("provider_tries", "What providers were asked.", ["kind", "provider", "outcome"])
        text = "First token of a model, first audio of a voice, final transcript behind the end of speech."
        self._took = make.histogram("provider_seconds", text, ["kind", "provider"])
        text = "Workers that pass this provider over for now: its circuit breaker is open."
        self._open = make.gauge("provider_passed_over", text, ["kind", "provider"])

    def took(self, kind: Kind, name: str, seconds: float) -> None:
        self._took.labels(kind, self.names(name)).observe(seconds)

    def tried(self, kind: Kind, name: str, *, ok: bool) -> None:
        """The other outcome is there from now on, too."""
        for outcome in ("ok", "failed"):
            self._tries.labels(kind, self.names(name), outcome).inc(outcome == ("ok" if ok else "failed"))

    def passed_over(self, kind: Kind, name: str, *, yes: bool) -> None:
        self._open.labels(kind, self.names(name)).inc(1 if yes else -1)
