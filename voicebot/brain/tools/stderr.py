"""What a program says on its standard error: kept for the sentence that says why it did not start, else only logged.

The end of that stream is also the first sign that the program has ended.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self, TextIO

from loguru import logger


class LastWords(asyncio.Protocol):
    def __init__(self) -> None:
        self.line = ""
        """The last line so far."""
        self.file: TextIO
        """To be given to the program."""
        self._ended = False
        self._on_end: Callable[[], None] = lambda: None

    @classmethod
    @asynccontextmanager
    async def of_a_process(cls) -> AsyncIterator[Self]:
        """Give `file` to one program; it is closed here afterwards."""
        reading, writing = os.pipe()
        pipe = os.fdopen(reading, "rb", buffering=0)
        words = cls()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: words, pipe)
        words.file = os.fdopen(writing, "w")
        try:
            yield words
        finally:
            words.file.close()
            transport.close()

    def when_it_ends(self, on_end: Callable[[], None]) -> None:
        """The program runs and has its own copy of `file`: `on_end` is called when it closes that."""
        self.file.close()
        self._on_end = on_end
        if self._ended:
            on_end()

    def data_received(self, data: bytes) -> None:
        lines = data.decode("utf-8", "replace").strip().splitlines()
        if lines:
            self.line = lines[-1]
            logger.debug(f"an MCP server says: {self.line[:200]}")

    def eof_received(self) -> None:
        self._ended = True
        self._on_end()
