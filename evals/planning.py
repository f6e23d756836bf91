"""From a suite to its calls: scenario by persona by line by dice, in an order that never changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicebot import paths
from voicebot.agent import Agent
from voicebot.errors import BadInput, did_you_mean
from voicebot.personas import persona as personas
from voicebot.personas.kinds import Recording
from voicebot.personas.line import LINES, Line, telephone
from voicebot.personas.persona import Persona
from voicebot.references import BUILT_IN_TOOLS

from . import scenario as scenarios
from .case import Case, Channel
from .checks.values import PLACE
from .planned import Planned
from .scenario import Scenario

if TYPE_CHECKING:
    from .suite import Combination, Suite

OWN = "own"
"""Among a suite's lines: the scenario's line, or else the persona's own."""
TYPED = "typed"
"""The line of a typed call."""
LIBRARY = "library/"
"""Before a pattern, it is one for the personas of the library alone."""
_WILD = frozenset("*?[")


def plan(suite: Suite, root: Path, runs: int | None, seed: int | None, channel: Channel | None = None) -> list[Planned]:
    """See `Suite.plan`."""
    project = _Project(root)
    calls = _planned(suite, project, runs, seed, channel, within=())
    if not calls:
        raise BadInput(f"{suite.place('exclude')}the suite '{suite.id}' has no call left to make.")
    return calls


def alone(scenario: Scenario, suite: Suite, root: Path) -> list[Planned]:
    """The calls of one scenario, wherever its file lies, with the personas, lines, runs and dice of `suite`."""
    matrix = _Matrix(suite, _Project(root), suite.runs, suite.seed)
    return list(matrix.of_scenario(_with_checks(scenario, suite)))


def _planned(
    suite: Suite,
    project: _Project,
    runs: int | None,
    seed: int | None,
    channel: Channel | None,
    within: tuple[str, ...],
) -> list[Planned]:
    if suite.id in within:
        raise BadInput(f"the suite '{suite.id}' includes itself: {' > '.join([*within, suite.id])}.")
    calls: dict[str, Planned] = {}
    channel = channel or suite.channel
    for included in _included(suite, project.root):
        for call in _planned(included, project, runs, seed, channel, (*within, suite.id)):
            extended = replace(call, scenario=_with_checks(call.scenario, suite))
            calls.setdefault(call.case.id, extended)
    for call in _Matrix(suite, project, runs or suite.runs, suite.seed if seed is None else seed, channel).calls():
        calls.setdefault(call.case.id, call)
    return [call for call in calls.values() if not any(_fits(each, call.case) for each in suite.exclude)]


def _included(suite: Suite, root: Path) -> Iterator[Suite]:
    from . import suite as suites  # which plans with this module

    known = suites.files(root)
    for n, name in enumerate(suite.include):
        if name not in known:
            raise BadInput(f"{suite.place('include', n)}no suite '{name}'.{did_you_mean(name, known)}")
        yield suites.load(known[name])


def _with_checks(scenario: Scenario, suite: Suite) -> Scenario:
    return scenario.model_copy(update={"checks": scenario.checks.plus(suite.checks)})


def _fits(combination: Combination, case: Case) -> bool:
    pairs = ((case.scenario, combination.scenario), (case.persona, combination.persona), (case.line, combination.line))
    return all(any(fnmatchcase(name, pattern) for pattern in patterns) for name, patterns in pairs)


@dataclass(frozen=True)
class _Matrix:
    """The calls of a suite's own scenarios."""

    suite: Suite
    project: _Project
    runs: int
    seed: int
    channel: Channel | None = None
    """Instead of the scenarios' own."""

    def calls(self) -> Iterator[Planned]:
        known = scenarios.files(self.project.root)
        for name in _chosen(self.suite.scenarios, known, "scenario", lambda n: self.suite.place("scenarios", n)):
            yield from self.of_scenario(_with_checks(self.project.scenario(known[name]), self.suite))

    def of_scenario(self, scenario: Scenario) -> Iterator[Planned]:
        if self.channel:
            scenario = scenario.model_copy(update={"channel": self.channel})
        for persona in self._personas(scenario):
            yield from self._of(scenario, persona)

    def _of(self, scenario: Scenario, persona: Persona) -> Iterator[Planned]:
        agent, caller = self.project.agent(scenario), scenario.caller
        self.project.check_tools(scenario)
        data = filled(scenario, persona, self.project.root)
        for label, line in self._lines(scenario, persona):
            for seed in range(self.seed, self.seed + self.runs):
                case = Case(
                    scenario=scenario.id,
                    persona=persona.id,
                    line=label,
                    seed=seed,
                    agent=scenario.agent,
                    channel=scenario.channel,
                )
                yield Planned(
                    case=case,
                    root=self.project.root,
                    agent=agent,
                    scenario=scenario,
                    persona=persona,
                    role=scenario.role,
                    kind=caller.in_project(self.project.root) if isinstance(caller, Recording) else caller,
                    line=line,
                    at=scenario.at or self.suite.at,
                    data=data,
                )

    def _personas(self, scenario: Scenario) -> list[Persona]:
        """The suite's, or else the scenario's, and those that come beside them; each once."""
        suite, known = self.suite, self.project.personas
        if suite.personas:
            names = self.project.callers(suite.personas, lambda n: suite.place("personas", n))
        else:
            names = _chosen(scenario.persona, known, "persona", lambda n: f"{scenario.place('persona', n)} ")
        names += self.project.callers(suite.also, lambda n: suite.place("also", n))
        return [self.project.persona(name) for name in dict.fromkeys(names)]

    def _lines(self, scenario: Scenario, persona: Persona) -> Iterator[tuple[str, Line]]:
        """(name, line); a typed call has one that does not matter."""
        own = scenario.line or persona.line
        if scenario.channel == "text":
            yield TYPED, Line()
            return
        if scenario.channel == "phone":
            own = telephone(own)
        for n, each in enumerate(self.suite.lines or [OWN]):
            if isinstance(each, dict):
                yield from each.items()
            elif each == OWN:
                yield _name_of(own), own
            elif each in LINES:
                yield each, LINES[each]
            else:
                hint = did_you_mean(each, [*LINES, OWN])
                raise BadInput(f"{self.suite.place('lines', n)}no line '{each}'.{hint}")


def _name_of(line: Line) -> str:
    return next((name for name, known in LINES.items() if known == line), OWN)


def filled(scenario: Scenario, persona: Persona, root: Path) -> dict[str, Any]:
    """The scenario's data with the caller's facts in it. Raises BadInput when the persona cannot play the role."""
    from voicebot.personas.casting import in_role  # which knows all kinds of callers, and loads a lot

    playing = in_role(persona, scenario.role, scenario.caller, root)
    facts = {name: known.value for name, known in playing.facts.items()}

    def checked(name: str, key: str) -> str:
        if name not in facts:
            hint = did_you_mean(name, facts)
            place = scenario.place(key, of_key=True)
            raise BadInput(f"{place} '{{{name}}}': the caller '{persona.id}' has no such fact.{hint}")
        return facts[name]

    for name in scenario.checks.facts():
        checked(name, "checks")
    data: dict[str, Any] = _replaced(scenario.data, lambda name: checked(name, "data"))
    return data


def _replaced(value: Any, fact: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(inner, fact) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, fact) for inner in value]
    return PLACE.sub(lambda place: fact(place[1]), value) if isinstance(value, str) else value


class _Project:
    """What there is to choose from, read once."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._scenarios: dict[Path, Scenario] = {}
        self._personas: dict[str, Persona] = {}
        self._agents: dict[str, Path] = {}
        self._tools: dict[str, set[str] | None] = {}

    @cached_property
    def personas(self) -> Mapping[str, Path]:
        own = {path.stem: path for path in paths.yaml_files(paths.personas_dir(self.root))}
        return personas.library() | own

    def callers(self, patterns: Sequence[str], place: Callable[[int], str]) -> list[str]:
        """Names of personas; a pattern leaves out those marked `hard`."""
        known = [*self.personas, *(f"{LIBRARY}{name}" for name in personas.library())]
        found: list[str] = []
        for n, pattern in enumerate(patterns):
            chosen = _chosen([pattern], known, "persona", partial(_same_place, place(n)))
            names = [name.removeprefix(LIBRARY) for name in chosen]
            found += [name for name in names if not (_is_wild(pattern) and self.persona(name).hard)]
        return found

    def scenario(self, path: Path) -> Scenario:
        if path not in self._scenarios:
            self._scenarios[path] = scenarios.load(path)
        return self._scenarios[path]

    def persona(self, name: str) -> Persona:
        if name not in self._personas:
            self._personas[name] = Persona.load(self.personas[name])
        return self._personas[name]

    def agent(self, scenario: Scenario) -> Path:
        """The agent's file, which loads. Raises BadInput."""
        name = scenario.agent
        if name not in self._agents:
            known = {path.stem: path for path in paths.agent_files(self.root)}
            if name not in known:
                raise BadInput(f"{scenario.place('agent')} no agent '{name}'.{did_you_mean(name, known)}")
            self._tools[name] = _tools_of(Agent.load(known[name]))
            self._agents[name] = known[name]
        return self._agents[name]

    def check_tools(self, scenario: Scenario) -> None:
        """A check that forbids a tool which is not there would always pass. Raises BadInput."""
        known = self._tools[scenario.agent]
        for name in scenario.checks.tools():
            if known is not None and name not in known:
                place = scenario.place("checks", of_key=True)
                raise BadInput(f"{place} the agent '{scenario.agent}' has no tool '{name}'.{did_you_mean(name, known)}")


def _tools_of(agent: Agent) -> set[str] | None:
    """The names of the tools of an agent and of those that it hands over to; None when its file cannot tell them."""
    family = agent.family().values()
    tools = [tool for each in family for tool in each.brain.tools]
    if any(each.brain.graph for each in family) or any(tool.mcp and not tool.names for tool in tools):
        return None
    return {*BUILT_IN_TOOLS, *(name for tool in tools for name in tool.names)}


def _same_place(place: str, _: int) -> str:
    return place


def _is_wild(pattern: str) -> bool:
    return bool(_WILD & {*pattern})


def _chosen(patterns: Sequence[str], known: Iterable[str], what: str, place: Callable[[int], str]) -> list[str]:
    """The names that are meant, each once. Raises BadInput for a name or pattern that means none."""
    names = list(known)
    found: list[str] = []
    for n, pattern in enumerate(patterns):
        if pattern in names:
            found.append(pattern)
        elif _is_wild(pattern) and (fitting := sorted(name for name in names if fnmatchcase(name, pattern))):
            found += fitting
        else:
            kind = f"no {what} is like '{pattern}'" if _is_wild(pattern) else f"no {what} '{pattern}'"
            raise BadInput(f"{place(n)}{kind}.{did_you_mean(pattern, names)}")
    return list(dict.fromkeys(found))
