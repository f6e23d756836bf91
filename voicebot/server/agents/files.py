"""The agent files of a project: found by name, checked, and written whole or not at all. Everything here blocks.

A name is never a path, and what a new file says is looked up only when it is known that it may be named.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from voicebot import paths, validation, yamlfile
from voicebot.agent import Agent
from voicebot.errors import BadInput, Unavailable, did_you_mean
from voicebot.server.agents import reach

NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
"""Of an agent that calls can reach: its file is agents/NAME.yaml."""
_NAME = re.compile(NAME)
_LOCK_S = 5.0


class NoAgent(BadInput):
    """There is none of that name."""


class Outdated(BadInput):
    """The file is not what the writer thinks it is."""


class InUse(BadInput):
    """Another agent needs it."""


class AgentFiles:
    """Those in `root`/agents."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.folder = self.root / paths.AGENTS

    def names(self) -> list[str]:
        """Of all that can be called, sorted."""
        return sorted({path.stem for path in paths.yaml_files(self.folder) if _NAME.fullmatch(path.stem)})

    def path(self, name: str) -> Path:
        """Its file. Raises NoAgent."""
        if _NAME.fullmatch(name):
            for path in (self.folder / f"{name}.yaml", self.folder / f"{name}.yml"):
                if path.is_file():
                    return path
        raise NoAgent(f"there is no agent '{name[:64]}'.{did_you_mean(name[:64], self.names())}")

    def content(self, name: str) -> bytes:
        """Raises NoAgent, BadInput."""
        path = self.path(name)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise NoAgent(f"there is no agent '{name}' any more.") from None
        except OSError as error:
            raise BadInput(f"{paths.AGENTS}/{path.name} cannot be read: {error.strerror}.") from None

    def shown(self, problem: str) -> str:
        """Without where on this machine the project is."""
        return problem.replace(f"{self.root}/", "").replace(f"{paths.shown(self.root)}/", "")

    def problems(self, name: str, text: str) -> list[str]:
        """What is wrong with `text` as the file of `name`, each as 'agents/ava.yaml:5:9 what'; [] for nothing."""
        try:
            self._checked(name, text)
        except BadInput as error:
            return self.shown(str(error)).splitlines()
        return []

    def _checked(self, name: str, text: str) -> None:
        """Raises BadInput, a line for each problem. Nothing that the text names is looked up before it is known that
        it may be named."""
        shown = f"{paths.AGENTS}/{name}.yaml"
        document = yamlfile.parse(text, shown)
        agent = validation.build(document, Agent)
        if lines := [f"{document.place(loc)} {why}" for loc, why in reach.objections(agent, self._standing(name))]:
            raise BadInput("\n".join(lines))
        own = (self.folder / name).resolve()  # a text by itself has no file
        for number, handoff in enumerate(agent.handoff):
            if handoff.agent and (self.root / handoff.agent).resolve().with_suffix("") == own:
                place = document.place(("handoff", number, "agent"))
                raise BadInput(f"{place} an agent cannot pass the call on to itself.")
        try:
            Agent.parse(text, self.root, shown)
        except BadInput as error:
            raise BadInput(self.shown(str(error))) from None

    def _standing(self, name: str) -> Agent | None:
        """What the file on the disk says, whether or not what it names is there."""
        try:
            return validation.build(yamlfile.read(self.path(name)), Agent)
        except BadInput:
            return None

    def put(self, name: str, text: str, match: str) -> bool:
        """Create the agent, or replace the version `match` of it: a SHA-256, '*' for any, '' for none.

        Returns whether it is new. Raises Outdated, Unavailable, and BadInput with a line for each problem.
        """
        if not _NAME.fullmatch(name):
            raise NoAgent(f"'{name[:64]}' is no name for an agent: a-z, 0-9, '_' and '-', up to 64 of them.")
        with self._alone():
            new = not self._agrees(name, match)
            path = self.folder / f"{name}.yaml" if new else self.path(name)
            self._checked(name, text)
            _replace(path, text.encode())
            return new

    def delete(self, name: str, match: str) -> None:
        """Raises NoAgent, Outdated, InUse, Unavailable."""
        with self._alone():
            path = self.path(name)
            self._agrees(name, match)
            users = [other for other in self.names() if other != name and self._hands_over(other, path)]
            if users:
                raise InUse(f"{', '.join(users)} would hand calls over to '{name}'. Change that first.")
            try:
                path.unlink()
            except OSError as error:
                raise _unwritable(path, error) from None

    def _agrees(self, name: str, match: str) -> bool:
        """Whether the agent is there, and is what the writer thinks. Raises Outdated."""
        try:
            there = sha256(self.content(name))
        except NoAgent:
            if match:
                raise Outdated(f"there is no agent '{name}' any more.") from None
            return False
        if match not in ("*", there):
            raise Outdated(f"agent '{name}' is another version than you say. Read it again, and change that one.")
        return True

    def _hands_over(self, name: str, path: Path) -> bool:
        standing = self._standing(name)
        targets = [each.agent for each in standing.handoff if each.agent] if standing else []
        return any((self.root / target).resolve() == path.resolve() for target in targets)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No other worker writes agents meanwhile."""
        file = self.root / ".voicebot" / "agents.lock"
        lock = FileLock(file, timeout=_LOCK_S)
        try:
            file.parent.mkdir(exist_ok=True)
            lock.acquire()
        except Timeout:
            raise Unavailable("another worker is writing agents.") from None
        except OSError as error:
            raise _unwritable(file, error) from None
        try:
            yield
        finally:
            lock.release()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _replace(path: Path, content: bytes) -> None:
    """Whoever reads `path` meanwhile finds the old file or the new one, also after a power cut."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    try:
        path.parent.mkdir(exist_ok=True)
        number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"{path.parent.name}/{path.name} cannot be written: {error.strerror}.")
