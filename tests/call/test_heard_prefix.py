"""After a barge-in the checkpoint holds what had been played: whole calls, real eSpeak audio, 200 random cuts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage
from loguru import logger

from tests.doubles.ledger import LedgerLine, LedgerVoice
from tests.doubles.openai_endpoint import Answer, OpenAIEndpoint, answer
from tests.doubles.project import project
from tests.doubles.stubs import ScriptSTT
from tests.graphs_of_others import storyteller
from voicebot import clock, events
from voicebot.agent import Agent
from voicebot.brain.heard import INTERRUPTED
from voicebot.brain.mind import open_brain
from voicebot.brain.session import GraphBrain
from voicebot.call import Call

CALLS = 200
GUEST_CALLS = 40
WORDS = (
    "the harbour opens at seven o'clock and 12 boats leave before noon; most visitors bring bread, cheese or apples "
    "because nobody sells anything until Doctor Brown's shop, behind the church, has 3 or 4 helpers today"
).split()


def story(seed: int) -> str:
    """Sentences of any length, always the same for a seed."""
    chance = random.Random(seed)
    said = [chance.choice(WORDS) for _ in range(chance.randrange(4, 20))]
    return " ".join(said) + "."


def answered(body: dict[str, Any]) -> Answer:
    last = str(body["messages"][-1]["content"]).split()[-1]
    return answer(story(int(last))) if last.isdigit() else answer("Yes?")


class CutCall:
    """A call in which the caller asks for a story and cuts in at a random moment."""

    def __init__(self, agent: Agent, seed: int) -> None:
        self._chance = random.Random(seed)
        self._seed = seed
        self.line, self.voice = LedgerLine(), LedgerVoice()
        brain = open_brain(agent, f"call-{seed}")
        assert isinstance(brain, GraphBrain)
        self.brain = brain
        self.events: list[events.Event] = []
        self.call = Call(agent, self.line, stt=ScriptSTT([]), tts=self.voice, brain=brain)
        self.call.subscribe(self.events.append)

    async def play(self) -> tuple[list[str], AIMessage | None]:
        """(the words that had been played, the last assistant message in the checkpoint)."""
        whole = asyncio.create_task(self.call.run())
        try:
            await self._until(events.CallStarted)
            await asyncio.sleep(0.1)
            self.call.text(f"tell me story {self._seed}")
            await self._until(events.AgentSpeechStarted)
            await asyncio.sleep(self._chance.uniform(0, 0.36 * len(story(self._seed).split())))
            heard = self.voice.words_within(self.line.played_s())
            self.call.text("wait")
            await self._until(events.TurnEnded, 2)
            await self._until(events.FirstToken, 2)
            return heard, _last_before(await self.brain.messages(), "wait")
        finally:
            self.line.hang_up()
            await whole

    async def _until(self, kind: type[events.Event], count: int = 1) -> None:
        while sum(isinstance(event, kind) for event in self.events) < count:  # noqa: ASYNC110 - in call time
            await asyncio.sleep(0.005)


def _last_before(messages: list[AnyMessage], words: str) -> AIMessage | None:
    end = next((place for place, message in enumerate(messages) if message.text.endswith(words)), None)
    return next((message for message in reversed(messages[:end]) if isinstance(message, AIMessage)), None)


async def differences(agent: Agent, calls: int) -> list[str]:
    """The calls in which the checkpoint and the line's own account differ by more than a word."""
    wrong: list[str] = []
    cut = 0
    for seed in range(calls):
        heard, message = await CutCall(agent, seed).play()
        remembered = message.text.split() if message else []
        whole = story(seed).split()
        cut += 0 < len(remembered) < len(whole)
        if remembered != whole[: len(remembered)] or abs(len(remembered) - len(heard)) > 1:
            wrong.append(f"{seed}: played {heard}, remembered {remembered}")
        elif message and len(remembered) < len(whole) and INTERRUPTED not in message.additional_kwargs:
            wrong.append(f"{seed}: not marked: {remembered}")
    assert cut > calls / 2, "most of them are cut somewhere in the middle"
    return wrong


def run(check: Callable[[], Any]) -> Any:
    logger.disable("pipecat")  # thousands of lines
    try:
        return clock.run(check(), skip_idle=True)
    finally:
        logger.enable("pipecat")


def test_in_200_calls_of_200_the_checkpoint_holds_the_words_that_were_played(tmp_path: Path):
    async def check() -> list[str]:
        async with OpenAIEndpoint(answered) as server:
            brain = {
                "llm": "openai/double",
                "prompt": "You tell stories.",
                "base_url": server.url,
                "speculative": False,
            }
            return await differences(project(tmp_path, brain, greeting=None), CALLS)

    assert run(check) == []


def test_a_graph_of_somebody_else_remembers_the_words_that_were_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(storyteller, "story", story)

    async def check() -> list[str]:
        (tmp_path / "graph.py").write_text("from tests.graphs_of_others.storyteller import graph\n")
        return await differences(project(tmp_path, {"graph": "graph.py:graph"}, greeting=None), GUEST_CALLS)

    assert run(check) == []
