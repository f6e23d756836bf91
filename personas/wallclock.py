"""A wall clock that shows what a scenario says: 'Thursday' is the same day in every run.

with pretend(datetime(2027, 3, 1, 9, 30)):
    date.today()  # 2027-03-01, in the engine and in the tools of the user

Only what Python reads from the wall clock changes (`date.today`, `datetime.now`, `time.time`, `time.localtime` ...).
The clock of the call (`loop.time()`, `time.monotonic()`) goes its own way, and so do timeouts, files' times and TLS.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import time_machine

from voicebot.clock import SkipIdleLoop


@contextmanager
def pretend(at: datetime | None) -> Iterator[None]:
    """Inside, the whole process believes that it is `at` (of this machine's zone, where it names none) plus the time
    that has passed on the running loop's clock. None changes nothing. One at a time in a process."""
    if at is None:
        yield
        return
    loop = asyncio.get_running_loop()
    if isinstance(loop, SkipIdleLoop):
        with time_machine.travel(at.timestamp(), tick=False) as traveller, loop.followed_by(traveller.shift):
            yield
    else:
        with time_machine.travel(at.timestamp()):
            yield
