"""Waiting for what comes true by itself, in another task, process or machine."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable


async def eventually(true: Callable[[], bool | Awaitable[bool]], within_s: float = 5) -> None:
    """Asks again and again until it is true. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not (await answer if inspect.isawaitable(answer := true()) else answer):  # noqa: ASYNC110 - only asking tells it
            await asyncio.sleep(0.02)
