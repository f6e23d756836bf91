"""Who asks, when a proxy stands before the server: uvicorn's rule for requests, for websockets of ours too.

A proxy at one of the addresses in FORWARDED_ALLOW_IPS (this machine's; '*': at any) is believed what it says in
X-Forwarded-For. Else all who come through it would be one client, and one of them could use up the patience for all.
"""

from __future__ import annotations

import os
from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from voicebot.transports.served import Upgrade

SETTING = "FORWARDED_ALLOW_IPS"
_THIS_MACHINE = "127.0.0.1,::1"


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    """The middleware has seen the scope then."""


_believe: Any = ProxyHeadersMiddleware(_nothing, os.environ.get(SETTING, _THIS_MACHINE))


async def client_of(upgrade: Upgrade) -> str:
    """The address that asks for a websocket."""
    try:
        said = upgrade.headers.get("x-forwarded-for", "")
    except LookupError:  # it stands there twice: nobody knows which the proxy has written
        said = ""
    scope = {
        "type": "websocket",
        "client": (upgrade.client, 0),
        "headers": [(b"x-forwarded-for", said.encode("latin-1", "replace"))],
    }
    await _believe(scope, None, None)
    return str(scope["client"][0])
