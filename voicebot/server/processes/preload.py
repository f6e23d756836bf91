"""Everything that calls share is in memory before the first one comes: it shall be as fast as the tenth."""

from __future__ import annotations

import asyncio

from loguru import logger

from voicebot.agent import Agent
from voicebot.brain.mind import open_brain
from voicebot.brain.watch import guard_of
from voicebot.call.cast import Cast
from voicebot.call.telling import Telling
from voicebot.errors import VoicebotError
from voicebot.media import vad
from voicebot.process import settle_down
from voicebot.server.agents import Agents
from voicebot.server.desk import Parts
from voicebot.server.processes.crew import Report, Served
from voicebot.turns import smart_turn


async def preload(agents: Agents, parts: Parts | None = None) -> Report:
    """The models of all agents, and the code that runs them. What cannot be loaded is in the report."""
    report = Report()
    for entry in await agents.entries():
        if entry.agent is None:
            report.broken.append(entry.problem)
            continue
        try:
            report.agents.append(await _load(entry.name, entry.agent, parts))
        except VoicebotError as error:
            report.broken.append(f"agents/{entry.name}.yaml: {error}")
    await asyncio.to_thread(vad.silero)
    await smart_turn.load()
    await asyncio.to_thread(settle_down)
    return report


async def _load(name: str, agent: Agent, parts: Parts | None) -> Served:
    """Raises BadInput, Unavailable."""
    given = parts(agent) if parts else {}
    cast = Cast(agent, _failed, _failed)
    guard = guard_of(agent)
    stt, tts = given.get("stt") or cast.stt, given.get("tts") or cast.tts
    await asyncio.gather(stt.load(), tts.load(), asyncio.to_thread(Telling(guard).load))
    brain = given.get("brain") or open_brain(agent, f"{name} before its calls", guard)
    await brain.close()
    return Served(name=name, stt=stt.name, tts=tts.name, brain=brain.name)


def _failed(provider: str, error: Exception, remedy: str) -> None:
    logger.warning(f"{provider} failed before the first call: {error}; {remedy}")
