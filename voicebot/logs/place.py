"""In which call, and in which turn of it, the running code is.

It is a context variable: what a call begins, tasks and `asyncio.to_thread` included, is in it, too. The turn is the one
that the call is in when a line is written, not the one in which a task was begun.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class InCall:
    """One call. Its `turn` moves on."""

    call: str = ""
    language: str = "en"
    turn: int = 0
    hide: Callable[[str], str] | None = None
    """Takes out what this call knows to be private. Called on the thread of the log."""


_here: ContextVar[InCall | None] = ContextVar("voicebot_call", default=None)


def here() -> InCall | None:
    return _here.get()


@contextmanager
def inside(call: InCall) -> Iterator[None]:
    """What runs in this block, and what it begins, belongs to this call."""
    token = _here.set(call)
    try:
        yield
    finally:
        _here.reset(token)
