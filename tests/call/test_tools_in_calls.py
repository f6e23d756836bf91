"""Whole spoken calls in which tools do more: they run on, press keys, and pass the caller to another agent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import soundfile
import yaml

from tests.doubles.openai_endpoint import OpenAIEndpoint, answer
from tests.doubles.spoken import speech
from tests.doubles.stubs import ScriptSTT
from voicebot import clock, events
from voicebot.agent import Agent
from voicebot.call import Call
from voicebot.media.dtmf import HIGH_HZ, KEYS, LOW_HZ
from voicebot.transports.link import Link

E = TypeVar("E", bound=events.Event)

SLOW = '''
import asyncio

async def order_taxi(to: str) -> str:
    """Order a taxi."""
    await asyncio.sleep({seconds})
    return f"the taxi to {{to}} comes at nine"
'''


class ToolCall:
    """A spoken call whose agent asks `server`; its files are written to `root`."""

    def __init__(self, root: Path, server: OpenAIEndpoint, hears: list[str], **agents: dict[str, Any]) -> None:
        (root / "agents").mkdir(exist_ok=True)
        for name, settings in agents.items():
            brain = {"llm": "openai/double", "prompt": f"You are {name}.", "base_url": server.url}
            whole = {"name": name, "greeting": f"I am {name}.", **settings}
            whole["brain"] = {**brain, **settings.get("brain", {})}
            (root / "agents" / f"{name}.yaml").write_text(yaml.safe_dump(whole))
        self.link = Link("tester")
        self.events: list[events.Event] = []
        agent = Agent.load(root / "agents" / f"{next(iter(agents))}.yaml")
        self.call = Call(agent, self.link, record=root / "calls", stt=ScriptSTT(hears, interim=True))
        self.call.subscribe(self.events.append)

    async def until(self, kind: type[E], count: int = 1) -> E:
        while len(found := self.all(kind)) < count:  # noqa: ASYNC110 - the events are a plain list
            await asyncio.sleep(0.01)
        return found[count - 1]

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def say(self, text: str) -> None:
        await asyncio.sleep(0.5)
        await self.link.speak(await speech(text))

    def agent_audio(self) -> npt.NDArray[np.float64]:
        assert self.call.folder
        samples, rate_hz = soundfile.read(self.call.folder / "call.wav")
        assert rate_hz == self.link.rate_hz
        return np.asarray(samples[:, 1])


def play(
    root: Path,
    server: OpenAIEndpoint,
    hears: list[str],
    caller: Callable[[ToolCall], Awaitable[None]],
    **agents: dict[str, Any],
) -> ToolCall:
    async def whole() -> ToolCall:
        async with server:
            call = ToolCall(root, server, hears, **agents)

            async def speak() -> None:
                try:
                    await caller(call)
                finally:
                    call.link.hang_up()

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(speak())
                await call.call.run()
            return call

    return clock.run(whole(), skip_idle=True)


# -- background ------------------------------------------------------------------------------------------------------


def taxi(root: Path, *answers: Any, seconds: float, background: bool = True) -> dict[str, Any]:
    (root / "tools.py").write_text(SLOW.format(seconds=seconds))
    return {"brain": {"tools": [{"python": "tools.py:order_taxi", "background": background, "timeout": "30s"}]}}


def test_a_tool_runs_on_and_the_agent_speaks_up_when_it_is_done(tmp_path: Path):
    async def ask(call: ToolCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await call.say("I need a taxi to the station.")
        await call.until(events.AgentSpeechStopped, 3)

    server = OpenAIEndpoint(
        answer("", ("order_taxi", {"to": "the station"})), answer("I have ordered one."), answer("It comes at nine.")
    )
    call = play(tmp_path, server, ["i need a taxi"], ask, ava=taxi(tmp_path, seconds=3))
    said = [event.heard for event in call.all(events.AgentSpeechStopped)]
    assert said == ["I am ava.", "I have ordered one.", "It comes at nine."]
    (returned,) = call.all(events.ToolReturned)
    assert (returned.ok, returned.result) == (True, "the taxi to the station comes at nine")
    assert returned.t_ms > call.all(events.AgentSpeechStopped)[1].t_ms
    assert call.all(events.CallerSilent) == []
    assert call.all(events.AgentSpeechStarted)[2].t_ms - returned.t_ms < 1000
    started, finished = (request["messages"] for request in server.requests[1:])
    assert started[-1]["content"].startswith("Started.")
    assert [message["role"] for message in finished[-3:]] == ["assistant", "tool", "user"]
    assert finished[-2]["content"] == "the taxi to the station comes at nine"
    assert finished[-1]["content"] == "[order_taxi has finished; the result stands above. Tell the caller.]"


def test_the_callers_next_words_are_answered_with_what_has_finished(tmp_path: Path):
    async def ask(call: ToolCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await call.say("I need a taxi to the station.")
        await call.until(events.AgentSpeechStarted, 2)
        await call.say("How long does that usually take, please?")
        await call.until(events.AgentSpeechStopped, 3)
        await asyncio.sleep(2)

    server = OpenAIEndpoint(
        answer("", ("order_taxi", {"to": "the station"})),
        answer("I am ordering one for you right now and will tell you at once when I know more about it."),
        answer("It comes at nine."),
    )
    call = play(tmp_path, server, ["i need a taxi", "how long"], ask, ava=taxi(tmp_path, seconds=1.5))
    last = server.requests[-1]["messages"]
    assert last[-1]["content"].endswith("how long")
    assert last[-2]["content"] == "the taxi to the station comes at nine"
    said = [event.heard for event in call.all(events.AgentSpeechStopped)]
    assert said[2:] == ["It comes at nine."], "what was told once is no news any more"


def test_what_runs_in_the_background_is_in_the_record_when_the_caller_hangs_up(tmp_path: Path):
    async def ask(call: ToolCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await call.say("I need a taxi to the station.")
        await call.until(events.AgentSpeechStopped, 2)

    server = OpenAIEndpoint(answer("", ("order_taxi", {"to": "x"})), answer("I have ordered one."))
    call = play(tmp_path, server, ["i need a taxi"], ask, ava=taxi(tmp_path, seconds=3))
    assert [event.type for event in call.events[-2:]] == ["tool_returned", "call_ended"]


# -- touch tones -----------------------------------------------------------------------------------------------------


def power(samples: npt.NDArray[np.float64], hz: float, rate_hz: int) -> float:
    """Goertzel's: how much of `hz` is in the samples, 1.0 for a full-scale sine."""
    step = 2 * np.cos(2 * np.pi * hz / rate_hz)
    one = two = 0.0
    for sample in samples:
        one, two = sample + step * one - two, one
    return float(one * one + two * two - step * one * two) / (len(samples) / 2) ** 2


def pressed(samples: npt.NDArray[np.float64], rate_hz: int) -> list[tuple[str, float]]:
    """(key, when in s) of every tone of 40 ms or more, told as Q.24 has a receiver tell it: one low and one high
    frequency, each 10 dB above its neighbours, and little else."""
    window = rate_hz * 20 // 1000
    found: list[tuple[str, float]] = []
    before = ""
    for start in range(0, len(samples) - window, window):
        key = _key(samples[start : start + window], rate_hz)
        if key and key == before and (not found or found[-1] != (key, -1.0)):
            found.append((key, (start - window) / rate_hz))
            before = "held"
        elif not (before == "held" and key == found[-1][0]):
            before = key
    return found


def _key(samples: npt.NDArray[np.float64], rate_hz: int) -> str:
    mean_square = float(np.mean(samples**2))
    if mean_square < 0.0001:
        return ""
    low = [power(samples, hz, rate_hz) for hz in LOW_HZ]
    high = [power(samples, hz, rate_hz) for hz in HIGH_HZ]
    if max(low) + max(high) < 0.8 * 2 * mean_square:
        return ""  # speech has more in it
    for group in (low, high):
        strongest, next_to_it = sorted(group, reverse=True)[:2]
        if strongest < 0.001 or next_to_it > strongest / 10:
            return ""
    return KEYS[int(np.argmax(low))][int(np.argmax(high))]


def test_keys_are_heard_behind_the_words_in_the_calls_own_audio(tmp_path: Path):
    async def ask(call: ToolCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await call.say("Please dial the extension.")
        await call.until(events.AgentSpeechStopped, 2)

    server = OpenAIEndpoint(
        answer("I press them now.", ("press_keys", {"keys": "159w*0#2468373"})), answer("There you are.")
    )
    call = play(tmp_path, server, ["dial it"], ask, ava={"brain": {"tools": ["press_keys"]}})
    keys = pressed(call.agent_audio(), call.link.rate_hz)
    assert "".join(key for key, _ in keys) == "159*0#2468373"
    times = [when for _, when in keys]
    gaps = np.diff(times)
    assert 0.6 < gaps[2] < 0.74, "w is half a second"
    assert all(abs(gap - 0.17) < 0.03 for number, gap in enumerate(gaps) if number != 2)
    (event,) = call.all(events.KeysPressed)
    assert (event.side, event.keys) == ("agent", "159w*0#2468373")
    before, after = [said for said in call.all(events.AgentSaying) if said.turn == 1]
    assert (before.text, after.text) == ("I press them now.", "There you are.")
    assert before.ends_ms <= times[0] * 1000 + 40
    assert times[-1] * 1000 <= after.starts_ms
    assert call.all(events.AgentSpeechStopped)[-1].heard == "I press them now. There you are."


# -- another agent ---------------------------------------------------------------------------------------------------


def voiced(name: str, partner: str, voice: str) -> dict[str, Any]:
    handoff = {"to": f"the {partner} desk", "agent": f"agents/{partner}.yaml", "say": "One moment."}
    return {"voice": {"tts": f"espeak/{voice}"}, "handoff": handoff}


def pitch_hz(samples: npt.NDArray[np.float64], rate_hz: int) -> float:
    """The median pitch of a voice, by autocorrelation."""
    found = []
    window, shortest, longest = rate_hz // 20, rate_hz // 400, rate_hz // 70
    for start in range(0, len(samples) - window, window):
        part = samples[start : start + window]
        if np.sqrt(np.mean(part**2)) > 0.03:
            wave = np.correlate(part, part, "full")[window - 1 :]
            found.append(rate_hz / (shortest + int(np.argmax(wave[shortest:longest]))))
    return float(np.median(found))


def test_another_agent_goes_on_with_the_call_in_its_own_voice(tmp_path: Path):
    async def ask(call: ToolCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await call.say("There is a mistake on my invoice.")
        await call.until(events.AgentSpeechStopped, 3)
        await call.say("It is number seven.")
        await call.until(events.AgentSpeechStopped, 4)

    server = OpenAIEndpoint(
        answer("", ("hand_over", {"reason": "wrong invoice"})),
        answer("I see a mistake on your invoice, and I will gladly look into that for you. Which one is it?"),
        answer("Thank you."),
    )
    hears = ["there is a mistake on my invoice", "number seven"]
    agents = {"ava": voiced("ava", "billing", "en-us+m3"), "billing": voiced("billing", "ava", "en-us+f2")}
    call = play(tmp_path, server, hears, ask, **agents)
    assert [event.heard for event in call.all(events.AgentSpeechStopped)] == [
        "I am ava.",
        "One moment.",
        "I see a mistake on your invoice, and I will gladly look into that for you. Which one is it?",
        "Thank you.",
    ]
    (handed,) = call.all(events.HandedOver)
    assert (handed.to, handed.reason, handed.agent) == ("the billing desk", "wrong invoice", "agents/billing.yaml")
    first, second, third = (request["messages"] for request in server.requests)
    assert "You are ava." in first[0]["content"]
    assert "You are billing." in second[0]["content"]
    texts = [message["content"] for message in second]
    assert "there is a mistake on my invoice" in texts
    assert texts[-1].startswith("[You have taken over this call from ava. Why: wrong invoice. ")
    assert third[-1]["content"] == "number seven"
    audio, rate_hz = call.agent_audio(), call.link.rate_hz
    started = [event.t_ms for event in call.all(events.AgentSpeechStarted)]
    ended = [event.t_ms for event in call.all(events.AgentSpeechStopped)]
    pitches = [
        pitch_hz(audio[int(a * rate_hz / 1000) : int(b * rate_hz / 1000)], rate_hz)
        for a, b in zip(started, ended, strict=True)
    ]
    assert pitches[2] > 1.3 * pitches[0], pitches
    assert call.all(events.CallEnded)[-1].reason == "caller_hung_up"
