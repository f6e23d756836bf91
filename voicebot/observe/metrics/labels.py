"""Label values that cannot run away: each costs memory in Prometheus for ever.

A name comes from an agent file (agents, providers), and is no caller's word. But agents come and go, and what a
language model calls a tool may be anything; so there are only so many of each kind, and the rest is `other`.
"""

from __future__ import annotations

OTHER = "other"
MOST = 100
_LONGEST = 64


class Names:
    """The values of one label."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: set[str] = set()

    def known(self, name: str) -> str:
        """The name, if there was room for it before; else `other`."""
        return name if name in self._known else OTHER

    def __call__(self, name: str) -> str:
        """The name, for which there is room from now on; `other` when there is none."""
        name = name[:_LONGEST]
        if name not in self._known and len(self._known) < self._most:
            self._known.add(name)
        return self.known(name)
