"""What `VOICEBOT_PARTS` names where a call is to be short: the agent greets, and hangs up."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from tests.doubles.stubs import EchoBrain, ScriptSTT, ToneTTS
from voicebot.agent import Agent
from voicebot.brain import HangUp, Output, Say


class Brief(EchoBrain):
    async def greet(self) -> AsyncGenerator[Output, None]:
        yield Say("Good morning. We are closed today.")
        yield HangUp("closed")


def parts(agent: Agent) -> dict[str, Any]:
    """For one call."""
    return {"stt": ScriptSTT([]), "tts": ToneTTS(8000), "brain": Brief()}
