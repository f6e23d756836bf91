"""A collector of traces on the loopback device that speaks OTLP over HTTP, well-behaved and not."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

PATH = "/v1/traces"


class Collector:
    """Takes what exporters send, in a thread of its own. `with Collector() as collector: ...`"""

    def __init__(self, *, status: int = 200, hangs: bool = False) -> None:
        self.status = status
        """What it answers; may be changed at any time."""
        self.requests: list[ExportTraceServiceRequest] = []
        """Those it has taken."""
        self.headers: list[dict[str, str]] = []
        self.asked = 0
        self._hangs = hangs
        self._go_on = threading.Event()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                with suppress(ConnectionError):  # the exporter did not wait for the answer
                    collector._answer(self)

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Collector:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.die()

    def die(self) -> None:
        """It is gone, and its port with it."""
        self._go_on.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked += 1
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if self._hangs:
            self._go_on.wait(60)
        if self.status == 200:
            assert handler.path == PATH
            assert handler.headers["Content-Type"] == "application/x-protobuf"
            plain = gzip.decompress(body) if handler.headers.get("Content-Encoding") == "gzip" else body
            self.headers.append({name.lower(): value for name, value in handler.headers.items()})
            self.requests.append(ExportTraceServiceRequest.FromString(plain))
        answer = ExportTraceServiceResponse().SerializeToString()
        handler.send_response(self.status)
        handler.send_header("Content-Type", "application/x-protobuf")
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    # -- what it has been sent ---------------------------------------------------------------------------------------

    @property
    def spans(self) -> list[Any]:
        return [
            span
            for request in list(self.requests)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def named(self, name: str) -> list[Any]:
        """The spans of a name, by their time."""
        return sorted((span for span in self.spans if span.name == name), key=lambda span: span.start_time_unix_nano)

    def one(self, name: str) -> Any:
        (span,) = self.named(name)
        return span

    @property
    def texts(self) -> Iterator[str]:
        """Everything anywhere in it that is text."""
        return (text for request in self.requests for text in _texts(request))


def attributes(span: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


def _texts(message: Any) -> Iterator[str]:
    """Of a protobuf message, at any depth."""
    for field, value in message.ListFields():
        for each in [value] if isinstance(value, str | bytes | int | float) or hasattr(value, "ListFields") else value:
            if isinstance(each, str):
                yield each
            elif field.message_type is not None:
                yield from _texts(each)
