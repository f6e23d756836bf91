"""The agents of a project while its server runs: each call gets its agent's file as it is now.

    agents = Agents(root)
    agent = await agents.get("ava")       # read again when a file has changed; running calls keep what they have

A file that has become invalid does not take its agent off the air: new calls get the last version that was good, and
`entry` says what is wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from loguru import logger

from voicebot import paths
from voicebot.agent import Agent
from voicebot.errors import BadInput, Unavailable
from voicebot.server.agents.files import AgentFiles, NoAgent, Outdated, sha256

_AGAIN_S = 2.0
"""A broken file is tried again after so long, though it has not changed: what it lacks may be another file."""
_MOST_WRITES = 16
"""Files that may wait to be checked."""
T = TypeVar("T")
_Stamp = frozenset[tuple[str, int, int, int]]
"""Which version of some files: path, time of the last change, length, inode."""


@dataclass(frozen=True)
class Entry:
    """An agent as its file is now."""

    name: str
    source: str
    """The file's text."""
    sha256: str
    """Of the file's bytes."""
    agent: Agent | None
    """What new calls get: this version, or the last one that was good; None: there was none."""
    problem: str
    """Why the file cannot be used as it is; '' when it can."""


@dataclass
class _Known:
    """What was read of one agent."""

    stamp: _Stamp = frozenset()
    agent: Agent | None = None
    problem: str = ""
    read_s: float = 0.0

    @property
    def stale(self) -> bool:
        return bool(self.problem) and time.monotonic() - self.read_s >= _AGAIN_S


class Agents:
    """All agents in `root`/agents. Files are read and parsed on a thread of its own, and on another one what comes over
    REST, so that no call waits for that."""

    def __init__(self, root: Path) -> None:
        self._files = AgentFiles(root)
        self._known: dict[str, _Known] = {}
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="agents")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="agents-written")
        self._writes = 0

    def names(self) -> list[str]:
        """Of all that can be called, sorted."""
        return self._files.names()

    async def get(self, name: str) -> Agent:
        """The agent for a call that begins now. Raises NoAgent, BadInput when its file was never good."""
        known = await self._read(self._current, name)
        if known.agent is None:
            raise BadInput(known.problem)
        return known.agent

    async def entry(self, name: str) -> Entry:
        """Raises NoAgent."""
        return await self._read(self._entry, name)

    async def entries(self) -> list[Entry]:
        return await self._read(lambda: list(self._entries()))

    async def check(self, name: str, text: str) -> list[str]:
        """What is wrong with `text` as the file of `name`, each as 'agents/ava.yaml:5:9 what'; [] for nothing."""
        return await self._write(self._files.problems, name, text)

    async def write(self, name: str, text: str, match: str) -> tuple[Entry, bool]:
        """Create the agent, or replace the version `match` of it: a SHA-256, '*' for any, '' for none.

        Returns what is there now, and whether it is new. Raises Outdated, Unavailable, and BadInput, a line for each
        problem.
        """
        new = await self._write(self._files.put, name, text, match)
        entry = await self.entry(name)
        if entry.sha256 != sha256(text.encode()):
            raise Outdated(f"agent '{name}' was written by somebody else just after you.")
        return entry, new

    async def delete(self, name: str, match: str) -> None:
        """Running calls keep their agent. Raises NoAgent, Outdated, InUse."""
        await self._write(self._files.delete, name, match)

    async def _read(self, work: Callable[..., T], *arguments: str) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reader, work, *arguments)

    async def _write(self, work: Callable[..., T], *arguments: str) -> T:
        if self._writes >= _MOST_WRITES:
            raise Unavailable("too many agent files wait to be checked.")
        self._writes += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._writer, work, *arguments)
        finally:
            self._writes -= 1

    # -- on the reader -----------------------------------------------------------------------------------------------

    def _current(self, name: str) -> _Known:
        try:
            path = self._files.path(name)
        except NoAgent:
            self._known.pop(name, None)
            raise
        known = self._known.setdefault(name, _Known())
        stamp = self._stamp(known.agent)
        if stamp != known.stamp or known.stale:
            self._load(path, known)
            now = self._stamp(known.agent)
            known.stamp = now if stamp <= now else frozenset()  # what changed while it was read is read again
        return known

    def _load(self, path: Path, known: _Known) -> None:
        known.read_s = time.monotonic()
        try:
            known.agent, problem = Agent.load(path), ""
        except BadInput as error:
            problem = self._files.shown(str(error))
            if problem != known.problem:
                kept = "new calls get its last good version" if known.agent else "it cannot be called"
                logger.warning(f"agent '{path.stem}': {kept}: {problem}")
        known.problem = problem

    def _stamp(self, agent: Agent | None) -> _Stamp:
        """Of all agent files: any of them may be one that this agent hands over to."""
        files = set(paths.yaml_files(self._files.folder))
        files |= {other.path for other in agent.family().values() if other.path} if agent else set()
        return frozenset(_version(path) for path in files)

    def _entry(self, name: str) -> Entry:
        known = self._current(name)
        try:
            content = self._files.content(name)
        except NoAgent:
            raise
        except BadInput:  # which its problem says
            content = b""
        return Entry(name, content.decode("utf-8", "replace"), sha256(content), known.agent, known.problem)

    def _entries(self) -> Iterator[Entry]:
        for name in self._files.names():
            with contextlib.suppress(NoAgent):  # deleted meanwhile
                yield self._entry(name)


def _version(path: Path) -> tuple[str, int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path), 0, 0, 0
    return str(path), found.st_mtime_ns, found.st_size, found.st_ino
