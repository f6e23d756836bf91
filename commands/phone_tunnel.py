"""Where Twilio reaches the server of a command: a tunnel that is opened for it, or the user's own; watched over."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from .terminal import Screen

if TYPE_CHECKING:
    from voicebot.server.address import Address
    from voicebot.telephony.tunnel import Tunnel


@dataclass(frozen=True)
class Way:
    """Into this machine."""

    url: str
    tunnel: Tunnel | None
    """None: it is the user's own."""


@asynccontextmanager
async def way(url: str, port: int, root: Path) -> AsyncIterator[Way]:
    """To 127.0.0.1:`port`, by `url` or else by a tunnel that is closed at the end. Raises Unavailable, BadInput."""
    from voicebot import config
    from voicebot.telephony.tunnel import TOKEN, Tunnel

    if url:
        yield Way(checked(url), None)
        return
    tunnel = Tunnel(port, config.key(TOKEN, root))
    try:
        yield Way(await tunnel.open(), tunnel)
    finally:
        await tunnel.close()


def checked(url: str) -> str:
    """Of --url. Raises BadInput."""
    from voicebot.errors import BadInput

    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise BadInput(f"--url: '{url}' is no web address. Write it as https://my-tunnel.example.com.")
    return url.rstrip("/")


@asynccontextmanager
async def watched(
    screen: Screen, way: Way, address: Address, moved: Callable[[str], Awaitable[None]] | None = None
) -> AsyncIterator[None]:
    """While the block runs, it is said when the way is lost and when it is back; `address` is the server's.

    `moved` is told where a tunnel is that was opened again. Raises Unavailable when it could not be.
    """
    from voicebot.telephony import reach

    async def elsewhere(url: str) -> None:
        address.url = url  # first: what Twilio signs for it is good from now on
        if moved:
            await moved(url)

    async with reach.asking(address.identity) as leads_here:
        face = _Face(screen, address, own=way.tunnel is None)
        watch = reach.Watch(way.url, leads_here, way.tunnel, elsewhere, face, reach.PACE)
        async with reach.watching(watch):
            yield


class _Face:
    """What is said of it, one line each."""

    def __init__(self, screen: Screen, address: Address, *, own: bool) -> None:
        self._screen = screen
        self._address = address
        self._own = own

    def unseen(self, url: str, why: str) -> None:
        self._screen.warn(f"{url} does not lead to this machine, as far as can be seen from here ({why}).")

    def lost(self, url: str, why: str) -> None:
        self._address.lost = True
        does = "it is waited for" if self._own else "it is opened again"
        self._screen.warn(f"{url} does not lead here any more ({why}): callers do not come through; {does} ...")

    def not_yet(self, why: str) -> None:
        self._screen.warn(f"the tunnel is not open again yet: {why}")

    def back(self, url: str) -> None:
        self._address.lost = False
        sentence = f"{url} leads here: callers come through again."
        self._screen.err.print(Text(sentence), soft_wrap=True)  # also when quiet: its loss was said, too
