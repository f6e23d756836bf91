"""A collector that hangs, refuses or dies costs spans. The call is what it is without one, and its log has a line."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

from tests.doubles.otlp_collector import Collector
from tests.doubles.told_call import ToldCall
from voicebot.observe.tracing import Tracing

WITHIN_MS = 2000.0
"""An exporter that was waited for would take ten seconds."""


@cache
def undisturbed() -> ToldCall:
    call = ToldCall()
    call.hold()
    return call


Trouble = Callable[[Collector], Callable[[], None]]
TROUBLES: dict[str, tuple[Collector, Trouble]] = {
    "never answers": (Collector(hangs=True), lambda collector: lambda: None),
    "refuses": (Collector(status=503), lambda collector: lambda: None),
    "dies in the call": (Collector(), lambda collector: collector.die),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_the_call_does_not_notice(trouble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    collector, disturb = TROUBLES[trouble]
    told: list[str] = []
    with collector:
        with monkeypatch.context() as env:  # no longer, or every call of this process would be traced
            env.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.5")
            env.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
            env.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
            tracing = Tracing(say=told.append)
        call = ToldCall(tracing.face())
        once = iter([disturb(collector)])
        call.between = lambda: next(once, lambda: None)()
        ended = call.hold()
        tracing.close(0.2 if trouble == "never answers" else 5)
    assert ended.reason == "caller_hung_up"
    assert call.timeline == undisturbed().timeline
    assert call.gaps_ms == undisturbed().gaps_ms
    assert call.held_up_ms < undisturbed().held_up_ms + WITHIN_MS
    assert tracing.lost > 0
    assert len([line for line in told if "do not reach" in line]) <= 1
    assert len(told) <= 2, "one line when it begins, one with the sum"
