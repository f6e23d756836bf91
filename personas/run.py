"""One simulated call from end to end: a persona calls an agent, by sound, and the end state is judged.

    call = simulate(Path("agents/ava.yaml"), "maria", seed=1)
    call.outcome, call.problems, call.folder

The call runs on a copy of the project, so every call begins with the same data and leaves none behind.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from voicebot import clock, paths
from voicebot.agent import Agent
from voicebot.call import Call
from voicebot.errors import VoicebotError
from voicebot.events import CallEnded, Event
from voicebot.transports.link import Link

from . import persona as personas
from . import sandbox
from .caller import Caller
from .persona import Persona
from .voice import CallerVoice

Outcome = Literal["reached", "handed_over", "wrong", "failed", "invalid"]
"""reached: all is as it should be. handed_over: it is not, but the caller was passed on to a person. wrong: something
else was written than the caller wanted. failed: neither. invalid: the simulation broke, the agent is not judged."""
Face = Callable[[Event], None]
Judge = Callable[[Path, Mapping[str, str], str], list[str]]
"""`judge(root, facts, ended)` -> what is not as it should be. `root` is the copy of the project after the call, `facts`
are the caller's (accepted alternatives included), `ended` is the reason of the call's end."""

_ENDS = ("caller_hung_up", "agent_hung_up", "handed_over")

LONGEST_S = 600
"""Call time after which a simulated call is broken off as invalid."""


@dataclass(frozen=True)
class SimulatedCall:
    """What came of one simulated call."""

    persona: str
    seed: int
    outcome: Outcome
    problems: list[str]
    """What is not as it should be, one sentence each; for an invalid run, what broke."""
    folder: Path | None = None
    """The record of the call, where one was kept."""
    ended: CallEnded | None = None
    handed_over: str | None = None
    """To whom the caller was passed on."""
    turns: int = 0
    seconds: float = 0.0
    """Length of the call on its own clock."""
    wall_seconds: float = 0.0
    said: tuple[str, ...] = ()
    """The caller's utterances, as meant."""
    lost: tuple[str, ...] = ()
    """Every misunderstanding the caller noticed."""
    interruptions: int = 0
    facts: Mapping[str, str] | None = None
    """What the caller wanted in the end."""


def simulate(
    agent_path: Path,
    persona: Persona | str,
    *,
    seed: int = 0,
    skip_idle: bool = True,
    faces: Iterable[Face] = (),
    calls_dir: Path | None = None,
    judge: Judge | None = None,
) -> SimulatedCall:
    """Run one call on a clock of its own. See `play`."""
    playing = play(agent_path, persona, seed=seed, faces=faces, calls_dir=calls_dir, judge=judge)
    return clock.run(playing, skip_idle=skip_idle)


async def play(
    agent_path: Path,
    persona: Persona | str,
    *,
    seed: int = 0,
    faces: Iterable[Face] = (),
    calls_dir: Path | None = None,
    judge: Judge | None = None,
) -> SimulatedCall:
    """One call of `persona` (or the name of one of the project's) to the agent, on the running loop's clock.

    `calls_dir` keeps the record; without it there is none. Without a `judge` the caller's own belief decides. Raises
    BadInput and Unavailable for what is wrong before the call; what breaks in the call makes it 'invalid'.
    """
    root = paths.root_of(agent_path)
    if isinstance(persona, str):
        persona = personas.find(persona, root)
    Agent.load(agent_path)  # its errors name the user's file, not the copy
    began = time.monotonic()
    with sandbox.copied(root) as copy:
        link = Link(persona.name, seed=seed)
        call = Call(Agent.load(sandbox.within(copy, agent_path)), link, record=calls_dir)
        attempt = _Attempt(persona, seed, call, link, faces)
        return await attempt.run(copy, judge, began)


class _Attempt:
    """A call and its caller."""

    def __init__(self, persona: Persona, seed: int, call: Call, link: Link, faces: Iterable[Face]) -> None:
        self._persona = persona
        self._seed = seed
        self._call = call
        self._voice = CallerVoice(persona.voice, link.rate_hz)
        self._caller = Caller(persona, link, self._voice, random.Random(seed), date.today())  # noqa: S311 - dice, not secrets
        self._turns = 0
        for face in (self._caller.hear, self._count, *faces):
            call.subscribe(face)

    def _count(self, event: Event) -> None:
        self._turns = max(self._turns, event.turn)

    async def run(self, root: Path, judge: Judge | None, began: float) -> SimulatedCall:
        before = sandbox.snapshot(root)
        await self._voice.load()
        try:
            ended = await asyncio.wait_for(self._talk(), LONGEST_S)
        except Exception as error:  # noqa: BLE001 - whatever broke, this run says nothing about the agent
            cause = _innermost(error)
            if isinstance(cause, VoicebotError):
                raise cause from None
            return self._result("invalid", [f"{type(cause).__name__}: {cause}"], None, began)
        problems, outcome = self._judged(root, judge, ended, sandbox.snapshot(root) != before)
        return self._result(outcome, problems, ended, began)

    async def _talk(self) -> CallEnded:
        """The call and its caller side by side; when one of them breaks, the other is stopped."""
        async with asyncio.TaskGroup() as group:
            caller = group.create_task(self._caller.run())
            call = group.create_task(self._call.run())
            await call
            await caller
        return call.result()

    def _judged(self, root: Path, judge: Judge | None, ended: CallEnded, written: bool) -> tuple[list[str], Outcome]:
        if ended.reason == "failed":
            return [f"the call failed: {ended.detail}"], "invalid"
        facts = self._caller.mind.wants
        problems = judge(root, facts, ended.reason) if judge else self._believed()
        if not problems:
            return [], "reached"
        only_the_end = judge is not None and any(not judge(root, facts, end) for end in _ENDS)
        if written and not only_the_end:
            return problems, "wrong"
        return problems, "handed_over" if self._caller.handed_over else "failed"

    def _believed(self) -> list[str]:
        if self._persona.temperament.wants_human:
            return [] if self._caller.handed_over else ["the caller was not passed on to a person"]
        return [] if self._caller.mind.content else ["the caller did not get what they wanted"]

    def _result(self, outcome: Outcome, problems: list[str], ended: CallEnded | None, began: float) -> SimulatedCall:
        return SimulatedCall(
            persona=self._persona.name,
            seed=self._seed,
            outcome=outcome,
            problems=problems,
            folder=self._call.folder,
            ended=ended,
            handed_over=self._caller.handed_over,
            turns=self._turns,
            seconds=ended.t_ms / 1000 if ended else 0.0,
            wall_seconds=time.monotonic() - began,
            said=tuple(self._caller.said),
            lost=tuple(self._caller.mind.lost),
            interruptions=self._caller.interruptions,
            facts=self._caller.mind.wants,
        )


def _innermost(error: BaseException) -> BaseException:
    """What broke first, out of the groups that task groups wrap it in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
