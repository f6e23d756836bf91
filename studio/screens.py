"""Which pages the studio has. One that is not there is not shown: no tab, no key, nothing in the command palette."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from .look.page import Page


@dataclass(frozen=True)
class Entry:
    """One page, by name; it is imported when it is first opened."""

    key: str
    name: str
    where: str
    """'package.module:Class', of a `Page` that is made with the project's folder."""
    about: str
    """What one does there, for the command palette and the help."""

    @property
    def mode(self) -> str:
        """How the app calls it."""
        return self.name.lower()

    @property
    def is_there(self) -> bool:
        try:
            return find_spec(self.where.partition(":")[0]) is not None
        except ModuleNotFoundError:  # nor is its folder
            return False

    def open(self, project: Path) -> Page:
        module, _, name = self.where.partition(":")
        return cast(Page, getattr(import_module(module), name)(project))


SCREENS = (
    Entry("1", "Agents", "voicebot.studio.agents.page:Agents", "write an agent, and see at once what is wrong with it"),
    Entry("2", "Talk", "voicebot.studio.talk.page:Talk", "talk to an agent, and see where the time goes"),
    Entry("3", "Calls", "voicebot.studio.calls.page:Calls", "find a recorded call, replay it, make a test of it"),
    Entry("4", "Evals", "voicebot.studio.evals.page:Evals", "run a suite, and open what failed"),
    Entry("5", "Personas", "voicebot.studio.personas.page:Personas", "meet the simulated callers, and let one call"),
    Entry("6", "Bench", "voicebot.studio.bench.page:Bench", "hold two variants of an agent against each other"),
    Entry("7", "Server", "voicebot.studio.server.page:Server", "watch the calls of a running server"),
)


def available() -> list[Entry]:
    """The pages that can be opened, in the order of their keys."""
    return [entry for entry in SCREENS if entry.is_there]
