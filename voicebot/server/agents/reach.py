"""How far an agent may reach that was written over REST.

An agent file can name programs, Python code, files and addresses, and it can send settings of this server anywhere.
That is for those who may log in to the server, not for everybody who has an API key: so whatever reaches beyond the
conversation is refused, unless the agent's file on the disk already says exactly the same.

Asked before anything that the file names is looked up, so that no answer tells what there is on this machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from voicebot import paths
from voicebot.agent import Agent, ToolSettings
from voicebot.providers import providers
from voicebot.yamlfile import Loc

_KEEP = "Over REST an agent can keep what its file has; to add it, change the file on the server."
_KNOWLEDGE = re.compile(r"knowledge(/[^./\\][^/\\]*)+")
_PARTNER = re.compile(rf"{paths.AGENTS}/[A-Za-z0-9][A-Za-z0-9_.-]*\.ya?ml")
_PATHLIKE = re.compile(r"^[/~]|\\|(^|[/:])\.\.?(/|$)")
_WEIGHTS = (".gguf", ".onnx")
_SLOW = f"a regular expression may be so slow that all calls wait for it. {_KEEP}"


def objections(agent: Agent, standing: Agent | None) -> Iterator[tuple[Loc, str]]:
    """Where `agent` reaches further than `standing`, the agent that its file on the disk describes (None: there is none
    that can be read), and why that is refused."""
    yield from _code(agent, standing)
    yield from _tools(agent, standing)
    yield from _files(agent, standing)
    yield from _models(agent, standing)
    yield from _patterns(agent, standing)


def _code(agent: Agent, standing: Agent | None) -> Iterator[tuple[Loc, str]]:
    brain, before = agent.brain, standing.brain if standing else None
    if brain.graph and not (before and brain.graph == before.graph):
        yield ("brain", "graph"), f"a graph runs Python code on this server. {_KEEP}"
    if brain.base_url and not (before and brain.base_url == before.base_url):
        yield ("brain", "base_url"), f"conversations and the key of the language model would go there. {_KEEP}"


def _tools(agent: Agent, standing: Agent | None) -> Iterator[tuple[Loc, str]]:
    known = [_essence(tool) for tool in standing.brain.tools] if standing else []
    for number, tool in enumerate(agent.brain.tools):
        if tool.built_in or _essence(tool) in known:
            continue
        place: Loc = ("brain", "tools", number)
        if tool.python:
            yield place, f"a Python tool runs code on this server. {_KEEP}"
        elif tool.http:
            yield place, f"an HTTP tool sends requests from within this server's network. {_KEEP}"
        elif tool.mcp and tool.mcp.command:
            yield place, f"an MCP server is a program that is started on this server. {_KEEP}"
        else:
            yield place, f"an MCP server is talked to from within this server's network. {_KEEP}"


def _essence(tool: ToolSettings) -> tuple[object, ...]:
    """What a tool does; how long it may take and what is said meanwhile may change."""
    return tool.python, tool.http, tool.mcp, tool.idempotent


def _files(agent: Agent, standing: Agent | None) -> Iterator[tuple[Loc, str]]:
    known = standing.brain.knowledge if standing else []
    for number, pattern in enumerate(agent.brain.knowledge):
        if pattern not in known and not _KNOWLEDGE.fullmatch(pattern):
            sentence = f"over REST an agent can only know files of the folder knowledge/. {_KEEP}"
            yield ("brain", "knowledge", number), sentence
    music = agent.voice.hold_music
    if music and not (standing and music == standing.voice.hold_music):
        yield ("voice", "hold_music"), f"callers would hear a file of this server. {_KEEP}"
    partners = {each.agent for each in standing.handoff} if standing else set()
    for number, handoff in enumerate(agent.handoff):
        if handoff.agent and handoff.agent not in partners and not _PARTNER.fullmatch(handoff.agent):
            sentence = f"over REST a call can only go on to an agent of this project, as agents/NAME.yaml. {_KEEP}"
            yield ("handoff", number, "agent"), sentence


def _models(agent: Agent, standing: Agent | None) -> Iterator[tuple[Loc, str]]:
    known = {name for _, _, name in _named(standing)} if standing else set()
    for place, kind, name in _named(agent):
        if name not in known and _is_path(kind, name):
            yield place, f"'{name}' names a file on this server instead of a model. {_KEEP}"


def _named(agent: Agent) -> Iterator[tuple[Loc, str, str]]:
    """Where, of which kind, and which: all models and voices."""
    for number, name in enumerate(agent.voice.stt):
        yield ("voice", "stt", number), "stt", name
    for number, name in enumerate(agent.voice.tts):
        yield ("voice", "tts", number), "tts", name
    for number, name in enumerate(agent.brain.llm):
        yield ("brain", "llm", number), "llm", name
    rails = agent.brain.guardrails
    if rails and rails.judge:
        yield ("brain", "guardrails", "judge", "llm"), "llm", rails.judge.llm


def _is_path(kind: str, name: str) -> bool:
    provider, _, model = name.partition("/")
    local = any(each.store for each in providers() if (each.kind, each.name) == (kind, provider))
    if local and ("/" in model or any(suffix in model.lower() for suffix in _WEIGHTS)):
        return True
    return _PATHLIKE.search(model) is not None


def _patterns(agent: Agent, standing: Agent | None) -> Iterator[tuple[Loc, str]]:
    rails, before = agent.brain.guardrails, standing.brain.guardrails if standing else None
    known = before.never_say.texts if before and before.never_say else []
    for number, text in enumerate(rails.never_say.texts if rails and rails.never_say else ()):
        if text.startswith("/") and text.endswith("/") and text not in known:
            yield (
                ("brain", "guardrails", "never_say", "texts", number),
                _SLOW,
            )
