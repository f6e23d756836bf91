"""A suite: which scenarios are played by whom, over which lines, how often. One YAML file in `evals/suites/`.

name: CI
scenarios: ["books*", cancels]
personas: [maria, hurried, "library/*"]
lines: [own, phone]
runs: 2

suite = find("ci", root)
calls = suite.plan(root)            # every call there is to make, always in the same order
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import Discriminator, Field, PrivateAttr, Tag, model_validator

from voicebot import paths, validation, yamlfile
from voicebot.agent.values import OneOrMore, Part, Text
from voicebot.errors import BadInput, did_you_mean
from voicebot.personas.line import NamedLine

from . import planning
from .case import Channel
from .checks import Checks
from .planned import Planned

__all__ = ["EVERYTHING", "Planned", "Suite", "files", "find", "load"]

SUITES = "suites"
EVERYTHING = "all"
"""The suite of a project that has no file of that name: every scenario with its own personas."""

NamedOrDefined = Annotated[
    Annotated[Text, Tag("name")] | Annotated[dict[Text, NamedLine], Tag("line")],
    Discriminator(lambda value: "line" if isinstance(value, dict) else "name"),
]


class Combination(Part):
    """Calls that are left out: those that fit all that is given."""

    scenario: OneOrMore[Text] = Field(default=["*"])
    """Names or patterns such as `books*`."""
    persona: OneOrMore[Text] = Field(default=["*"])
    """Names or patterns."""
    line: OneOrMore[Text] = Field(default=["*"])
    """Names or patterns."""

    @model_validator(mode="after")
    def _says_something(self) -> Combination:
        if not self.model_fields_set:
            raise ValueError("this leaves out everything. Name a scenario, a persona or a line.")
        return self


class Suite(Part):
    """A suite file."""

    name: Text
    """What reports call it."""
    about: str = ""
    """One sentence for people."""
    include: OneOrMore[Text] = Field(default=[])
    """Other suites, whose calls come first. This suite's `checks` and `exclude` are for them, too."""
    scenarios: OneOrMore[Text] = Field(default=[])
    """Scenarios by name, or by patterns such as `books*`."""
    personas: OneOrMore[Text] = Field(default=[])
    """Who calls, instead of the personas that the scenarios name: names, or patterns. `library/*` is the library
    without those that are marked `hard`."""
    also: OneOrMore[Text] = Field(default=[])
    """Who calls beside them."""
    channel: Channel | None = None
    """How every call reaches the agent, whatever its scenario says: `audio`, `phone` or `text`."""
    lines: list[NamedOrDefined] = Field(default=[])
    """Over which lines each call is made: `own` (the scenario's or persona's), `phone` and other names, or
    `NAME: {settings}`. Without it, their own."""
    runs: Annotated[int, Field(ge=1)] = 1
    """How often each call is made, every time with other dice."""
    seed: Annotated[int, Field(ge=0)] = 0
    """The dice of the first of them; the next has the next number."""
    at: datetime | None = None
    """What the clocks show when a call begins, for scenarios that do not say so themselves."""
    checks: Checks | None = None
    """Checks for every call, beside those of its scenario. Where both give one figure, the scenario's counts."""
    exclude: list[Combination] = Field(default=[])
    """Calls that are left out."""

    _document: yamlfile.Document | None = PrivateAttr(default=None)
    _path: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _has_calls(self) -> Suite:
        if not (self.include or self.scenarios):
            raise ValueError("there is nothing to call. Add 'scenarios' or 'include'.")
        if not self.scenarios and (self.personas or self.also or self.lines):
            raise ValueError("'personas', 'also' and 'lines' are for this suite's own scenarios, and it has none.")
        return self

    @property
    def id(self) -> str:
        """By which it is found: its file's stem."""
        return self._path.stem if self._path else self.name

    @property
    def path(self) -> Path | None:
        return self._path

    def place(self, *loc: str | int) -> str:
        """Where something of it is written, 'evals/suites/ci.yaml:4:3 ', for the beginning of a sentence."""
        return f"{self._document.place(loc)} " if self._document else ""

    def plan(
        self, root: Path, runs: int | None = None, seed: int | None = None, channel: Channel | None = None
    ) -> list[Planned]:
        """Every call of this suite in the project `root`, always in the same order, each once.

        `runs`, `seed` and `channel` replace the suite's own. Raises BadInput for unknown names, for a persona that
        cannot play a role, and when nothing is left to call.
        """
        return planning.plan(self, root, runs, seed, channel)


def read(document: yamlfile.Document, path: Path | None = None) -> Suite:
    """The suite in a document. Raises BadInput, one line a problem."""
    suite = validation.build(document, Suite)
    suite._document, suite._path = document, path
    return suite


def load(path: Path) -> Suite:
    """The suite in a file. Raises BadInput, one line a problem."""
    return read(yamlfile.read(path), path)


def folder_of(root: Path) -> Path:
    return paths.evals_dir(root) / SUITES


def files(root: Path) -> dict[str, Path]:
    """The suites of a project: name and file."""
    return {path.stem: path for path in paths.yaml_files(folder_of(root))}


def find(name: str, root: Path) -> Suite:
    """The suite called `name` (its file's stem) in the project `root`, or `all`. Raises BadInput."""
    known = files(root)
    if name in known:
        return load(known[name])
    if name == EVERYTHING:
        return Suite(name=EVERYTHING, scenarios=["*"])
    hint = did_you_mean(name, [*known, EVERYTHING])
    raise BadInput(f"no suite '{name}' in {paths.shown(folder_of(root))}.{hint}")
