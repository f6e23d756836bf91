"""The servers that help two networks find each other: `--ice-server`, as the page and aiortc want them.

    stun:stun.example.com:3478
    turn:turn.example.com:3478?transport=udp          with VOICEBOT_TURN_SECRET: credentials for one call, for an hour
    turn:NAME:PASSWORD@turn.example.com:3478          or always the same, which every caller gets to know

With a secret they are made as coturn's `use-auth-secret` wants them (draft-uberti-behave-turn-rest).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time

from voicebot.errors import BadInput
from voicebot.server.settings import Settings
from voicebot.transports.webrtc import IceServer

_URL = re.compile(
    r"(?P<scheme>stuns?|turns?):(?:(?P<name>[^:@\s]+):(?P<password>[^@\s]+)@)?"
    r"(?P<rest>[A-Za-z0-9.-]+(?::\d{1,5})?(?:\?transport=(?:udp|tcp))?)"
)
_GOOD_S = 3600


def check(url: str) -> str:
    """`url`, when it is one. Raises BadInput, which does not repeat a password."""
    found = _URL.fullmatch(url)
    if found is None or (found["scheme"].startswith("stun") and (found["name"] or "?" in found["rest"])):
        raise BadInput(
            "--ice-server: write it as stun:stun.example.com:3478 or turn:turn.example.com:3478?transport=udp."
        )
    return url


def servers(settings: Settings, call_id: str) -> list[IceServer]:
    """For one call."""
    return [_server(url, settings.turn_secret, call_id) for url in settings.ice_servers]


def _server(url: str, secret: str, call_id: str) -> IceServer:
    found = _URL.fullmatch(url)
    assert found is not None, "the command line has checked it"
    plain = f"{found['scheme']}:{found['rest']}"
    if found["name"]:
        return IceServer(plain, found["name"], found["password"])
    if not secret or found["scheme"].startswith("stun"):
        return IceServer(plain)
    name = f"{int(time.time()) + _GOOD_S}:{call_id}"
    signature = hmac.new(secret.encode(), name.encode(), hashlib.sha1).digest()
    return IceServer(plain, name, base64.b64encode(signature).decode())
