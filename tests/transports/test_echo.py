"""The agent on open speakers: it must not hear itself, and must hear the caller."""

from __future__ import annotations

import asyncio
import random
import sys

import pytest

from tests.doubles.room import Room
from tests.doubles.spoken import AGENT, speech
from tests.doubles.stubs import EchoBrain, ScriptSTT
from voicebot import clock, events
from voicebot.agent import Agent
from voicebot.call import Call
from voicebot.transports.link import Link
from voicebot.tts.espeak import Espeak

pytest.importorskip("livekit.rtc", reason='echo cancellation is not installed: pip install "voicebot[mic]"')

TALE = (
    "There was once a miller who had three sons, his mill, a donkey and a cat. The sons had to grind, the donkey had "
    "to fetch grain and carry meal away, and the cat had to catch the mice. When the miller died, the sons divided the "
    "inheritance: the eldest received the mill, the second the donkey, and the third the cat. Nothing else was left. "
)


def call_in(room: Link, says: list[str], hears: list[str], idle: str = "20s") -> tuple[Call, list[events.Event]]:
    told: list[events.Event] = []
    brain = EchoBrain(says, greeting="Hello there.")
    agent = Agent.parse(AGENT + "\nvoice: {turns: {idle: " + idle + "}}")
    call = Call(agent, room, stt=ScriptSTT(hears, interim=True), tts=Espeak("en-us+f2"), brain=brain)
    call.subscribe(told.append)
    return call, told


def kinds(told: list[events.Event], kind: type[events.Event]) -> int:
    return sum(isinstance(event, kind) for event in told)


def test_the_agent_never_interrupts_itself_in_ten_minutes():
    async def listen() -> tuple[Room, list[events.Event]]:
        room = Room("nobody speaks")
        call, told = call_in(room, [TALE * 14] * 2, [], idle="500ms")
        await call.run()
        return room, told

    room, told = clock.run(listen(), skip_idle=True)
    spoken_s = room.sound.played() / room.rate_hz
    sys.stdout.write(f"{spoken_s / 60:.1f} min of agent speech, echo return loss {room.return_loss_db:.0f} dB\n")
    assert spoken_s > 600
    assert room.return_loss_db > 35
    assert not kinds(told, events.CallerSpeechStarted)
    assert not kinds(told, events.BargeIn)


def test_without_cancellation_it_would():
    async def listen() -> list[events.Event]:
        room = Room("nobody speaks", cancel=False)
        call, told = call_in(room, [TALE], ["a tale"] * 20)
        talking = asyncio.create_task(call.run())
        await asyncio.sleep(20)
        room.hang_up()
        await talking
        return told

    assert kinds(clock.run(listen(), skip_idle=True), events.CallerSpeechStarted)


def test_a_caller_who_talks_over_it_is_heard():
    trials, wanted = 20, 19
    rng = random.Random(7)

    async def interrupt(after_s: float) -> bool:
        room = Room("interrupter")
        call, told = call_in(room, [TALE], ["tell me a tale", "wait a moment please", "thanks"])
        talking = asyncio.create_task(call.run())
        await asyncio.sleep(3)
        await room.speak(await speech("tell me a tale"))
        await asyncio.sleep(3 + after_s)
        assert room.agent_speaking
        await room.speak(await speech("wait a moment please"))
        await asyncio.sleep(1)
        room.hang_up()
        await talking
        return bool(kinds(told, events.BargeIn))

    heard = sum(clock.run(interrupt(rng.uniform(0, 12)), skip_idle=True) for _ in range(trials))
    sys.stdout.write(f"{heard} of {trials} interruptions heard over the agent's own echo\n")
    assert heard >= wanted
