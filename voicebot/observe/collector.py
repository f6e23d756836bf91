"""The way to the collector: OpenTelemetry's exporter, and an account of what got through."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

Say = Callable[[str], None]
_NOISY = ("opentelemetry.exporter", "opentelemetry.sdk._shared_internal")
"""They log each failure of each request; here it is told once."""


class Collector:
    """A span exporter of the SDK around its own one. Called from one thread, the batch processor's."""

    def __init__(self, exporter: Any, place: str, say: Say) -> None:
        """`place`: where the collector is, for a person; who is told by `say` when it is in trouble."""
        self.place = place
        self._say = say
        self.sent = 0
        self.failed = 0
        self.gone = False
        """Nobody waits any more: what comes now is not sent."""
        self.why = ""
        """Why the last request failed; '' when it did not."""
        self._exporter = exporter
        self._heard = _Heard()
        for name in _NOISY:
            noisy = logging.getLogger(name)
            noisy.handlers, noisy.propagate = [self._heard], False

    def export(self, spans: Sequence[Any]) -> Any:
        """Blocks until they are there, or cannot be."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        result = SpanExportResult.FAILURE if self.gone else self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._went_well(len(spans))
        else:
            self._failed(len(spans))
        return result

    def _went_well(self, count: int) -> None:
        self.sent += count
        if self.why and not self.gone:
            self._say(f"traces reach {self.place} again; {self.failed} spans are lost")
            self.why = ""

    def _failed(self, count: int) -> None:
        self.failed += count
        if not self.why and not self.gone:
            self.why = self._heard.why
            self._say(f"traces do not reach {self.place} ({self.why}): what it does not take is dropped")

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return bool(self._exporter.force_flush(timeout_millis))


class _Heard(logging.Handler):
    """What the exporter logs about a failure, without anything that may hold a key: no URL, no words of the server."""

    def __init__(self) -> None:
        super().__init__()
        self.why = "no answer"

    def emit(self, record: logging.LogRecord) -> None:
        for said in record.args if isinstance(record.args, tuple) else ():
            if isinstance(said, int):
                self.why = f"HTTP {said}"
            elif isinstance(said, Exception):
                self.why = type(said).__name__
