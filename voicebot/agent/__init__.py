"""The agent file: what an agent is, validated, with errors that name file, line and column.

    agent = Agent.load("ava")                 # agents/ava.yaml of the project around the current folder
    agent = Agent.load("agents/ava.yaml")     # or any path
    agent = Agent.parse(text, root)           # or a text

Loading reads files and executes nothing: a tool's function is looked up in the text of its file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, Field, PrivateAttr, ValidationInfo, model_validator

from voicebot import paths, validation, yamlfile
from voicebot.agent.brain import Brain
from voicebot.agent.budget import Budget
from voicebot.agent.filler import Filler
from voicebot.agent.handoff import MAX_AGENTS, Handoff, Handoffs, Warm
from voicebot.agent.recording import Recording
from voicebot.agent.tools import HttpTool, McpServer, ToolSettings
from voicebot.agent.values import OneOrMore, Part, Text, language_code
from voicebot.agent.voice import Turns, Voice
from voicebot.errors import BadInput, did_you_mean
from voicebot.flow import Flow, Step

__all__ = [
    "Agent",
    "Brain",
    "Budget",
    "Filler",
    "Handoff",
    "HttpTool",
    "McpServer",
    "OneOrMore",
    "Recording",
    "Text",
    "ToolSettings",
    "Turns",
    "Voice",
    "Warm",
    "agent_schema",
    "find_agent",
]


class Agent(Part):
    """An agent: one YAML file, complete on its own."""

    name: Text
    """The name that calls, reports and screens show."""
    language: Annotated[Text, AfterValidator(language_code)] = "en"
    """The language the agent speaks and hears: a code such as `en` or `en-US`."""
    greeting: Text | None = None
    """The first words of a call. Without it the agent waits for the caller to speak."""
    voice: Voice = Voice()
    """How the agent hears and speaks."""
    brain: Brain = Brain()
    """What the agent knows and can do."""
    flow: Flow | None = None
    """The conversation as steps, slots and branches. Alone it needs no language model; with one (`brain.llm`) it leads,
    and the model helps it to understand and answers what is beside the matter."""
    handoff: Handoffs = Field(default=[])
    """Who takes the call when the agent passes it on: one, or a list of several."""
    recording: Recording = Recording()
    """What callers are told of the recording, and when it pauses."""
    budget: Budget | None = None
    """What its calls may cost. Of a call that goes through several agents, the one that answers it pays."""

    _path: Path | None = PrivateAttr(default=None)
    _root: Path | None = PrivateAttr(default=None)
    _source: str | None = PrivateAttr(default=None)
    _sha256: str | None = PrivateAttr(default=None)
    _family: dict[Path, Agent] = PrivateAttr(default_factory=dict)
    _of_one_call: bool = PrivateAttr(default=False)

    @model_validator(mode="after")
    def _can_answer(self) -> Self:
        if self.flow is None and not self.brain.llm and not self.brain.graph:
            raise ValueError("nothing answers the caller. Add a 'flow', or 'llm' and 'prompt' in 'brain'.")
        if self.flow is not None and self.brain.graph:
            raise ValueError("brain.graph: only one can answer, the flow or your graph. Remove one of them.")
        if self.flow and self.flow.wording == "free" and not self.brain.llm:
            raise ValueError("flow.wording: only a language model words freely. Add 'llm' and 'prompt' to 'brain'.")
        rails = self.brain.guardrails
        if self.flow and self.brain.llm and rails and rails.pii and rails.pii.model == "redacted":
            raise ValueError(
                "brain.guardrails.pii: a flow reads the caller's own words, and so does the language model on its "
                "rails. Say so: pii: {caller: redact, model: raw}."
            )
        return self

    @model_validator(mode="after")
    def _flow_has_its_tools(self, info: ValidationInfo) -> Self:
        tools = {name: tool for tool in self.brain.tools for name in tool.names}
        some_unnamed = any(tool.mcp and not tool.mcp.only for tool in self.brain.tools)
        for place, step in _steps(self.flow):
            if step.tool not in tools and not some_unnamed:
                raise ValueError(f"{place}.tool: unknown tool '{step.tool}'.{did_you_mean(step.tool, tools)}")
            tool = tools.get(step.tool)
            if tool and tool.background:
                raise ValueError(f"{place}.tool: '{step.tool}' runs in the background, and a flow needs its result.")
            problem = tool.misfit(step.with_, info) if tool else ""
            if problem:
                raise ValueError(f"{place}.with: {problem}")
        return self

    @classmethod
    def load(cls, path_or_name: str | Path) -> Agent:
        """The agent in a file, or of that name in the project around the current folder.

        Raises BadInput with one line for each problem: 'agents/ava.yaml:14:5 unknown key ...'.
        """
        path = find_agent(str(path_or_name))
        return cls._of(yamlfile.read(path), paths.root_of(path))

    @classmethod
    def parse(cls, text: str, root: Path | None = None, shown: str = "<agent>") -> Agent:
        """The agent in a YAML text whose paths are relative to `root` (default: the current folder)."""
        return cls._of(yamlfile.parse(text, shown), root or Path.cwd())

    @classmethod
    def _of(cls, document: yamlfile.Document, root: Path, family: dict[Path, Agent] | None = None) -> Agent:
        """`family` collects the agents that take over from each other, so that each is read once."""
        agent = validation.build(document, cls, context=root)
        agent._path, agent._root = document.path, root
        agent._source, agent._sha256 = document.text, document.sha256
        agent._family = {} if family is None else family
        if document.path:
            agent._family[document.path.resolve()] = agent
        for number, handoff in enumerate(agent.handoff):
            if handoff.agent:
                agent._load_partner(handoff.agent, document.place(("handoff", number, "agent")))
        return agent

    def _load_partner(self, file: str, place: str) -> None:
        path = (self.root / file).resolve()
        if self._path and path == self._path.resolve():
            raise BadInput(f"{place} an agent cannot pass the call on to itself.")
        if path in self._family:
            return
        if not path.is_file():
            known = (agent.relative_to(self.root).as_posix() for agent in paths.agent_files(self.root))
            raise BadInput(f"{place} {file} does not exist.{did_you_mean(file, known)}")
        if len(self._family) >= MAX_AGENTS:
            raise BadInput(f"{place} one call can go through {MAX_AGENTS} agents at most.")
        self._of(yamlfile.read(path), paths.root_of(path), self._family)

    @property
    def file(self) -> str:
        """Its file, relative to the project's folder; '' for one that is in no file."""
        return Path(os.path.relpath(self._path, self.root)).as_posix() if self._path else ""

    def family(self) -> dict[str, Agent]:
        """This agent, and all that can take over in a call with it, by file."""
        found, waiting = {self.file: self}, [self]
        for agent in waiting:
            for partner in (agent.partner(handoff.agent) for handoff in agent.handoff if handoff.agent):
                if partner.file not in found:
                    found[partner.file] = partner
                    waiting.append(partner)
        return found

    def partner(self, file: str) -> Agent:
        """The agent in `file`, which one of its handoffs names."""
        path = (self.root / file).resolve()
        return self._family[path] if path in self._family else Agent.load(path)

    def in_one_call(self, fill: Callable[[str], str]) -> Agent:
        """This agent with the greeting and the prompt that `fill` makes of its own, for one call only."""
        prompt, greeting = self.brain.prompt, self.greeting
        brain = self.brain.model_copy(update={"prompt": fill(prompt) if prompt else prompt})
        copy = self.model_copy(update={"greeting": fill(greeting) if greeting else greeting, "brain": brain})
        copy._of_one_call = True
        return copy

    @property
    def says_often(self) -> list[str]:
        """What it says in many calls, word for word."""
        greeting = [self.greeting] if self.greeting and not self._of_one_call else []
        return [*greeting, *(handoff.say for handoff in self.handoff)]

    @property
    def path(self) -> Path | None:
        """The file it was loaded from."""
        return self._path

    @property
    def root(self) -> Path:
        """The project's folder, to which paths in the file are relative."""
        return self._root or Path.cwd()

    @property
    def source(self) -> str:
        """The YAML text it was loaded from; for an agent built in code, the same agent as YAML."""
        if self._source is not None:
            return self._source
        settings = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return str(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))

    @property
    def sha256(self) -> str:
        """SHA-256 of the file's bytes."""
        return self._sha256 or hashlib.sha256(self.source.encode()).hexdigest()


def _steps(flow: Flow | None) -> Iterator[tuple[str, Step]]:
    """The flow's tool calls, and where in the agent file each stands."""
    for name, check in flow.checks.items() if flow else ():
        yield f"flow.checks.{name}", check
    for name, goal in flow.goals.items() if flow else ():
        if goal.do:
            yield f"flow.goals.{name}.do", goal.do


def find_agent(name: str | None = None) -> Path:
    """The file of an agent: by path, by name in the project around the current folder, or the project's only agent.

    A folder stands for the project in it. Raises BadInput that lists what there is.
    """
    root = paths.project_root()
    if name is None:
        return _only_agent(root)
    path = Path(name).expanduser()
    if path.is_dir():
        return _only_agent(path)
    if path.exists() or path.suffix in (".yaml", ".yml") or path.name != name:
        return path
    agents = {file.stem: file for file in paths.agent_files(root)}
    if name not in agents:
        if not agents:
            raise _no_agents(root)
        raise BadInput(f"no agent '{name}' in {paths.shown(root / paths.AGENTS)}.{did_you_mean(name, agents)}")
    return agents[name]


def _only_agent(root: Path) -> Path:
    agents = paths.agent_files(root)
    if len(agents) == 1:
        return agents[0]
    if agents:
        raise BadInput(f"which agent? Choose one with --agent: {', '.join(file.stem for file in agents)}.")
    raise _no_agents(root)


def _no_agents(root: Path) -> BadInput:
    return BadInput(f"no agents in {root}. Make a project: voicebot new NAME. Or name an agent's file with --agent.")


def agent_schema() -> dict[str, Any]:
    """The agent file as JSON Schema, for editors that complete and check while typing."""
    schema = Agent.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "voicebot agent"}
