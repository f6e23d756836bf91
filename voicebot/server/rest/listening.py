"""The sound of a running call for those who listen in: its recording, sent on as it grows.

The call does nothing for it and knows nothing of it: what it writes to the disk anyway is read from there. So what is
heard is up to two seconds old.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from voicebot.server.rest.problems import Problem

MOST = 16
"""Who may listen at a time, over all calls of a worker."""
SLOW_S = 20.0
"""Who takes nothing for so long is let go."""
_LOOK_S = 0.5
_HEADER = 44
"""Bytes of the recording before its sound."""
_PIECE = 1 << 18
_ENDLESS = b"\xff\xff\xff\xff"
"""The length of a WAV that nobody knows yet."""


class Listeners:
    """Of one worker: how many there are."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self.now = 0

    def come(self) -> None:
        """Raises Problem when there are too many."""
        if self.now >= self._most:
            raise Problem(503, "Too many listeners", f"{self._most} are listening already.", {"Retry-After": "10"})
        self.now += 1

    def go(self) -> None:
        self.now -= 1


class LiveSound(StreamingResponse):
    """A WAV that goes on until the call is over, or until its listener is gone or too slow."""

    media_type = "audio/wav"

    def __init__(self, recording: Path, over: Callable[[], bool], listeners: Listeners) -> None:
        """`over` says whether the call is. Raises Problem when there are too many listeners."""
        listeners.come()
        self._listeners = listeners
        super().__init__(_sound(recording, over), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def in_time(message: Message) -> None:
            async with asyncio.timeout(SLOW_S):
                await send(message)

        try:
            with suppress(TimeoutError):
                await super().__call__(scope, receive, in_time)
        finally:
            self._listeners.go()


async def _sound(recording: Path, over: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The header, and all frames that are written from now on."""
    loop = asyncio.get_running_loop()
    file = await loop.run_in_executor(None, _opened, recording)
    try:
        yield _header(await loop.run_in_executor(None, file.read, _HEADER))
        await loop.run_in_executor(None, file.seek, await loop.run_in_executor(None, _end, recording))
        while True:
            last = over()
            while piece := await loop.run_in_executor(None, file.read, _PIECE):
                yield piece
            if last:
                return
            await asyncio.sleep(_LOOK_S)
    finally:
        file.close()


def _opened(recording: Path) -> BinaryIO:
    return recording.open("rb", buffering=0)


def _end(recording: Path) -> int:
    """Where the next frame will be written; a frame is four bytes."""
    return _HEADER + max(recording.stat().st_size - _HEADER, 0) // 4 * 4


def _header(head: bytes) -> bytes:
    return head[:4] + _ENDLESS + head[8:40] + _ENDLESS
