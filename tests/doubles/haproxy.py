"""A real HAProxy before servers of ours, with the file that is deployed, but for addresses."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIG = Path(__file__).resolve().parents[2] / "deploy" / "haproxy.cfg"
_START_S = 5.0


def program() -> str | None:
    """Where it is; None: it is not installed (Debian: apt-get install haproxy)."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")


@contextmanager
def proxied(folder: Path, *ports: int) -> Iterator[str]:
    """The URL by which the servers at these two ports are reached; the configuration is written to `folder`."""
    found = program()
    assert found, "the test skips without it"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = CONFIG.read_text().replace("bind :80\n", f"bind 127.0.0.1:{port}\n")
    for number, behind in enumerate(ports, 1):
        text = re.sub(rf"voicebot-{number}:\d+", f"127.0.0.1:{behind}", text)
    config = folder / "haproxy.cfg"
    config.write_text(text)
    process = subprocess.Popen([found, "-db", "-f", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until_open(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _until_open(port: int) -> None:
    until_s = time.monotonic() + _START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < until_s, "HAProxy did not start"
            time.sleep(0.05)
        else:
            return
