"""Who may: an API key in `Authorization: Bearer vb_...`, and what it is good for.

    key = await guard.admit(request.headers.get("authorization"), "calls:read", "203.0.113.7")

A key may ask so often; whoever comes without a good one may try much less often. A client that has failed too often is
only let through with a key that was good here before, so that a neighbour behind the same address cannot lock others
out, and guesses do not reach the database.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import OrderedDict
from typing import TYPE_CHECKING

from voicebot.server.rest.problems import Problem
from voicebot.server.rest.rates import Rate, network

if TYPE_CHECKING:
    from voicebot.server.site import Site
    from voicebot.server.state import Key

KEY_PER_MINUTE, KEY_AT_ONCE = 1200, 200
"""Requests with one key, in one worker."""
FAILED_PER_MINUTE, FAILED_AT_ONCE = 10, 20
"""Requests of one client without a good key, in one worker."""
_BEARER = re.compile(r"Bearer +(vb_[A-Za-z0-9]{1,64}_[A-Za-z0-9_-]{43})", re.IGNORECASE)
_MOST_KNOWN = 1000
_REALM = 'Bearer realm="voicebot"'


class Guard:
    """One worker's, for all that needs a key."""

    def __init__(self, site: Site) -> None:
        self._keys = site.state.keys
        self._asked = Rate(KEY_PER_MINUTE, KEY_AT_ONCE)
        self._failed = Rate(FAILED_PER_MINUTE, FAILED_AT_ONCE)
        self._good: OrderedDict[bytes, None] = OrderedDict()
        """Digests of the keys that were good here, the last ones."""

    async def admit(self, authorization: str | None, scope: str | None, client: str) -> Key:
        """The key, if it is good for `scope` (None: any key is). `client` is its address, '' for another worker.

        Raises Problem 401, 403, 429.
        """
        client = network(client)
        match = _BEARER.fullmatch(authorization or "")
        secret = match[1] if match else ""
        if (wait_s := self._failed.wait_s(client)) and not self._was_good(secret):
            raise _too_often("Too many requests without a valid API key came from this address.", wait_s)
        key = await self._keys.check(secret) if secret else None
        if key is None:
            raise self._nobody(client, authorization)
        self._remember(secret)
        if wait_s := self._asked.take(key.id):
            raise _too_often(f"The API key '{key.name}' may ask {KEY_PER_MINUTE} times a minute.", wait_s)
        if scope is not None and scope not in key.scopes:
            headers = {"WWW-Authenticate": f'{_REALM}, error="insufficient_scope", scope="{scope}"'}
            raise Problem(403, "Forbidden", f"The API key '{key.name}' does not have the scope '{scope}'.", headers)
        return key

    def _nobody(self, client: str, authorization: str | None) -> Problem:
        if client:
            self._failed.take(client)
        if authorization is None:
            return Problem(401, "Unauthorized", "An API key is needed: Authorization: Bearer vb_...", _challenge())
        detail = "This is not a valid API key, or no longer."
        return Problem(401, "Unauthorized", detail, _challenge(', error="invalid_token"'))

    def _was_good(self, secret: str) -> bool:
        return bool(secret) and _digest(secret) in self._good

    def _remember(self, secret: str) -> None:
        self._good[_digest(secret)] = None
        self._good.move_to_end(_digest(secret))
        if len(self._good) > _MOST_KNOWN:
            self._good.popitem(last=False)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _challenge(error: str = "") -> dict[str, str]:
    return {"WWW-Authenticate": _REALM + error}


def _too_often(detail: str, wait_s: float) -> Problem:
    return Problem(429, "Too many requests", detail, {"Retry-After": str(math.ceil(wait_s))})
