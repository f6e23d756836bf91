"""Where the world reaches a server: what it was told at its start, or, in a command, where its tunnel is now."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field


@dataclass
class Address:
    """One server's. Whoever watches over its tunnel changes it, on the server's loop."""

    url: str
    """As https://voice.example.com; '': what a request says."""
    lost: bool = False
    """Whether the tunnel is gone: Twilio would not come through, and no call is to go out."""
    identity: str = field(default_factory=lambda: secrets.token_hex(16))
    """Of this process. GET /livez shows it, so that whoever asks at `url` knows that it leads here."""
