"""What the in-process engine gains by what it remembers, and how soon it stops.

    make llama
    python -m benchmarks.llama                  # random weights: 200 MB, in half precision as wide as a 1B model is
    python -m benchmarks.llama path/to/model.gguf

Prints milliseconds to the first word of an answer, with a system prompt of about 2000 tokens, and milliseconds until
nothing is computed any more after an answer is cancelled. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from voicebot.llm import llama
from voicebot.llm.llama.chat import ChatLlama
from voicebot.llm.llama.probe import probe

ROUNDS = 5
FACTS = "Bright Smile Dental is open from eight to five, and closed on Sunday. "
SYSTEM_TOKENS = 2000


def say(sentence: str = "") -> None:
    print(sentence, flush=True)  # noqa: T201 - printing is what it is for


def system(model: ChatLlama) -> SystemMessage:
    each = len(model.engine.ready.result().weights.tokens(FACTS))
    return SystemMessage(f"You are Ava, number {time.perf_counter_ns()}. " + FACTS * (SYSTEM_TOKENS // each))


async def first_word(model: ChatLlama, history: Sequence[BaseMessage], tokens: int = 2) -> tuple[float, int, int]:
    """Milliseconds to the first word; tokens of the prompt, and how many of them were not computed again."""
    began_s = time.perf_counter()
    took_ms, prompt, cached = 0.0, 0, 0
    async for chunk in model.bind(max_tokens=tokens).astream(list(history)):
        took_ms = took_ms or (time.perf_counter() - began_s) * 1000
        if chunk.usage_metadata:
            prompt = chunk.usage_metadata["input_tokens"]
            cached = chunk.usage_metadata["input_token_details"]["cache_read"]
    return took_ms, prompt, cached


def line(what: str, took_ms: Sequence[float], note: str = "") -> None:
    say(f"{what:<44} {statistics.median(took_ms):9.1f} ms {max(took_ms):9.1f} ms   {note}")


async def words(model: ChatLlama) -> None:
    cold, later, other, warmed = [], [], [], []
    notes = {"cold": "", "later": "", "other": "", "warmed": ""}
    for _ in range(ROUNDS):
        first: list[BaseMessage] = [system(model), HumanMessage("When are you open?")]
        took_ms, prompt, cached = await first_word(model, first)
        cold.append(took_ms)
        notes["cold"] = f"{prompt - cached} of {prompt} tokens computed"
        took_ms, prompt, cached = await first_word(
            model, [*first, AIMessage("From eight."), HumanMessage("And until?")]
        )
        later.append(took_ms)
        notes["later"] = f"{prompt - cached} of {prompt}"
        took_ms, prompt, cached = await first_word(model, [first[0], HumanMessage("I have a toothache.")])
        other.append(took_ms)
        notes["other"] = f"{prompt - cached} of {prompt}"
        fresh = system(model)
        await model.warm([fresh])
        took_ms, prompt, cached = await first_word(model, [fresh, HumanMessage("When are you open?")])
        warmed.append(took_ms)
        notes["warmed"] = f"{prompt - cached} of {prompt}"
    line("first word: first turn, nothing known", cold, notes["cold"])
    line("first word: first turn, warmed up before", warmed, notes["warmed"])
    line("first word: next turn of the call", later, notes["later"])
    line("first word: another call of the same agent", other, notes["other"])


async def stopping(model: ChatLlama) -> None:
    reading: list[float] = []
    speaking: list[float] = []
    for _ in range(2 * ROUNDS):
        for taken, history, wait_s in (
            (reading, [system(model), HumanMessage("hi")], 0.15),
            (speaking, [HumanMessage("hi")], 0.3),
        ):
            asking = asyncio.create_task(first_word(model, history, tokens=400))
            await asyncio.sleep(wait_s)
            began_s = time.perf_counter()
            asking.cancel()
            await asyncio.wait([asking])
            while model.engine.busy:  # noqa: ASYNC110 - a thread's state, looked at from outside
                await asyncio.sleep(0.0005)
            taken.append((time.perf_counter() - began_s) * 1000)
    line("cancelled while it reads: nothing runs after", reading)
    line("cancelled while it speaks: nothing runs after", speaking)


async def together(model: ChatLlama) -> None:
    for calls in (1, 4):
        prompts = [[HumanMessage(f"I am caller {number}.")] for number in range(calls)]
        began_s = time.perf_counter()
        await asyncio.gather(*(first_word(model, prompt, tokens=40) for prompt in prompts))
        rate = calls * 40 / (time.perf_counter() - began_s)
        say(f"{calls} answers at once: {rate:.1f} tokens a second in all, {rate / calls:.1f} each")


def speed(path: Path) -> None:
    found = probe(path)
    say(f"{path.name}, {path.stat().st_size / 1e6:.0f} MB, load average {os.getloadavg()[0]:.1f}")
    say(f"reads {found.prompt_tokens_s:.0f} and writes {found.answer_tokens_s:.1f} tokens a second")


async def measure(path: Path) -> None:
    llm = await llama.connect(str(path), temperature=0.0)
    assert isinstance(llm.model, ChatLlama)
    say(f"\n{'':<44} {'median':>12} {'worst':>12}")
    await words(llm.model)
    await stopping(llm.model)
    say()
    await together(llm.model)


def main() -> None:
    if len(sys.argv) > 1:
        path = Path(sys.argv[1]).absolute()
        speed(path)
        asyncio.run(measure(path))
        return
    from tests.doubles import tiny_llama

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.gguf"
        tiny_llama.random_weights(path, layers=8, width=1024, feed_forward=2816, half=True)
        speed(path)
        asyncio.run(measure(path))


if __name__ == "__main__":
    main()
