"""A call in text: a template's dialogue with its real tools on a copy of its files, on a fixed day."""

from __future__ import annotations

import functools
import json
import shutil
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

from voicebot.agent import Agent
from voicebot.brain.flow.claims import Claims
from voicebot.brain.flow.dialogue import Dialogue
from voicebot.brain.knowledge import Knowledge

TEMPLATES = Path(__file__).parents[2] / "voicebot" / "templates"
TODAY = date(2026, 11, 22)
"""A Sunday."""
ENDINGS = ("end_call", "hand_over")


class Today(date):
    """Stands for `date` in a tool file, so that its today is TODAY."""

    @classmethod
    def today(cls) -> Today:
        return cls(TODAY.year, TODAY.month, TODAY.day)


class TextCall:
    """`say` what the caller says; it returns what the agent says. `calls` are the tools that ran."""

    def __init__(self, template: str, root: Path) -> None:
        self.root = root / template
        shutil.copytree(TEMPLATES / template, self.root)
        self.agent, self.dialogue = _opened(template)
        self.tools = _loaded(self.root / "tools.py")
        self.state: dict[str, Any] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.ended: tuple[str, dict[str, Any]] | None = None

    def say(self, text: str, heard: str | None = None, claims: Claims | None = None) -> str:
        """`heard` is what the caller heard of the agent's last words (None: all); `claims`: what a model made of it."""
        move = self.dialogue.step(self.state, text, heard=heard, claims=claims)
        said = [move.say]
        while move.tools and move.tools[0].name not in ENDINGS:
            tool = move.tools[0]
            self.calls.append((tool.name, tool.arguments))
            result = getattr(self.tools, tool.name)(**tool.arguments)
            move = self.dialogue.resume(_through_json(move.state), _through_json(result))
            said.append(move.say)
        self.ended = (move.tools[0].name, move.tools[0].arguments) if move.tools else None
        self.state = _through_json(move.state)
        return " ".join(each for each in said if each)

    def all(self, *turns: str) -> str:
        """Say one after the other; the last reply."""
        replies = [self.say(turn) for turn in turns]
        return replies[-1]

    def kept(self, name: str) -> list[dict[str, Any]]:
        """A file of the project's data folder."""
        kept: list[dict[str, Any]] = json.loads((self.root / "data" / name).read_text())
        return kept

    @property
    def step(self) -> str:
        return str(self.state["step"])

    @property
    def deeds(self) -> list[tuple[str, dict[str, Any]]]:
        """The calls of tools that change something."""
        assert self.agent.flow is not None
        doing = {goal.do.tool for goal in self.agent.flow.goals.values() if goal.do}
        return [call for call in self.calls if call[0] in doing]


@functools.cache
def _opened(template: str) -> tuple[Agent, Dialogue]:
    """The template's agent, with its own folder for root, and its dialogue; neither keeps anything of a call."""
    (file,) = (TEMPLATES / template / "agents").glob("*.yaml")
    agent = Agent.load(file)
    assert agent.flow is not None
    return agent, Dialogue(
        agent.flow,
        Knowledge.load(agent.root, agent.brain.knowledge),
        person=agent.handoff[0].to if agent.handoff else None,
        greeting=agent.greeting,
        today=lambda: TODAY,
    )


def _through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _loaded(path: Path) -> ModuleType:
    module = ModuleType("tools_under_test")
    module.__file__ = str(path)
    exec(compile(path.read_bytes(), path, "exec"), module.__dict__)
    module.__dict__["date"] = Today
    return module
