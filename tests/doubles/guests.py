"""The brain of a call that a graph of `tests/graphs_of_others` answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.doubles.project import words
from voicebot.brain import Output
from voicebot.brain.graphfile import GraphFile
from voicebot.brain.session import GraphBrain, Mind
from voicebot.brain.tools import Toolbox
from voicebot.llm import LLM

REPOSITORY = Path(__file__).parents[2]
SHAPES = "tests.graphs_of_others.shapes"


@asynccontextmanager
async def guest(reference: str, root: Path = REPOSITORY, language: str = "en") -> AsyncIterator[GraphBrain]:
    """'graph.py:graph', or the name of one of `SHAPES`; greeted."""
    reference = reference if ":" in reference else f"{SHAPES}:{reference}"
    mind = Mind(GraphFile(reference, root), Toolbox([]), language, "Hello.")
    brain = GraphBrain(mind, "call-1", reference, no_models)
    async for _ in brain.greet():
        pass
    await brain.heard("Hello.", interrupted=False)
    try:
        yield brain
    finally:
        await brain.close()


async def no_models() -> list[LLM]:
    return []


async def say(brain: GraphBrain, text: str, heard: str | None = None) -> list[Output]:
    """One turn; the caller hears all of it, or cuts in when they have heard `heard`."""
    outputs = [output async for output in brain.reply(text)]
    await brain.heard(words(outputs) if heard is None else heard, interrupted=heard is not None)
    return outputs
