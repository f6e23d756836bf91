"""Calls of a scenario that were made and judged on the spot: what the pytest plugin works with.

calls = play(plan(root, Wish(scenario="booking", persona="impatient")), folder)
calls.passed, calls.findings, calls.transcript
calls.should_pass()
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

from loguru import logger
from pydantic import Field

from voicebot import paths, validation, yamlfile
from voicebot.agent.values import OneOrMore, Part, Text
from voicebot.errors import BadInput

from . import planning, scenario, told
from .case import Channel
from .kept.runs import safe
from .measures import Measures
from .planned import Planned
from .result import Finding, Result
from .running.cell import run_case
from .running.runner import ATTEMPTS
from .scenario import Scenario
from .suite import Suite
from .trial import Trial

T = TypeVar("T")


class Wish(Part):
    """Calls that a test asks for."""

    scenario: Text
    """A scenario of the project."""
    persona: OneOrMore[Text] = Field(default=[])
    """Who calls, instead of those that the scenario names."""
    runs: Annotated[int, Field(ge=1)] | None = None
    """How often each call is made, every time with other dice."""
    line: Text | None = None
    """Over which line, instead of the scenario's or the persona's."""
    channel: Channel | None = None
    """By sound, by telephone, or typed."""
    seed: Annotated[int, Field(ge=0)] = 0
    """The dice of the first call."""


class Wishes(Part):
    """A file that lists calls."""

    calls: Annotated[list[Wish], Field(min_length=1)]
    """The calls, in this order."""


class InvalidRun(Exception):
    """Not one attempt at a call was valid: the simulation broke, so nothing is known about the agent."""


@dataclass(frozen=True)
class Played:
    """The calls of a scenario, each with its judgement."""

    calls: list[tuple[Trial, Result]]

    @property
    def passed(self) -> bool:
        """Whether all calls passed. An invalid one did not."""
        return all(result.verdict == "passed" for _, result in self.calls)

    @property
    def findings(self) -> list[Finding]:
        """What the checks of all calls found."""
        return [finding for _, result in self.calls for finding in result.findings]

    @property
    def measures(self) -> list[Measures]:
        """The figures of each call."""
        return [result.measures for _, result in self.calls]

    @property
    def transcript(self) -> str:
        """What was said and done, a line each; calls are apart by an empty line."""
        return "\n\n".join(told.transcript(trial) for trial, _ in self.calls)

    @property
    def folders(self) -> list[Path]:
        """The records of the calls."""
        return [trial.folder for trial, _ in self.calls if trial.folder]

    def should_pass(self, at_least: float = 1.0) -> None:
        """Raises AssertionError, telling what failed, when fewer than this share of the calls passed, and InvalidRun
        when there was a call of which nothing can be known."""
        __tracebackhide__ = True
        invalid = [result for _, result in self.calls if result.verdict == "invalid"]
        if invalid:
            raise InvalidRun("\n".join(told.invalid(result) for result in invalid))
        failed = [(trial, result) for trial, result in self.calls if result.verdict == "failed"]
        if len(self.calls) - len(failed) < at_least * len(self.calls):
            raise AssertionError(told.failure(failed, of=len(self.calls)))


def root_of(test: Path, rootdir: Path, configured: str) -> Path:
    """The project of a test file: the configured folder, the nearest one above the file that has agents, or pytest's
    own root folder. Raises BadInput when none of them has any."""
    places = [rootdir / configured] if configured else [paths.project_root(test.parent), paths.project_root(rootdir)]
    for place in places:
        if paths.agent_files(place):
            return place
    raise BadInput(
        f"no agents/ in {paths.shown(places[0])} or above it. Set voice_project to the project's folder in pytest's "
        "configuration."
    )


def plan(root: Path, wish: Wish, *, runs: int | None = None, channel: str | None = None) -> list[Planned]:
    """The calls of a wish. `runs` and `channel` come from the command line and count more. Raises BadInput."""
    return _planned(scenario.find(wish.scenario, root), root, wish, runs, channel)


def planned_in(path: Path, root: Path, *, runs: int | None = None, channel: str | None = None) -> list[Planned]:
    """The calls of a `.voice.yaml` file: a scenario, or `calls:` with a list. Raises BadInput, one line a problem."""
    document = yamlfile.read(path)
    if "calls" not in document.data:
        own = Scenario.read(document, path)
        return _planned(own, root, Wish(scenario=own.id), runs, channel)
    wishes = validation.build(document, Wishes).calls
    return [call for wish in wishes for call in plan(root, wish, runs=runs, channel=channel)]


def _planned(what: Scenario, root: Path, wish: Wish, runs: int | None, channel: str | None) -> list[Planned]:
    chosen = channel or wish.channel
    if chosen:
        what = what.model_copy(update={"channel": chosen})
    suite = Suite(
        name=what.id,
        scenarios=[what.id],
        personas=wish.persona,
        lines=[wish.line] if wish.line else [],
        runs=runs or wish.runs or 1,
        seed=wish.seed,
    )
    return planning.alone(what, suite, root)


def play(plan: Sequence[Planned], folder: Path) -> Played:
    """Make the calls, one after the other, their records in `folder`; an invalid one is tried again."""
    logger.disable("pipecat")  # hundreds of lines a call, which would bury what a failed test has to say
    try:
        return Played([_apart(partial(_valid, planned, folder)) for planned in plan])
    finally:
        logger.enable("pipecat")


def _valid(planned: Planned, folder: Path) -> tuple[Trial, Result]:
    for attempt in range(1, ATTEMPTS + 1):
        again = f"~{attempt}" if attempt > 1 else ""
        trial, result = run_case(planned, folder / f"{safe(planned.case.id)}{again}", attempt=attempt)
        if result.verdict != "invalid":
            break
    return trial, result


def _apart(call: Callable[[], T]) -> T:
    """A call has an event loop of its own, for which there is no room in the thread of an asynchronous test."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return call()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(call).result()
