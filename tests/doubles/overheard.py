"""A program of many calls in which private things are said, and in which everything that can fail does so aloud.

    python -m tests.doubles.overheard FOLDER WORDS.json < key

`WORDS.json`: [{"language": ..., "says": [...], "spoken": bool}, ...], one a call. Its log goes to stderr, with all that
libraries have to say; the records to FOLDER/calls; the metrics to stdout. Model, tool, voice, line and a face fail with
the caller's words and the key in their exceptions, and log both.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from loguru import logger
from prometheus_client import generate_latest

from tests.doubles.openai_endpoint import Answer, OpenAIEndpoint, answer
from tests.doubles.project import llm_agent
from tests.doubles.spoken import speech
from tests.doubles.stubs import ScriptSTT, ToneTTS
from tests.doubles.typed_line import TypedLine
from voicebot import clock, events, logs
from voicebot.call import Call
from voicebot.money.prices import prices
from voicebot.observe.metrics import CallFigures, Meters
from voicebot.observe.tracing import tracing_wanted
from voicebot.transports import Ear, HangUp
from voicebot.transports.link import Link
from voicebot.tts import Speech

TOOLS = '''
import logging
import os
from loguru import logger

def look_up(words: str) -> str:
    """Look something up."""
    key = os.environ["OPENAI_API_KEY"]
    logger.warning("looking for {} with {}", words, key)
    logging.getLogger("of.a.library").error("no match for %s, token=%s", words, key)
    raise RuntimeError(f"nothing is known of {words} ({key})")
'''
SIDE_BY_SIDE = 10
TURN_S = 30.0


class HoarseTTS(ToneTTS):
    """Fails now and then, with what it was to say."""

    said = 0

    async def speak(self, text: str) -> AsyncIterator[Speech]:
        self.said += 1
        if self.said % 5 == 0:
            raise RuntimeError(f"cannot say {text!r} with {os.environ['OPENAI_API_KEY']}")
        async for chunk in super().speak(text):
            yield chunk


class BreakingLine(TypedLine):
    """Breaks at the end of every third call, with all that was said."""

    calls = 0

    def __init__(self) -> None:
        super().__init__()
        BreakingLine.calls += 1
        self._breaks = BreakingLine.calls % 3 == 0
        self.said: list[str] = []

    async def run(self, ear: Ear) -> HangUp:
        why = await super().run(ear)
        if self._breaks:
            raise ValueError(f"the line broke behind {self.said}, key {os.environ['OPENAI_API_KEY']}")
        return why


def respond(requests: list[int]) -> Callable[[dict[str, Any]], Answer]:
    """In turn: an answer that repeats the caller, a failure that quotes the request, a tool call."""

    def next_(body: dict[str, Any]) -> Answer:
        requests.append(1)
        said = next((str(each["content"]) for each in reversed(body["messages"]) if each["role"] == "user"), "")
        if body["messages"][-1]["role"] == "tool":
            return answer("There is nothing. Anything else?")
        if len(requests) % 4 == 0:
            return answer(status=401, error=f"Incorrect API key provided: {os.environ['OPENAI_API_KEY']}: {said}")
        if len(requests) % 4 == 2:
            return answer("", ("look_up", {"words": said}))
        return answer(f"You said {said}, is that right?")

    return next_


async def converse(root: Path, number: int, words: dict[str, Any], server: OpenAIEndpoint, meters: Meters) -> None:
    rails = {"brain": {"guardrails": {"pii": "redact"}}}
    agent = llm_agent(root / f"project-{number}", server, TOOLS, language=words["language"], **rails)
    told: list[events.Event] = []
    line: Any = Link("tester") if words["spoken"] else BreakingLine()
    stt = ScriptSTT(words["says"], interim=True)
    call = Call(agent, line, record=root / "calls", stt=stt, tts=HoarseTTS())
    call.subscribe(told.append)
    call.subscribe(CallFigures(meters, agent.name, prices(agent.root)))
    call.subscribe(_broken)

    async def replied(count: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(TURN_S):
                while _replies(told) < count:  # noqa: ASYNC110 - the events are a plain list
                    await asyncio.sleep(0.1)

    async def caller() -> None:
        await replied(1)
        for text in words["says"]:
            before = _replies(told)
            if isinstance(line, Link):
                await asyncio.sleep(0.5)
                await line.speak(await speech("I say something here."))
            else:
                line.said.append(text)
                await line.say(text)
            await replied(before + 1)
        line.hang_up()

    speaking = asyncio.create_task(caller())
    try:
        await call.run()
    except ValueError:
        with logs.inside(call.place):  # as the desk of a server does
            logger.exception("the call broke")
    speaking.cancel()


def _replies(told: list[events.Event]) -> int:
    return sum(isinstance(event, events.AgentSpeechStopped | events.ProviderFailed) for event in told)


def _broken(event: events.Event) -> None:
    if isinstance(event, events.TurnEnded):
        raise RuntimeError(f"cannot show {event.text} with {os.environ['OPENAI_API_KEY']}")


async def main(root: Path, calls: list[dict[str, Any]], meters: Meters) -> None:
    turns = asyncio.Semaphore(SIDE_BY_SIDE)
    async with OpenAIEndpoint(respond([])) as server:

        async def one(number: int, words: dict[str, Any]) -> None:
            async with turns:
                await converse(root, number, words, server, meters)

        await asyncio.gather(*(one(number, words) for number, words in enumerate(calls)))


if __name__ == "__main__":
    logs.begin("json", level="DEBUG", libraries="INFO", worker=1)
    meters = Meters()
    clock.run(main(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), meters), skip_idle=True)
    if tracing := tracing_wanted():
        tracing.close(10)
    sys.stdout.write(generate_latest(meters.registry).decode())
