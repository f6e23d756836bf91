"""What `VOICEBOT_PARTS` names where the agent's own brain is to answer: stand-ins for recogniser and voice alone."""

from __future__ import annotations

from typing import Any

from voicebot.agent import Agent
from voicebot.evals.bench.calls import stubs


def parts(agent: Agent) -> dict[str, Any]:
    """For one call."""
    return {"stt": stubs.Recogniser(), "tts": stubs.Voice()}
