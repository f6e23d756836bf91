"""Traces of calls on their way to a collector: OTLP over HTTP, by OpenTelemetry's own SDK and exporter.

    if tracing := tracing_wanted():
        call.subscribe(tracing.face(traceparent))

A face makes spans of a turn's events once the answer can be heard, when nobody waits: some tenths of a millisecond,
less than handing them to a thread would cost. A thread of the SDK's sends them. Nothing of a call waits for that: what
finds no room, or does not get through, is dropped, counted, and told once. A call is traced whole or not at all: the
sampler decides when it begins.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterable
from functools import cache
from typing import Any

from loguru import logger

from voicebot.errors import BadInput, MissingExtra, VoicebotError
from voicebot.events import Event
from voicebot.observe import environment
from voicebot.observe.call_trace import CallTrace
from voicebot.observe.collector import Collector, Say
from voicebot.observe.context import parent_of

CLOSE_S = 5.0
"""How long the end of a process waits for what is still to be sent."""
EXPORT_S = 30.0
"""How long somebody waits who wants nothing but that."""


@cache
def tracing_wanted() -> Tracing | None:
    """This process's; None when the environment asks for none, or for what cannot be had, which is told once.

    Loads the SDK the first time, which takes some tenths of a second: not on an event loop that has calls.
    """
    try:
        return Tracing() if environment.wanted() else None
    except VoicebotError as error:
        logger.warning(f"calls are not traced: {error}")
        return None


if hasattr(os, "register_at_fork"):  # threads are not copied: a forked process begins anew
    os.register_at_fork(after_in_child=tracing_wanted.cache_clear)


class Tracing:
    """The queues and the way to the collector, which all calls of a process share."""

    def __init__(
        self, *, every_call: bool = False, said: bool | None = None, room: int = 0, say: Say = logger.warning
    ) -> None:
        """As the environment says, but for what is given here.

        `every_call`: no sampler is asked. `said`: what was said is sent, too. `room`: spans that may wait. What goes
        wrong is told by `say`. Raises MissingExtra, BadInput.
        """
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.trace.export import BatchSpanProcessor

            from voicebot.observe.sdk import Sdk
        except ModuleNotFoundError:
            raise MissingExtra("OpenTelemetry's SDK", "observe") from None
        self.said = environment.said_in_spans() if said is None else said
        self._say = say
        self._room = room or environment.queue_size()
        self._queued = 0
        self._dropped = 0
        try:
            self.collector = Collector(OTLPSpanExporter(), environment.place(), say)
            batch = None if self._room >= environment.BATCH else self._room
            exporter: Any = self.collector
            sending = BatchSpanProcessor(exporter, self._room, max_export_batch_size=batch)
            self._sdk = Sdk(sending, every_call=every_call)
        except ValueError as error:
            raise BadInput(f"OTEL_* in the environment: {error}") from None
        self._process = os.getpid()
        self._closing = threading.Event()
        self._closed = threading.Event()
        threading.Thread(target=self._close, name="traces", daemon=True).start()
        atexit.register(self.close)

    def face(self, traceparent: str = "") -> CallTrace:
        """For `Call.subscribe`, before the call runs. `traceparent`: the header of the request that began the call."""
        return CallTrace(self, self._sdk, parent_of(traceparent))

    def export(self, call: Iterable[Event]) -> None:
        """Queue the trace of a recorded call, of one that broke off, too."""
        self.face().whole(call)

    def has_room(self, count: int) -> bool:
        """Whether so many spans may be queued; else they are counted as dropped."""
        if self.waiting + count <= self._room:
            return True
        self._drop(count)
        return False

    def _drop(self, count: int) -> None:
        if not self._dropped:
            self._say(f"spans of traces are dropped: {self.collector.place} takes them too slowly")
        self._dropped += count

    def queued(self) -> None:
        self._queued += 1

    @property
    def waiting(self) -> int:
        """Spans that are queued or under way."""
        return self._queued - self.collector.sent - self.collector.failed

    @property
    def lost(self) -> int:
        """Spans that have found no room or have not got through."""
        return self._dropped + self.collector.failed

    def close(self, within_s: float = CLOSE_S) -> None:
        """Send what is queued, and say what was lost. Happens at the end of the process at the latest."""
        if self._closing.is_set() or self._process != os.getpid():
            return
        atexit.unregister(self.close)
        self._closing.set()
        self._closed.wait(within_s)
        self.collector.gone = True
        self._dropped += self.waiting
        if self.lost:
            self._say(f"{self.lost} spans of traces did not reach {self.collector.place}")

    def _close(self) -> None:
        """The SDK knows no limit for it, so on a thread; which is there early, as a process that ends begins none."""
        self._closing.wait()
        self._sdk.close()
        self._closed.set()
