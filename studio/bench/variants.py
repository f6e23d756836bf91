"""A variant of an agent: another file in agents/, the same but for one thing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import yaml

from voicebot import paths, yamlfile
from voicebot.agent import Agent
from voicebot.errors import BadInput, VoicebotError
from voicebot.evals.planned import Planned
from voicebot.project import SCHEMA

What = Literal["prompt", "voice", "model", "ear", "nothing"]
WHATS: dict[What, str] = {
    "prompt": "a sentence more at the end of the prompt",
    "voice": "another voice: espeak, piper/en_US-lessac-medium ...",
    "model": "another language model: openai/gpt-4.1-mini ...",
    "ear": "another recogniser: whisper/small.en, deepgram/nova-3 ...",
    "nothing": "a copy, to be edited on page 1",
}
"""In what a variant can differ, and what is asked for then."""


def next_name(root: Path, agent: str) -> str:
    """'ava-b', or the next letter that is free."""
    taken = {path.stem for path in paths.agent_files(root)}
    return next(f"{agent}-{letter}" for letter in "bcdefghijklmnopqrstuvwxyz" if f"{agent}-{letter}" not in taken)


def make(root: Path, agent: str, what: What, value: str = "") -> Path:
    """The file of the new variant. Raises BadInput, and leaves no file, when no agent comes of it."""
    source = next((path for path in paths.agent_files(root) if path.stem == agent), None)
    if source is None:
        raise BadInput(f"there is no agent '{agent}' any more.")
    path = source.with_name(f"{next_name(root, agent)}.yaml")
    try:
        path.write_text(_text(source.read_text(encoding="utf-8"), agent, what, value), encoding="utf-8")
        Agent.load(path)
    except VoicebotError:
        path.unlink(missing_ok=True)
        raise
    except OSError as error:
        raise BadInput(f"{paths.shown(path)} cannot be written: {error.strerror}.") from None
    return path


def _text(source: str, agent: str, what: What, value: str) -> str:
    if what == "nothing":
        return source
    data = yamlfile.parse(source, f"{agent}.yaml").data
    _change(data, what, value.strip())
    told = f"# A variant of {agent}: {what}. Made in the studio; comments of {agent}.yaml are not in it.\n"
    schema = f"# yaml-language-server: $schema={SCHEMA}\n"
    return schema + told + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)


def _change(data: dict[str, Any], what: What, value: str) -> None:
    if what == "prompt":
        brain = data.setdefault("brain", {})
        brain["prompt"] = f"{str(brain.get('prompt') or '').rstrip()}\n{value}\n".lstrip()
    elif what == "model":
        data.setdefault("brain", {})["llm"] = value
    else:
        data.setdefault("voice", {})["tts" if what == "voice" else "stt"] = value


def playing(plan: list[Planned], agent: Path, agents: set[str]) -> list[Planned]:
    """The calls of a plan, with this agent in the place of those called `agents`. A case keeps its id, by which it is
    compared."""
    return [
        replace(planned, agent=agent, case=planned.case.model_copy(update={"agent": agent.stem}))
        for planned in plan
        if planned.case.agent in agents
    ]
