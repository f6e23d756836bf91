"""`phone.yaml` while the server runs: each call is routed by the file as it is now.

A file that has become invalid changes nothing: the last version that was good stays in force, and the log says why.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from loguru import logger

from voicebot.errors import BadInput
from voicebot.telephony.phonebook import FILE, Phonebook

_Stamp = tuple[int, int, int]


class Phones:
    """Of one project. Read on a thread of its own, so that no call waits for a disk."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._stamp: _Stamp | None = None
        self._book: Phonebook | None = None
        self._problem = ""
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="phones")

    async def book(self) -> Phonebook | None:
        """What is in force; None when there is no file. Raises BadInput when the file was never good."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._current)

    async def refused(self, number: str) -> bool:
        """Whether the list of those who must not be called has the number. Raises BadInput when it cannot be read."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._refused, number)

    def _current(self) -> Phonebook | None:
        stamp = _stamp(self._root / FILE)
        if stamp != self._stamp:
            self._stamp = stamp
            self._load()
        if self._book is None and self._problem:
            raise BadInput(self._problem)
        return self._book

    def _load(self) -> None:
        try:
            self._book, self._problem = Phonebook.load(self._root), ""
        except BadInput as error:
            self._problem = str(error)
            kept = "its last good version stays in force" if self._book else "no number is routed by it"
            logger.warning(f"{FILE}: {kept}: {error}")

    def _refused(self, number: str) -> bool:
        book = self._current()
        named = book.outbound.do_not_call if book and book.outbound else None
        return named is not None and number in do_not_call(self._root / named)


def do_not_call(path: Path) -> frozenset[str]:
    """The numbers in a list, one a line; what stands behind a number or a '#' is left out. Raises BadInput."""
    from voicebot.telephony import e164

    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path.name}, the list of numbers that must not be called, cannot be read: {error}.") from None
    found = set()
    for count, line in enumerate(lines, 1):
        text = line.partition("#")[0].partition(",")[0].strip().strip('"')
        if not text:
            continue
        try:
            found.add(e164.e164(text))
        except BadInput as error:
            raise BadInput(f"{path.name}:{count} {error}") from None
    return frozenset(found)


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino
