"""A scenario: what a call is about, who may make it, and what must be true afterwards.

    name: The appointment is booked
    goal: Book a cleaning on Thursday at three.
    agent: ava
    domain: dental
    facts: {treatment: cleaning, day: thursday, time: "15:00", name: "{caller}"}
    persona: [maria, hurried]
    at: 2027-03-01 09:30
    data: {data/appointments.json: []}
    checks:
      expect:
        - {file: data/appointments.json, where: {name: "{name}", day: "{day}", time: "{time}"}, count: 1}

One YAML file in a project's `evals/`. A persona is who calls; the scenario is what about. What a scenario does not say
of the caller's matter comes from the persona.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, model_validator

from voicebot import paths, validation, yamlfile
from voicebot.agent.values import OneOrMore, Text
from voicebot.errors import BadInput, did_you_mean
from voicebot.personas.kinds import CallerKind, Rules
from voicebot.personas.line import NamedLine
from voicebot.personas.role import Role

from .case import Channel
from .checks import Checks
from .checks.values import Store

Fixtures = dict[Store, list[dict[str, Any]] | dict[str, Any]]


class Scenario(Role):
    """A scenario file."""

    name: Text
    """What reports call it."""
    goal: Text
    """What the caller wants, one sentence for people."""
    agent: Text
    """The agent that is called: the name of its file in `agents/`."""
    persona: Annotated[OneOrMore[Text], Field(min_length=1)]
    """Who calls: names of personas of the project or of the library. Each is a call of its own."""
    caller: CallerKind = Rules()
    """What decides the caller's words: `rules` of the domain file, a `script`, an `llm`, or a `recording`."""
    channel: Channel = "audio"
    """`audio`: by sound, through the whole engine. `phone`: the same by telephone, Twilio's Media Streams with mu-law,
    delay and jitter. `text`: typed, past ear and mouth; quicker, and says nothing about
    hearing, latency and turn-taking."""
    line: NamedLine | None = None
    """How the caller's sound reaches the agent: the name of a line (`phone`, `street` ...) or its settings; without
    it, the persona's own."""
    at: datetime | None = None
    """What the clocks show when the call begins: `2027-03-01 09:30`. So "Thursday" is the same day in every run."""
    data: Fixtures = Field(default={})
    """What the tools' files hold before the call: `data/appointments.json: [...]`. Files that are not named are as the
    project has them. `{name}` in a text stands for that fact of the caller."""
    checks: Checks
    """What must be true of the call."""

    _path: Path | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _checks_have_their_place(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for key in value:
                if key in Checks.model_fields and key not in cls.model_fields:
                    raise ValueError(f"{key}: '{key}' is a check. Write it under 'checks:'.")
        return value

    @model_validator(mode="after")
    def _can_fail(self) -> Scenario:
        if not self.checks:
            raise ValueError("checks: nothing is checked. Add 'expect', 'said', 'ended' or another check.")
        return self

    @property
    def id(self) -> str:
        """By which it is found: its file's stem."""
        return self._path.stem if self._path else self.name

    @property
    def root(self) -> Path | None:
        """The project that it belongs to; None when it was not read from a file."""
        return self._path.absolute().parent.parent if self._path else None

    @property
    def role(self) -> Role:
        """What the caller wants and knows, for a persona to play."""
        role = Role(**{key: getattr(self, key) for key in Role.model_fields})
        return role.written_in(self._document) if self._document else role

    @classmethod
    def read(cls, document: yamlfile.Document, path: Path | None = None) -> Scenario:
        """The scenario in a document. Raises BadInput, one line a problem."""
        scenario = validation.build(document, cls)
        scenario._document, scenario._path = document, path
        return scenario


def load(path: Path) -> Scenario:
    """The scenario in a file. Raises BadInput, one line a problem."""
    return Scenario.read(yamlfile.read(path), path)


def files(root: Path) -> dict[str, Path]:
    """The scenarios of a project: name and file."""
    return {path.stem: path for path in paths.yaml_files(paths.evals_dir(root))}


def find(name: str, root: Path) -> Scenario:
    """The scenario called `name` (its file's stem) in the project `root`. Raises BadInput."""
    known = files(root)
    if name not in known:
        raise BadInput(f"no scenario '{name}' in {paths.shown(paths.evals_dir(root))}.{did_you_mean(name, known)}")
    return load(known[name])
