"""Touch tones on a telephone line, both ways: what the agent presses is heard behind Twilio's mu-law, and what the
caller presses comes as messages and is a turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from itertools import product

import numpy as np

from tests.doubles.phone_call import PhoneCall
from tests.doubles.stubs import EchoBrain
from voicebot import events
from voicebot.brain import Output, PressKeys, Say
from voicebot.media.dtmf import GAP_MS, HIGH_HZ, KEYS, LOW_HZ, TONE_MS


def keys_in(pcm: bytes) -> str:
    """Every tone that stands between two pauses, by the two frequencies that are strongest in it."""
    samples = np.frombuffer(pcm, np.int16).astype(float)
    loud = np.convolve(np.abs(samples), np.ones(80) / 80, "same") > 500
    edges = np.flatnonzero(np.diff(loud.astype(int), prepend=0, append=0)).reshape(-1, 2)
    return "".join(_key(samples[start:end]) for start, end in edges if abs(end - start - TONE_MS * 8) < GAP_MS * 4)


def _key(samples: np.ndarray) -> str:
    t = np.arange(len(samples)) / 8000
    power = {hz: abs(np.exp(-2j * np.pi * hz * t) @ samples) for hz in (*LOW_HZ, *HIGH_HZ)}
    low, high = (max(group, key=power.__getitem__) for group in (LOW_HZ, HIGH_HZ))
    others = [power[hz] for hz in power if hz not in (low, high)]
    return KEYS[LOW_HZ.index(low)][HIGH_HZ.index(high)] if max(others) < 0.3 * min(power[low], power[high]) else "?"


def test_what_the_agent_presses_is_heard_on_the_telephone_and_stands_in_the_record():
    class Presses(EchoBrain):
        async def greet(self) -> AsyncGenerator[Output, None]:
            yield Say("One moment.")
            yield PressKeys("w159w0#2468*37")

    call = PhoneCall([], [], brain=Presses())

    async def listen(call: PhoneCall) -> None:
        await call.until(events.AgentSpeechStopped)

    call.play(listen)
    assert keys_in(bytes(call.stream.heard)) == "1590#2468*37"
    pressed = call.only(events.KeysPressed)
    assert (pressed.side, pressed.keys) == ("agent", "w159w0#2468*37")


def test_what_the_caller_presses_interrupts_the_agent_and_is_one_answer():
    call = PhoneCall([], ["Thank you."], greeting="Please enter your number and then the hash key, as you know it.")

    async def press(call: PhoneCall) -> None:
        await call.until(events.AgentSpeechStarted)
        await asyncio.sleep(1)
        for key in "4711#":
            call.stream.press(key)
            await asyncio.sleep(0.3)
        await call.until(events.AgentSpeechStopped, 2)

    call.play(press)
    assert call.brain.turns == ["4711"]
    assert call.brain.memory[0][1], "the greeting was interrupted"
    pressed = call.only(events.KeysPressed)
    assert (pressed.side, pressed.keys) == ("caller", "4711")
    assert call.stream.cleared >= 1


def test_all_keys_can_be_told_apart_here():
    from voicebot.media.dtmf import tones

    every = "".join(row[column] for row, column in product(KEYS, range(3)))
    assert keys_in(b"".join(tones(every, 8000))) == every
