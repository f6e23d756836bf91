"""What `VOICEBOT_PARTS` names in tests: stand-ins that answer at once, the same as in `voicebot bench calls`."""

from __future__ import annotations

from typing import Any

from voicebot.agent import Agent
from voicebot.evals.bench.calls import stubs


def parts(agent: Agent) -> dict[str, Any]:
    """For one call."""
    return {"stt": stubs.Recogniser(), "tts": stubs.Voice(), "brain": stubs.Brain()}
