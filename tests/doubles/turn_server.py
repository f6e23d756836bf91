"""coturn, a relay for WebRTC, on one address of this machine.

    async with relay("s3cret") as server:
        f"turn:{server.address}"

Debian's package `coturn`: https://github.com/coturn/coturn/blob/master/README.turnserver
"""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aioice.ice import get_host_addresses

PROGRAM = shutil.which("turnserver")
_START_S = 30.0
_SETTINGS = """
listening-ip={host}
relay-ip={host}
listening-port={port}
realm=voicebot.test
use-auth-secret
static-auth-secret={secret}
fingerprint
no-tls
no-dtls
no-cli
verbose
log-file={folder}/log
simple-log
pidfile={folder}/pid
userdb={folder}/users
"""


@dataclass(frozen=True)
class Relay:
    host: str
    port: int
    log: Path

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.is_file() else ""

    @property
    def users(self) -> list[str]:
        """Who was given an address, in order."""
        return re.findall(r"new, realm=<[^>]*>, username=<([^>]*)>", self.said)


@asynccontextmanager
async def relay(secret: str) -> AsyncIterator[Relay]:
    """It relays for everybody who has credentials that were made with `secret`."""
    assert PROGRAM
    host = get_host_addresses(use_ipv4=True, use_ipv6=False)[0]  # not 127.0.0.1: coturn relays nothing to loopback
    with tempfile.TemporaryDirectory(prefix="voicebot-turn-") as folder:
        server = Relay(host, _free(host), Path(folder) / "log")
        settings = Path(folder) / "turnserver.conf"
        settings.write_text(_SETTINGS.format(host=host, port=server.port, secret=secret, folder=folder))
        process = await asyncio.create_subprocess_exec(
            PROGRAM, "-c", str(settings),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await _listens(server)
            yield server
        finally:
            process.kill()
            await process.wait()


def _free(host: str) -> int:
    """Of UDP, and of TCP, too, most likely."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind((host, 0))
        return int(found.getsockname()[1])


async def _listens(server: Relay) -> None:
    async with asyncio.timeout(_START_S):
        while True:
            try:
                _, writer = await asyncio.open_connection(server.host, server.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
