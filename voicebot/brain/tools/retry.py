"""Trying again: with growing, scattered pauses, and never beyond the time that was given for all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

TRIES = 3
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 1.0

T = TypeVar("T")


class Attempts:
    """One piece of work, tried up to three times within `timeout_s`; once when `may_pass` is None."""

    def __init__(self, timeout_s: float, may_pass: Callable[[Exception], bool] | None) -> None:
        self.made = 0
        self._timeout_s = timeout_s
        self._may_pass = may_pass

    async def until_done(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` returns. Raises what its last attempt raised, TimeoutError when the time was up."""
        async with asyncio.timeout(self._timeout_s) as all_of_it:
            if self._may_pass is None:
                self.made = 1
                return await work()
            async for attempt in self._retrying():
                with attempt:
                    self.made = attempt.retry_state.attempt_number
                    async with asyncio.timeout_at(self._share(all_of_it)):
                        return await work()
        raise AssertionError("tenacity raises what the last attempt raised")

    def _retrying(self) -> AsyncRetrying:
        may_pass = self._may_pass
        return AsyncRetrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_random_exponential(FIRST_PAUSE_S, LONGEST_PAUSE_S),
            retry=retry_if_exception(lambda error: bool(may_pass and isinstance(error, Exception) and may_pass(error))),
            reraise=True,
        )

    def _share(self, all_of_it: asyncio.Timeout) -> float | None:
        """When this attempt must give way: each but the last has half of what is left, so that one that hangs leaves
        time for the next."""
        until_s = all_of_it.when()
        if until_s is None or self.made == TRIES:
            return until_s
        now_s = asyncio.get_running_loop().time()
        return now_s + (until_s - now_s) / 2
