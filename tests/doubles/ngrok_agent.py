"""The program ngrok, for the real pyngrok: its log on stdout, and its API on a port of this machine.

    environment = installed(tmp_path)      # PATH and HOME of whoever is to find it
    url, upstream = tunnels(tmp_path)[0]   # what was opened

Nothing is forwarded: the double of Twilio knows where a public address leads. Without an auth token it ends as ngrok
does. https://ngrok.com/docs/agent/api
"""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_OPENED = "NGROK_DOUBLE_OPENED"


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


def tunnels(folder: Path) -> list[tuple[str, str]]:
    """(public address, host:port) of those that were opened, in order."""
    opened = folder / "tunnels"
    lines = opened.read_text().splitlines() if opened.exists() else []
    return [(public, upstream) for public, upstream in (line.split() for line in lines)]


class _Agent(BaseHTTPRequestHandler):
    opened: dict[str, dict[str, Any]] = {}  # noqa: RUF012 - there is one agent in a process

    def do_GET(self) -> None:
        self._answer(200, {"tunnels": list(self.opened.values()), "uri": "/api/tunnels"})

    def do_POST(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        public = f"https://{len(self.opened) + 1:04x}-203-0-113-7.ngrok-free.app"
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
            out.write(f"{public} {wanted['addr']}\n")
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


def main() -> int:
    if "good-token" not in sys.argv:
        _log('lvl=eror msg="session closed, starting reconnect loop" obj=csess err="authentication failed: '
             'Usage of ngrok requires a verified account and authtoken.\\r\\n\\r\\nERR_NGROK_4018\\r\\n"')  # fmt: skip
        return 1
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Agent)
    _log(f'lvl=info msg="starting web service" obj=web addr=127.0.0.1:{server.server_address[1]} allow_hosts=[]')
    _log('lvl=info msg="client session established" obj=csess')
    _log('lvl=info msg="tunnel session started" obj=tunnels.session')
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
