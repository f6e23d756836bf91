"""A circuit breaker: whoever fails again and again is left alone for a while instead of keeping callers waiting.

    breaker = breaker_of("http api.example.com")
    if breaker.allows():
        try: ... ; breaker.succeeded()
        except OSError: breaker.failed()

Own code because it must run on the event loop's clock, which skips idle time in simulated calls; the packages for it
(purgatory) read the wall clock and let every waiting caller in at once when the time is up.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

FAILURES = 3
"""Failures in a row that open it."""
OPEN_S = 30.0
"""How long it then stays open."""


class Breaker:
    """Closed: everything is allowed. Open after `failures` in a row: nothing is, for `open_s`. Then one caller may
    probe; its success closes it, its failure opens it again."""

    def __init__(self, name: str, failures: int = FAILURES, open_s: float = OPEN_S) -> None:
        self.name = name
        self.open_s = open_s
        self._limit = failures
        self._in_a_row = 0
        self._probe_at_s: float | None = None
        """When somebody may try again, while it is open."""

    @property
    def closed(self) -> bool:
        """All is well. Looking changes nothing, unlike `allows`."""
        return self._probe_at_s is None

    def allows(self) -> bool:
        """Whether to try now. Who gets True tries, and reports; a probe that never reports is replaced in `open_s`."""
        if self._probe_at_s is None:
            return True
        now_s = asyncio.get_running_loop().time()
        if now_s < self._probe_at_s:
            return False
        self._probe_at_s = now_s + self.open_s
        return True

    def succeeded(self) -> None:
        self._in_a_row = 0
        self._probe_at_s = None

    def failed(self) -> None:
        self._in_a_row += 1
        if self._in_a_row >= self._limit:
            self.open()

    def open(self) -> None:
        """Allow nothing from now on, for `open_s`, whatever the reason."""
        self._probe_at_s = asyncio.get_running_loop().time() + self.open_s


_BREAKERS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Breaker]] = WeakKeyDictionary()


def breaker_of(name: str) -> Breaker:
    """The breaker `name` of the running event loop, shared by its calls. Each loop has its own, as it has its clock."""
    breakers = _BREAKERS.setdefault(asyncio.get_running_loop(), {})
    return breakers.setdefault(name, Breaker(name))
