"""How often somebody may ask: so many times at once, and so many a minute in the long run.

The generic cell rate algorithm (ITU-T I.371): of each name only one number is kept, the time at which its bucket will
be empty again. What may be kept is bounded, because names come from outside.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import OrderedDict

MOST_NAMES = 10_000


class Rate:
    """`per_minute` for each name, of which `burst` may come at once. For one event loop."""

    def __init__(self, per_minute: float, burst: int) -> None:
        self._every_s = 60 / per_minute
        self._burst_s = self._every_s * (burst - 1)
        self._empty_at: OrderedDict[str, float] = OrderedDict()

    def wait_s(self, name: str) -> float:
        """How long `name` has to wait before it may ask again; 0: not at all. Counts nothing."""
        empty_at = self._empty_at.get(name, 0.0)
        return max(0.0, empty_at - self._burst_s - asyncio.get_running_loop().time())

    def take(self, name: str) -> float:
        """Count one request of `name`, if it may come; else returns how long it has to wait, in seconds."""
        if wait_s := self.wait_s(name):
            return wait_s
        now = asyncio.get_running_loop().time()
        self._empty_at[name] = max(self._empty_at.get(name, 0.0), now) + self._every_s
        self._empty_at.move_to_end(name)
        if len(self._empty_at) > MOST_NAMES:
            self._empty_at.popitem(last=False)
        return 0.0


def network(client: str) -> str:
    """What counts as one client: an IPv4 address; of IPv6 the 64 bits that one customer has to himself."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if address.version == 4:
        return client
    if mapped := address.ipv4_mapped:
        return str(mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))
