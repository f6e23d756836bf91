"""What asking the model early is worth: the same spoken calls with and without `speculative`.

    python -m benchmarks.speculation

The caller's voice is eSpeak's, voice detector and Smart Turn are the real ones, the recogniser's words are given, and
the language model is a loopback server behind the real SDK that is silent for 300 ms before its first token. Every
fifth question has a pause in it, at which a guess may go wrong. Prints voice-to-voice latency and what guesses cost.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from pathlib import Path

from loguru import logger

from tests.doubles.openai_endpoint import OpenAIEndpoint, answer
from tests.doubles.project import llm_agent
from tests.doubles.spoken import speech
from tests.doubles.stubs import ScriptSTT, ToneTTS
from voicebot import clock, events
from voicebot.agent import Agent
from voicebot.call import Call
from voicebot.latency import percentiles, v2v_ms, waterfalls
from voicebot.money.spending import spending
from voicebot.transports.link import Link

QUESTIONS = (
    "When do you open on Monday?",
    "Do you have a dentist who speaks French?",
    "How much is a cleaning?",
    "Can I bring my son as well?",
    "Is there a place to park?",
    "I would like to move my appointment.",
    "What do I have to bring?",
    "Do you take card payments?",
    "Where exactly are you?",
    "That is all, thank you very much.",
)
PAUSED = (
    ("I wanted to ask", "whether you are open on Sunday."),
    ("My name is Peter Miller", "and I need a cleaning next week."),
)
TURNS = 5


class Caller:
    """One caller, who asks the same for the same seed."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - a seed is what is wanted
        self.turns: list[tuple[str, ...]] = [(question,) for question in chance.sample(QUESTIONS, TURNS - 1)]
        self.turns.insert(chance.randrange(TURNS), chance.choice(PAUSED))
        self.pause_s = chance.uniform(0.3, 0.6)
        self.line = Link(f"caller-{seed}", seed=seed)
        self.happened: list[events.Event] = []

    async def play(self, agent: Agent) -> list[events.Event]:
        heard = [part for turn in self.turns for part in turn]
        call = Call(agent, self.line, stt=ScriptSTT(heard, interim=True, finish_s=0.09), tts=ToneTTS())
        call.subscribe(self.happened.append)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._talk())
            await call.run()
        return self.happened

    async def _talk(self) -> None:
        await self._agent_has_spoken(1)
        for number, parts in enumerate(self.turns, 2):
            await asyncio.sleep(0.4)
            for index, part in enumerate(parts):
                await asyncio.sleep(self.pause_s if index else 0.0)
                await self.line.speak(await speech(part))
            await self._agent_has_spoken(number)
        self.line.hang_up()

    async def _agent_has_spoken(self, times: int) -> None:
        while sum(isinstance(event, events.AgentSpeechStopped) for event in self.happened) < times:  # noqa: ASYNC110 - the events are a plain list
            await asyncio.sleep(0.05)  # in call time, which costs nothing here


async def calls(count: int, ttft_s: float, *, speculative: bool) -> list[list[events.Event]]:
    """The events of `count` calls, one after the other."""
    server = OpenAIEndpoint(answer("Yes, of course, that is no problem at all.", first_s=ttft_s, token_s=0.02))
    with tempfile.TemporaryDirectory() as folder:
        async with server:
            agent = llm_agent(Path(folder), server, brain={"speculative": speculative}, greeting="Hello.")
            return [await Caller(seed).play(agent) for seed in range(count)]


def report(name: str, recorded: list[list[events.Event]]) -> None:
    figures = percentiles(latency for happened in recorded for latency in v2v_ms(waterfalls(happened)))
    spent = spending(event for happened in recorded for event in happened)
    assert figures is not None
    assert spent is not None
    print(  # noqa: T201 - what one runs it for
        f"{name:8} n {figures.n:4}  v2v p50 {figures.p50:6.0f} ms  p95 {figures.p95:6.0f} ms   "
        f"{spent.answers} requests, {spent.input_tokens} tokens in, {spent.output_tokens} out (estimated)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=12, help="how many callers, 5 turns each")
    parser.add_argument("--ttft", type=float, default=300.0, help="silence of the model before its first token, ms")
    asked = parser.parse_args()
    logger.remove()
    for name, speculative in (("without", False), ("with", True)):
        recorded = clock.run(calls(asked.calls, asked.ttft / 1000, speculative=speculative), skip_idle=True)
        report(name, recorded)


if __name__ == "__main__":
    main()
