"""A call that a suite wants to be made: everything that decides it, ready to be sent to another process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from voicebot.personas import sandbox
from voicebot.personas.kinds import CallerKind
from voicebot.personas.line import Line
from voicebot.personas.persona import Persona
from voicebot.personas.role import Role

from .case import Case
from .scenario import Scenario


@dataclass(frozen=True)
class Planned:
    """One call of a suite."""

    case: Case
    root: Path
    """The project."""
    agent: Path
    """The agent's file."""
    scenario: Scenario
    """With the suite's checks added."""
    persona: Persona
    """As its file has it; `persona.playing(role, root)` is who calls."""
    role: Role
    kind: CallerKind
    line: Line
    at: datetime | None = None
    data: dict[str, Any] = field(default_factory=dict)
    """What the tools' files hold before the call: 'data/x.json' -> its JSON, with the caller's facts filled in."""

    @contextmanager
    def prepared(self) -> Iterator[Path]:
        """The agent's file in a project whose stores are as the scenario wants them: the user's own project when it
        wants nothing, else a copy that is gone afterwards."""
        if not self.data:
            yield self.agent
            return
        with sandbox.copied(self.root) as copy:
            for file, content in self.data.items():
                target = copy / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
            yield sandbox.within(copy, self.agent)
