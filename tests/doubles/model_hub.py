"""A loopback server that gives out files as the Hugging Face hub does, and fails in the ways it and networks do.

A file's address redirects to the storage and announces the file's sha256 in X-Linked-Etag; the storage knows Range and
If-Range. What goes wrong is told in advance, one `Trouble` for each request to the storage:

    with ModelHub({"owner/repo/main/x.gguf": data}, Trouble(cut_after=1000)) as hub: ...
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Trouble:
    """What happens to one request to the storage. Without any, it is answered well."""

    status: int = 0
    retry_after: str = ""
    cut_after: int | None = None
    """Bytes after which the connection is torn down."""
    ignores_range: bool = False
    damaged: bool = False
    """One byte is wrong."""
    wait: threading.Event | None = None
    """Nothing more is sent after `cut_after` bytes until this is set."""


class ModelHub:
    """`files`: 'owner/repo/revision/name' -> content. `announced` replaces the sha256 that is announced."""

    def __init__(self, files: Mapping[str, bytes], *troubles: Trouble, announced: str | None = None) -> None:
        self.files = dict(files)
        self.troubles = list(troubles)
        self.announced = announced
        self.etag = "stored-1"
        self.requests: list[tuple[str, dict[str, str]]] = []
        """(path, headers) of all requests to the storage."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(hub) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler's own self is within
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path.startswith("/storage/"):
                    hub.requests.append((self.path, dict(self.headers)))
                    hub._store(self, self.path.removeprefix("/storage/"))
                else:
                    hub._redirect(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler

    def _redirect(self, request: BaseHTTPRequestHandler) -> None:
        name = request.path.strip("/").replace("/resolve/", "/")
        if name not in self.files:
            _send(request, 404, b"Entry not found")
            return
        sha256 = hashlib.sha256(self.files[name]).hexdigest() if self.announced is None else self.announced
        headers = {"Location": f"/storage/{name}"}
        if sha256:
            headers["X-Linked-Etag"] = f'"{sha256}"'
        _send(request, 302, b"", headers)

    def _store(self, request: BaseHTTPRequestHandler, name: str) -> None:
        trouble = self.troubles.pop(0) if self.troubles else Trouble()
        if trouble.status:
            _send(request, trouble.status, b"", {"Retry-After": trouble.retry_after} if trouble.retry_after else {})
            return
        content = self.files[name]
        begin = 0
        asked = request.headers.get("Range", "")
        same = request.headers.get("If-Range", f'"{self.etag}"') == f'"{self.etag}"'
        if asked and same and not trouble.ignores_range:
            begin = int(asked.removeprefix("bytes=").rstrip("-"))
        if begin and begin >= len(content):
            _send(request, 416, b"", {"Content-Range": f"bytes */{len(content)}"})
            return
        body = bytearray(content[begin:])
        if trouble.damaged:
            body[-1] ^= 1
        headers = {"ETag": f'"{self.etag}"', "Accept-Ranges": "bytes"}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        _send(request, 206 if begin else 200, bytes(body), headers, trouble)


def _send(
    request: BaseHTTPRequestHandler,
    status: int,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    trouble: Trouble = Trouble(),
) -> None:
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
        request.send_header(name, value)
    request.end_headers()
    if trouble.cut_after is None:
        request.wfile.write(body)
        return
    request.wfile.write(body[: trouble.cut_after])
    request.wfile.flush()
    if trouble.wait:
        trouble.wait.wait(10.0)
    request.close_connection = True
    request.connection.close()
