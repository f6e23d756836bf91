"""The agents of a project: loaded for the next call, and their files written from outside."""

from voicebot.server.agents.files import NAME, InUse, NoAgent, Outdated
from voicebot.server.agents.loaded import Agents, Entry

__all__ = ["NAME", "Agents", "Entry", "InUse", "NoAgent", "Outdated"]
