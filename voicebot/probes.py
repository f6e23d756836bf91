"""The providers that a project's agents name, each asked for something small again and again, as a call would ask.

    probes = Probes(agents)
    await probes.run(every_s=5, for_s=60)
    probes.rows()

What comes of it goes into the health that decides in calls whom to pass over (`voicebot.observe.health`).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import soxr
from langchain_core.messages import HumanMessage

from voicebot import clock, providers
from voicebot.agent import Agent
from voicebot.brain.ahead import streamed, timed
from voicebot.brain.mind import llms_of, open_llm
from voicebot.llm import LLM, fault
from voicebot.observe.health import Health, Kind, health_of
from voicebot.providers import Candidate, Choice
from voicebot.stt import STT
from voicebot.stt.failover import FINISH_S
from voicebot.tts import TTS, Speech
from voicebot.tts.espeak import Espeak
from voicebot.tts.failover import SILENCE_S

SAID = "Yes, please."
"""What recognisers hear and voices say."""
ASKED = "Answer with the one word OK."
"""Of language models; their answer is cut off behind its first word."""
RATE_HZ = 16000
_PIECE_S = 0.1
_LONGEST = 200
"""Characters of an error."""
_ORDER: tuple[Kind, ...] = ("stt", "llm", "tts")


@dataclass(frozen=True)
class Row:
    """How one provider does."""

    kind: Kind
    name: str
    tries: int
    failures: int
    p50_ms: float | None
    p95_ms: float | None
    passed_over: str
    """Why calls would pass it over now, as a clause; '' when they would not."""
    error: str
    """Of its last try; '' when that went well."""


class Probes:
    """Made on a running event loop."""

    def __init__(self, agents: Sequence[Agent]) -> None:
        """Raises BadInput, Unavailable: where nothing of an agent's list can run here."""
        found = {(one.kind, one.name): one for agent in agents for one in _probes(agent)}
        self._all = sorted(found.values(), key=lambda one: (_ORDER.index(one.kind), one.name))
        self._one_by_one = asyncio.Lock()
        """For those that run here: two at once would measure each other."""
        self._errors: dict[tuple[Kind, str], str] = {}

    async def run(self, every_s: float, for_s: float = math.inf) -> None:
        """Each is asked at once, and again `every_s` behind each answer, for as long as `for_s`."""
        until_s = asyncio.get_running_loop().time() + for_s
        async with asyncio.TaskGroup() as group:
            for probe in self._all:
                group.create_task(self._again_and_again(probe, every_s, until_s))

    def rows(self) -> list[Row]:
        """Recognisers, models, voices; of the last two minutes."""
        return [self._row(probe) for probe in self._all]

    async def _again_and_again(self, probe: _Probe, every_s: float, until_s: float) -> None:
        while True:
            async with self._one_by_one if probe.health.here else nullcontext():
                await self._ask(probe)
            if asyncio.get_running_loop().time() + every_s > until_s:
                return
            await asyncio.sleep(every_s)

    async def _ask(self, probe: _Probe) -> None:
        try:
            await probe.ask()
        except Exception as error:  # noqa: BLE001 - whatever a provider's SDK raises is the finding
            probe.health.failed()
            self._errors[probe.kind, probe.name] = probe.why(error)[:_LONGEST]
        else:
            probe.health.succeeded()
            self._errors[probe.kind, probe.name] = ""

    def _row(self, probe: _Probe) -> Row:
        state = probe.health.state()
        took = state.latency_s
        p50_ms, p95_ms = (round(took.p50 * 1000), round(took.p95 * 1000)) if took else (None, None)
        error = self._errors.get((probe.kind, probe.name), "")
        return Row(probe.kind, probe.name, state.tries, state.failures, p50_ms, p95_ms, state.passed_over, error)


class _Probe(Protocol):
    kind: Kind
    name: str

    @property
    def health(self) -> Health: ...

    async def ask(self) -> None:
        """Once. Tells the health how long it took; raises what the provider raises."""

    def why(self, error: Exception) -> str:
        """What the error means, for a person."""


def _probes(agent: Agent) -> Iterator[_Probe]:
    yield from (_Hears(candidate) for candidate in providers.stts(agent))
    yield from (_Thinks(agent, choice) for choice in llms_of(agent))
    yield from (_Speaks(candidate) for candidate in providers.ttss(agent))


class _Hears:
    kind: Kind = "stt"

    def __init__(self, candidate: Candidate[STT]) -> None:
        self.name = candidate.name
        self.health = health_of("stt", candidate.name)
        self._candidate = candidate

    async def ask(self) -> None:
        pcm = await _speech()
        recogniser = self._candidate.open()
        await recogniser.load()
        stream = recogniser.stream(RATE_HZ, lambda text: None)
        try:
            stream.start()
            for at in range(0, len(pcm), size := 2 * round(_PIECE_S * RATE_HZ)):
                stream.feed(pcm[at : at + size])
                await asyncio.sleep(_PIECE_S)  # as a caller speaks, so that the connection is there at the end
            asked_s = clock.now_s()
            await asyncio.wait_for(stream.finish(), FINISH_S)
            self.health.took(clock.now_s() - asked_s)
        finally:
            await stream.close()

    def why(self, error: Exception) -> str:
        return _why(error, f"no transcript within {FINISH_S:g} s")


class _Thinks:
    kind: Kind = "llm"

    def __init__(self, agent: Agent, choice: Choice) -> None:
        self.name = choice.name
        self._agent = agent
        self._choice = choice
        self._llm: LLM | None = None

    @property
    def health(self) -> Health:
        """By name alone until it is known where it is asked."""
        return self._llm.health if self._llm else health_of("llm", self.name)

    async def ask(self) -> None:
        self._llm = llm = self._llm or await open_llm(self._agent, self._choice)
        answer = timed(llm, streamed(llm.model, [HumanMessage(ASKED)]))
        async with asyncio.timeout(llm.silence_s), aclosing(answer) as chunks:
            async for chunk in chunks:
                if chunk.text:
                    return
        raise RuntimeError("it gave no answer")

    def why(self, error: Exception) -> str:
        return fault(error, self._llm).sentence if self._llm else _why(error, "")


class _Speaks:
    kind: Kind = "tts"

    def __init__(self, candidate: Candidate[TTS]) -> None:
        self.name = candidate.name
        self.health = health_of("tts", candidate.name)
        self._candidate = candidate

    async def ask(self) -> None:
        voice = self._candidate.open()
        await voice.load()
        asked_s = clock.now_s()
        async with (
            asyncio.timeout(SILENCE_S),
            aclosing(cast(AsyncGenerator[Speech], voice.speak(SAID))) as chunks,
        ):
            async for speech in chunks:
                if speech.pcm:
                    self.health.took(clock.now_s() - asked_s)
                    return
        raise RuntimeError("it gave no sound")

    def why(self, error: Exception) -> str:
        return _why(error, f"no audio for {SILENCE_S:g} s")


def _why(error: Exception, silent: str) -> str:
    if isinstance(error, TimeoutError):
        return silent
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


async def _speech() -> bytes:
    """`SAID`, s16le mono at `RATE_HZ`, and half a second of silence."""
    chunks = [chunk async for chunk in Espeak().speak(SAID)]
    samples = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), np.int16)
    return np.asarray(soxr.resample(samples, chunks[0].rate_hz, RATE_HZ), np.int16).tobytes() + bytes(RATE_HZ)
