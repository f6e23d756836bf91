"""The program ngrok, for the real pyngrok: its log on stdout, and its API on a port of this machine.

    environment = installed(tmp_path)      # PATH and HOME of whoever is to find it
    url, program = tunnels(tmp_path)[0]    # what was opened, and the process that holds it open
    os.kill(program, signal.SIGUSR1)       # its session is lost: it goes on, and forwards nothing
    refuse(tmp_path)                       # from now on it ends at its start, because another one runs

The public address is one of this machine's, and leads to the upstream as long as the process lives. Without an auth
token it ends as ngrok does. https://ngrok.com/docs/agent/api
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_OPENED = "NGROK_DOUBLE_OPENED"
_REFUSES, _SERVED = ".refuses", ".served"
_DEAF = threading.Event()
"""Its session is lost."""


def installed(folder: Path, token: str = "good-token") -> dict[str, str]:
    """Environment of a process that is to find ngrok there."""
    programs = folder / "bin"
    programs.mkdir()
    program = programs / "ngrok"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "$@"\n')
    program.chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    named = {"NGROK_AUTHTOKEN": token} if token else {}
    return {"PATH": path, "HOME": str(folder), _OPENED: str(folder / "tunnels"), **named}


def tunnels(folder: Path) -> list[tuple[str, int]]:
    """(public address, process) of those that were opened, in order."""
    opened = folder / "tunnels"
    lines = opened.read_text().splitlines() if opened.exists() else []
    return [(public, int(program)) for public, program in (line.split() for line in lines)]


def served(folder: Path) -> int:
    """How many connections through tunnels are over."""
    mark = folder / f"tunnels{_SERVED}"
    return len(mark.read_text().splitlines()) if mark.exists() else 0


def refuse(folder: Path, *, again: bool = True) -> None:
    """Whether it ends at its start."""
    mark = folder / f"tunnels{_REFUSES}"
    mark.touch() if again else mark.unlink()


def end_all(folder: Path) -> None:
    """Of a command that was killed: ngrok outlives it."""
    for _, program in tunnels(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(program, signal.SIGKILL)


class _Forward(socketserver.BaseRequestHandler):
    """One connection through a tunnel."""

    upstream: tuple[str, int]

    def handle(self) -> None:
        with contextlib.suppress(OSError), socket.create_connection(self.upstream) as there:
            self._pass_on(there)
        with Path(os.environ[_OPENED] + _SERVED).open("a") as out:
            out.write("one\n")

    def _pass_on(self, there: socket.socket) -> None:
        ends = {self.request: there, there: self.request}
        while not _DEAF.is_set():
            for ready in select.select(list(ends), [], [], 0.1)[0]:
                if not (said := ready.recv(65536)):
                    return
                ends[ready].sendall(said)


def _public(upstream: str) -> str:
    """An address that leads there from now on."""
    host, _, port = upstream.rpartition(":")
    forward = type("_To", (_Forward,), {"upstream": (host, int(port))})
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), forward)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


class _Agent(BaseHTTPRequestHandler):
    opened: dict[str, dict[str, Any]] = {}  # noqa: RUF012 - there is one agent in a process

    def do_GET(self) -> None:
        self._answer(200, {"tunnels": list(self.opened.values()), "uri": "/api/tunnels"})

    def do_POST(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        public = _public(wanted["addr"])
        tunnel = {
            "name": wanted["name"],
            "uri": f"/api/tunnels/{wanted['name']}",
            "public_url": public,
            "proto": "https",
            "config": {"addr": f"http://{wanted['addr']}", "inspect": True},
            "metrics": {},
        }
        self.opened[wanted["name"]] = tunnel
        with Path(os.environ[_OPENED]).open("a") as out:
            out.write(f"{public} {os.getpid()}\n")
        self._answer(201, tunnel)

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *values: Any) -> None:
        """Nothing of it belongs into the agent's log."""


def _log(text: str) -> None:
    sys.stdout.write(f"t=2026-01-01T12:00:00+0000 {text}\n")
    sys.stdout.flush()


def _lose() -> None:
    _DEAF.set()
    _log('lvl=eror msg="session closed, starting reconnect loop" obj=csess err="read EOF from remote peer"')


def main() -> int:
    if "good-token" not in sys.argv:
        _log('lvl=eror msg="session closed, starting reconnect loop" obj=csess err="authentication failed: '
             'Usage of ngrok requires a verified account and authtoken.\\r\\n\\r\\nERR_NGROK_4018\\r\\n"')  # fmt: skip
        return 1
    if Path(os.environ[_OPENED] + _REFUSES).exists():
        _log('lvl=eror msg="session closed, starting reconnect loop" obj=csess err="authentication failed: '
             'Your account is limited to 1 agent session.\\r\\n\\r\\nERR_NGROK_108\\r\\n"')  # fmt: skip
        return 1
    signal.signal(signal.SIGUSR1, lambda *_: _lose())
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Agent)
    _log(f'lvl=info msg="starting web service" obj=web addr=127.0.0.1:{server.server_address[1]} allow_hosts=[]')
    _log('lvl=info msg="client session established" obj=csess')
    _log('lvl=info msg="tunnel session started" obj=tunnels.session')
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
