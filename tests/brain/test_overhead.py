"""What the graph itself costs a call, with a node that answers at once."""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from typing import Any, cast
from uuid import uuid4

from langchain_core.messages import AIMessage

from voicebot.brain.checkpoints import LatestSaver
from voicebot.brain.graph import State, compiled
from voicebot.brain.session import GraphBrain, Mind
from voicebot.brain.tools import Toolbox
from voicebot.llm import LLM

CALLER, AGENT = "I would like to book a cleaning on Tuesday, please.", "On Tuesday I have ten and half past two."
TURNS = 20


async def instant(state: State) -> dict[str, Any]:
    return {"messages": [AIMessage(AGENT, id=uuid4().hex)], "flow": {"step": "ask", "slots": {"day": "Tuesday"}}}


async def no_models() -> list[LLM]:
    return []


def a_mind() -> Mind:
    return Mind(compiled(instant), Toolbox([]), "en", "Hello.")


async def talk(brain: GraphBrain, turns: int) -> list[float]:
    """A call of so many turns; the CPU milliseconds of each."""
    spent_ms = []
    async for _ in brain.greet():
        pass
    for _ in range(turns):
        began = time.process_time()
        async for _ in brain.reply(CALLER):
            pass
        await brain.heard(AGENT, interrupted=False)
        spent_ms.append((time.process_time() - began) * 1000)
    return spent_ms


async def test_a_turn_costs_less_than_10_ms_and_no_more_late_in_the_call():
    spent_ms = await talk(GraphBrain(a_mind(), "call", "instant", no_models), TURNS)
    assert statistics.median(spent_ms) < 10
    assert statistics.median(spent_ms[-5:]) < 10


async def test_a_call_holds_one_checkpoint_whose_size_grows_with_its_turns_only():
    sizes = []
    for turns in (TURNS, 2 * TURNS):
        mind = a_mind()
        await talk(GraphBrain(mind, "call", "instant", no_models), turns)
        saver = cast(Any, mind.graph).checkpointer
        assert isinstance(saver, LatestSaver)
        assert [len(namespace) for thread in saver.storage.values() for namespace in thread.values()] == [1]
        assert len(saver.writes) <= 1
        sizes.append(sum(len(value) for _, value in saver.blobs.values()))
    assert sizes[1] < 2.2 * sizes[0] < 44_000


async def test_a_call_of_twenty_turns_takes_less_than_300_kb_and_gives_it_back():
    mind, calls = a_mind(), 10
    await talk(GraphBrain(mind, "warm-up", "instant", no_models), 2)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        brains = [GraphBrain(mind, f"call-{number}", "instant", no_models) for number in range(calls)]
        for brain in brains:
            await talk(brain, TURNS)
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] - before
        for brain in brains:
            await brain.close()
        brains.clear()
        gc.collect()
        left = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held / calls < 300_000
    assert left < held / 4
