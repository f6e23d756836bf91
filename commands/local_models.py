"""The language models on this machine, for `voicebot doctor`: each tried, since only that tells whether it can talk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .checkup import Check

if TYPE_CHECKING:
    from voicebot.providers import Provider


async def speeds(project: Path) -> list[Check]:
    """How fast each is that the project's agents name, or that `auto` would take. None without the extra `llama`."""
    found = []
    for name in _names(project):
        check = await asyncio.get_running_loop().run_in_executor(None, _speed, name, project)
        found.append(check)
    return found


def _names(project: Path) -> list[str]:
    """Models that are on disk and can be run."""
    from voicebot import models, providers

    llama = providers.find("llm", "llama")
    wanted = list(dict.fromkeys(_named(project))) or [models.best(llama.default)]
    return [name for name in wanted if not _why_not(llama, name, project)]


def _why_not(provider: Provider, model: str, project: Path) -> str:
    from voicebot import providers
    from voicebot.errors import BadInput

    try:
        return providers.why_not(provider, project, model=model)
    except BadInput as unknown:
        return str(unknown)


def _named(project: Path) -> Iterator[str]:
    """What the agents of the project name; agents that are wrong have a check of their own."""
    from voicebot import paths
    from voicebot.agent import Agent
    from voicebot.errors import VoicebotError

    for path in paths.agent_files(project):
        try:
            names = Agent.load(path).brain.llm
        except VoicebotError:
            continue
        yield from (name.removeprefix("llama/") for name in names if name.startswith("llama/"))


def _speed(name: str, project: Path) -> Check:
    from voicebot import models
    from voicebot.errors import VoicebotError
    from voicebot.llm.llama.probe import CONVERSATION_TOKENS_S, probe

    try:
        speed = probe(models.located(name, project))
    except VoicebotError as error:
        return Check("models", name, "broken", str(error))
    detail = (
        f"writes {speed.answer_tokens_s:.1f} tokens a second, reads {speed.prompt_tokens_s:.0f} "
        f"(loads in {speed.load_ms / 1000:.1f} s)"
    )
    if speed.conversational:
        return Check("models", name, "ok", detail)
    slow = f"too slow to talk with, which takes {CONVERSATION_TOKENS_S:.0f}"
    return Check("models", name, "absent", f"{detail}: {slow}", "a smaller one: voicebot models list")
