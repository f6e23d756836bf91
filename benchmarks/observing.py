"""What it costs to see everything: python -m benchmarks.observing [--rounds 60] [--calls 5]

Plays the same calls with traces (to a collector in another process), metrics and a JSON log, and without any of them:
in pairs, in a random order, in one process. Prints the processor time for a minute of call, threads included, and the
voice-to-voice latency, each with its difference and the interval in which that lies in 95 of 100 draws of the rounds.
More than half of the time is the turn model's, which does the same each time and yet takes some percent more or less:
the difference is printed without its thread, too.

Calls skip waiting, so what is measured is computing: of the ear, the turns, the pipeline, the playout and the record.
The recogniser, the brain and the voice are stand-ins that cost next to nothing, which makes the shares larger than they
are with real ones. Spans are sent once a round: five calls are two minutes and more of conversation, as much as a
worker with 25 calls has in the five seconds between two batches of OpenTelemetry's default.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import numpy as np
from loguru import logger

from tests.doubles.otlp_collector import Collector
from tests.doubles.spoken import AGENT, speech
from tests.doubles.stubs import EchoBrain, ScriptSTT, ToneTTS
from voicebot import clock, events, logs
from voicebot.agent import Agent
from voicebot.call import Call
from voicebot.call.telling import Face
from voicebot.latency import waterfalls
from voicebot.money.prices import prices
from voicebot.observe.metrics import CallFigures, Meters
from voicebot.observe.tracing import Tracing
from voicebot.transports.link import Link

HEARS = ("i would like to book a table", "for two on tuesday please", "what do you have at seven", "thank you goodbye")
SAYS = (
    "Of course. For how many people would that be, and on what day?",
    "For two, on Tuesday. We have a table at six, and one at half past seven.",
    "At seven there is nothing left, I am sorry. Would half past do?",
    "Goodbye, and see you on Tuesday.",
)
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
DRAWS = 2000
BUDGET_CPU, BUDGET_MS = 0.03, 1.0


@dataclass
class Round:
    """Some calls, one after the other."""

    cpu_s: float = 0.0
    model_s: float = 0.0
    """Of that, the turn model's thread."""
    spoken_s: float = 0.0
    v2v_ms: list[float] = field(default_factory=list)

    @property
    def per_minute(self) -> float:
        """Seconds of processor time for a minute of call."""
        return self.cpu_s / self.spoken_s * 60

    @property
    def others_per_minute(self) -> float:
        """All but the turn model, which does the same each time, and whose time varies more than looking costs."""
        return (self.cpu_s - self.model_s) / self.spoken_s * 60


class Watching:
    """Everything on."""

    def __init__(self, url: str) -> None:
        os.environ |= {ENDPOINT: url, "OTEL_BSP_SCHEDULE_DELAY": "600000"}
        self.tracing = Tracing()
        del os.environ[ENDPOINT]  # else all calls would be traced
        self._meters = Meters()
        self._prices = prices(Path())

    def faces(self) -> list[Face]:
        return [self.tracing.face(), CallFigures(self._meters, "bench", self._prices)]

    def send(self) -> None:
        """What is queued, as the batch's timer would."""
        self.tracing._sdk._provider.force_flush()


def played(count: int, sounds: Sequence[bytes], watching: Watching | None, calls: Path) -> Round:
    """`count` calls; the exporter and the log have done their work when this returns."""
    round_ = Round()
    gc.collect()
    began_s, model_s = time.process_time(), _turn_model_s()
    for _ in range(count):
        told = clock.run(_call(sounds, watching.faces() if watching else [], calls), skip_idle=True)
        round_.spoken_s += told[-1].t_ms / 1000
        round_.v2v_ms += [fall.v2v_ms for fall in waterfalls(told) if fall.v2v_ms is not None]
    if watching:
        _until(lambda: not watching.tracing.waiting, watching.send)
    round_.cpu_s, round_.model_s = time.process_time() - began_s, _turn_model_s() - model_s
    return round_


def _turn_model_s() -> float:
    """Processor time of its thread so far."""
    threads = [each.ident for each in threading.enumerate() if each.ident and each.name.startswith("smart-turn")]
    return sum(time.clock_gettime(time.pthread_getcpuclockid(each)) for each in threads)


async def _call(sounds: Sequence[bytes], faces: Sequence[Face], calls: Path) -> list[events.Event]:
    told: list[events.Event] = []
    link = Link("bench")
    brain = EchoBrain(SAYS, greeting="Good evening, how can I help?")
    call = Call(Agent.parse(AGENT), link, record=calls, stt=ScriptSTT(HEARS, interim=True), tts=ToneTTS(), brain=brain)
    for face in (told.append, *faces):
        call.subscribe(face)

    async def caller() -> None:
        for turn, sound in enumerate(sounds, 1):
            while sum(isinstance(each, events.AgentSpeechStopped) for each in told) < turn:  # noqa: ASYNC110 - a plain list
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.5)
            await link.speak(sound)
        await asyncio.sleep(3)
        link.hang_up()

    speaking = asyncio.create_task(caller())
    with logs.inside(call.place):
        logger.patch(_by_the_desk).info(f"call {call.id} begins: link, bench")
        ended = await call.run()
        logger.patch(_by_the_desk).info(f"call {call.id} is over: {ended.reason}")
    await speaking
    return told


def _by_the_desk(record: object) -> None:
    """A server logs these two lines of a call."""
    record["name"] = "voicebot.server.desk"  # type: ignore[index]  # loguru's record is a dictionary


def _until(true: Callable[[], bool], then: Callable[[], object], within_s: float = 10) -> None:
    until_s = time.monotonic() + within_s
    time.sleep(0.1)  # the last turns become spans in a thread of their own
    while not true() and time.monotonic() < until_s:
        then()


def _collect(line: Connection) -> None:
    with Collector() as collector:
        line.send(collector.url)
        line.recv()


@contextmanager
def collector() -> Iterator[str]:
    """One in another process, whose work is not ours. Its address."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_collect, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("")
        process.join(5)


def measure(rounds: int, count: int, calls: Path, url: str) -> list[tuple[Round, Round]]:
    """(off, on) of each round."""
    sounds = [asyncio.run(speech(text)) for text in HEARS]
    chance = random.Random(1)  # noqa: S311 - an order, no secret
    watching = Watching(url)

    def one(on: bool) -> Round:
        logger.remove()
        if on:
            logs.begin("json", worker=1)
        return played(count, sounds, watching if on else None, calls)

    pairs = []
    for warm in (True, *[False] * rounds):
        order = [False, True]
        chance.shuffle(order)
        done = {on: one(on) for on in order}
        if not warm:
            pairs.append((done[False], done[True]))
    watching.tracing.close()
    return pairs


Pairs = Sequence[tuple[Round, Round]]


def _interval(pairs: Pairs, more: Callable[[Pairs], float]) -> tuple[float, float, float]:
    """How much `more` it is with everything on, and between which bounds; whole pairs are drawn again."""
    dice = np.random.default_rng(1)
    draws = [more([pairs[place] for place in dice.integers(0, len(pairs), len(pairs))]) for _ in range(DRAWS)]
    low, high = np.quantile(draws, [0.025, 0.975])
    return more(pairs), float(low), float(high)


def _cpu(pairs: Pairs) -> float:
    """The median of the pairs' own shares: a machine is faster now and slower then, and less so within a pair."""
    return median(on.per_minute / off.per_minute - 1 for off, on in pairs)


def _others(pairs: Pairs) -> float:
    """The same of all threads but the turn model's, as a share of the whole."""
    return median((on.others_per_minute - off.others_per_minute) / off.per_minute for off, on in pairs)


def _slower_ms(pairs: Pairs) -> float:
    return _p95([on for _, on in pairs]) - _p95([off for off, _ in pairs])


def _p95(rounds: Sequence[Round]) -> float:
    return float(np.quantile([each for one in rounds for each in one.v2v_ms], 0.95))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--calls", type=int, default=5)
    options = parser.parse_args()
    out = sys.stdout
    with open(os.devnull, "w") as nowhere, tempfile.TemporaryDirectory() as folder, collector() as url:
        sys.stderr = nowhere
        pairs = measure(options.rounds, options.calls, Path(folder), url)
        sys.stderr = sys.__stderr__
    turns = sum(len(on.v2v_ms) for _, on in pairs)
    out.write(f"{options.rounds} rounds of {options.calls} calls each way, {turns} answered turns each way\n")
    more, cpu_low, cpu_high = _interval(pairs, _cpu)
    off, on = (median(pair[place].per_minute for pair in pairs) for place in (0, 1))
    out.write(f"CPU-s a call-minute   off {off:.3f}   on {on:.3f}   {more:+.1%}  [{cpu_low:+.1%}, {cpu_high:+.1%}]\n")
    others, low, high = _interval(pairs, _others)
    out.write(f"  of that without the turn model's thread       {others:+.1%}  [{low:+.1%}, {high:+.1%}]\n")
    more_ms, low, high = _interval(pairs, _slower_ms)
    off_ms, on_ms = (_p95([pair[place] for pair in pairs]) for place in (0, 1))
    out.write(f"v2v p95, ms           off {off_ms:.1f}   on {on_ms:.1f}   {more_ms:+.2f}  [{low:+.2f}, {high:+.2f}]\n")
    is_beyond = cpu_low > BUDGET_CPU or low > BUDGET_MS
    verdict = (
        "within" if cpu_high < BUDGET_CPU and high < BUDGET_MS else "BEYOND" if is_beyond else "not to be told from"
    )
    out.write(f"{verdict} the budget: {BUDGET_CPU:.0%} of CPU, {BUDGET_MS:g} ms of p95\n")
    sys.exit(1 if is_beyond else 0)


if __name__ == "__main__":
    main()
