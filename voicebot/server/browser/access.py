"""Who may talk to an agent from a browser, and from which page.

Without being told, a server lets only this machine talk: it must listen on it alone, and be asked under its name. All
others need `--talk AGENT`, a key (in a link: #key=vb_...), or a ticket that somebody with a key has made for them.

A browser says truthfully which page asks (`Origin`), a program may say anything: whether a page of others may embed the
agent is for browsers, whether strangers may talk to it is `--talk`.
"""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request

from voicebot.server.rest.access import admitted
from voicebot.server.rest.problems import Problem
from voicebot.server.rest.rates import Rate, network
from voicebot.server.settings import Settings

ANYBODY = "*"
"""As an agent of `--talk`: all of them."""
_SCOPE = "calls:stream"
_PER_MINUTE, _AT_ONCE = 20, 10
"""Calls that strangers of one address may ask for, in one worker."""
_BEHIND_A_PROXY = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


@dataclass(frozen=True)
class Grant:
    """Somebody may talk."""

    origin: str
    """The page of others in which they do, or ''."""
    key_id: str = ""


class Access:
    """One worker's."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asked = Rate(_PER_MINUTE, _AT_ONCE)

    async def grant(self, agent: str, request: Request) -> Grant:
        """Raises Problem 401, 403, 429."""
        origin = self.embedding(request)
        if "authorization" in request.headers:
            return Grant(origin, (await admitted(request, _SCOPE)).id)
        if self.is_local(request):
            return Grant(origin)
        if not self.is_open(agent):
            raise Problem(401, "Unauthorized", "Talking to this agent needs a link that somebody has made for you.")
        if wait_s := self._asked.take(network(request.client.host if request.client else "")):
            wait = {"Retry-After": str(math.ceil(wait_s))}
            raise Problem(429, "Too many requests", "Too many calls came from your address. Try again soon.", wait)
        return Grant(origin)

    def is_open(self, agent: str) -> bool:
        """Whether strangers may talk to it."""
        return agent in self._settings.talk or ANYBODY in self._settings.talk

    def is_local(self, request: Request) -> bool:
        """Whether it is this machine that asks a server which is for this machine. A proxy before it shows in its
        headers, or in the name under which it is asked; what page asks is looked at, too."""
        named = (self._settings.host, request.url.hostname, request.client.host if request.client else "")
        if self._settings.public_url or any(header in request.headers for header in _BEHIND_A_PROXY):
            return False
        return all(_is_loopback(each or "") for each in named)

    def embedding(self, request: Request) -> str:
        """The origin of the page of others that asks; '' for the own page, and for a program. Raises Problem 403."""
        origin = request.headers.get("origin", "")
        if not origin or self._is_own(origin, request):
            return ""
        if origin.lower() in self._settings.embed_origins:
            return origin
        raise Problem(403, "Forbidden", "Pages of this origin may not embed an agent of this server.")

    def check_own(self, request: Request) -> None:
        """Raises Problem 403 when a page of others asks."""
        origin = request.headers.get("origin", "")
        if origin and not self._is_own(origin, request):
            raise Problem(403, "Forbidden", "Only the page of this server may ask for that.")

    def _is_own(self, origin: str, request: Request) -> bool:
        own = {request.headers.get("host", "").lower(), urlsplit(self._settings.public_url).netloc.lower()} - {""}
        return urlsplit(origin).netloc.lower() in own


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
