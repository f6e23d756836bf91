"""What is wrong with the caller's audio is an event of the call; a good line has none."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from tests.doubles.spoken import SpokenCall, speech
from voicebot import events

LONG = "I would like to book a cleaning on Tuesday morning, and my number is five five five oh one four two."


@pytest.mark.parametrize(("gain", "told"), [(1.0, []), (12.0, ["clipping"]), (0.012, ["too_quiet"])])
def test_a_caller_who_is_too_loud_or_too_quiet_is_told_of_once(gain, told):
    async def caller(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStopped)
        samples = np.frombuffer(await speech(LONG), np.int16) * gain
        await call.link.speak(np.clip(samples, -32768, 32767).astype(np.int16).tobytes())
        await asyncio.sleep(1)

    call = SpokenCall(["book an appointment"] * 9, ["Which day?"] * 9, greeting="Hi.")
    call.play(caller)
    assert [notice.kind for notice in call.all(events.AudioNotice)] == told
