"""One simulated call from end to end: a persona calls an agent, by sound or by text. What came of it are facts alone.

    call = simulate(Path("agents/ava.yaml"), "maria", seed=1)
    call.broke, call.ended, call.after["data/appointments.json"], call.folder

The call runs on a copy of the project, so every call begins with the same data and leaves none behind.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from voicebot import clock, paths
from voicebot.agent import Agent
from voicebot.call import Call
from voicebot.errors import VoicebotError
from voicebot.events import CallEnded, CallStarted, Event
from voicebot.telephony import media_stream
from voicebot.transports import link, paired

from . import persona as personas
from . import sandbox, truth
from .caller import LONGEST_S
from .casting import Casting, Side, in_role, phoning, speaking, typing
from .kinds import CallerKind, Rules
from .line import Line
from .persona import Persona
from .role import Role
from .truth import Sound
from .words import CallerBroke

_HANGS_UP_S = 30.0
"""How long a call may take to end when its caller has hung up."""

Channel = Literal["audio", "phone", "text"]
"""By sound through the whole engine, the same by telephone, or typed past ear and mouth."""
_SIDES: dict[Channel, Callable[[Casting], Awaitable[Side]]] = {"audio": speaking, "phone": phoning, "text": typing}
Face = Callable[[Event], None]


@dataclass(frozen=True)
class SimulatedCall:
    """What came of one simulated call. Nothing in it is a judgement."""

    persona: str
    """The persona's name."""
    seed: int
    broke: str = ""
    """What of the simulation broke (the caller, the line, the clock), one sentence; '' for a call that says something
    about the agent. An agent that crashes is no broken simulation: its call ends as 'failed'."""
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
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the caller wanted in the end."""
    content: bool = False
    """The caller believes to have got what they wanted."""
    before: Mapping[str, Any] = field(default_factory=dict)
    """What the agent's tools kept before the call: 'data/appointments.json' -> its JSON. Only files that parse."""
    after: Mapping[str, Any] = field(default_factory=dict)
    """The same after the call."""
    sounds: tuple[Sound, ...] = ()
    """Every sound the caller made, in order of time: what is in the record's truth.jsonl."""


def simulate(
    agent_path: Path,
    persona: Persona | str,
    *,
    role: Role | None = None,
    kind: CallerKind | None = None,
    channel: Channel = "audio",
    line: Line | None = None,
    seed: int = 0,
    faces: Iterable[Face] = (),
    record: Path | None = None,
    calls_dir: Path | None = None,
    at: datetime | None = None,
    skip_idle: bool = True,
) -> SimulatedCall:
    """Run one call on a clock of its own. See `play`."""
    playing = play(
        agent_path,
        persona,
        role=role,
        kind=kind,
        channel=channel,
        line=line,
        seed=seed,
        faces=faces,
        record=record,
        calls_dir=calls_dir,
        at=at,
    )
    return clock.run(playing, skip_idle=skip_idle)


async def play(
    agent_path: Path,
    persona: Persona | str,
    *,
    role: Role | None = None,
    kind: CallerKind | None = None,
    channel: Channel = "audio",
    line: Line | None = None,
    seed: int = 0,
    faces: Iterable[Face] = (),
    record: Path | None = None,
    calls_dir: Path | None = None,
    at: datetime | None = None,
) -> SimulatedCall:
    """One call of `persona` (or the name of one) to the agent, on the running loop's clock.

    `role` is what the call is about, where the persona does not say so itself; `kind` decides the caller's words
    (default: by rules); `line` replaces the persona's own; `seed` is all the chance there is. `at` is what the wall
    clock shows while the call lasts. The record is kept in `record`, or in a folder of its own in `calls_dir`; without
    either there is none.

    Raises BadInput and Unavailable for what is wrong before the call; what breaks in it stands in `broke`.
    """
    root, kind = paths.root_of(agent_path), kind or Rules()
    if isinstance(persona, str):
        persona = personas.find(persona, root)
    Agent.load(agent_path)  # its errors name the user's file, not the copy
    began = time.monotonic()
    with sandbox.copied(root) as copy, _pretended(at):
        casting = Casting(in_role(persona, role, kind, root), kind, line, seed, root, date.today())
        side = await _SIDES[channel](casting)
        call = Call(Agent.load(sandbox.within(copy, agent_path)), side.transport, record=calls_dir)
        call.folder = record or call.folder
        came_of_it = await _Attempt(side, call, copy, faces).run()
    wall_seconds = time.monotonic() - began
    return replace(came_of_it, persona=persona.name, seed=seed, wall_seconds=wall_seconds)


def _pretended(at: datetime | None) -> AbstractContextManager[object]:
    if at is None:
        return nullcontext()
    from .wallclock import pretend

    return pretend(at)


class _Attempt:
    """A call and its caller, side by side."""

    def __init__(self, side: Side, call: Call, root: Path, faces: Iterable[Face]) -> None:
        self._caller = side.caller
        self._hang_up = side.hang_up
        self._call = call
        self._root = root
        self._answered = False
        self._ended: CallEnded | None = None
        self._turns = 0
        for face in (self._caller.hear, self._note, *faces):
            call.subscribe(face)

    def _note(self, event: Event) -> None:
        self._turns = max(self._turns, event.turn)
        if isinstance(event, CallStarted):
            self._answered = True
        elif isinstance(event, CallEnded):
            self._ended = event

    async def run(self) -> SimulatedCall:
        before = sandbox.stores(self._root)
        broke = await self._broke()
        sounds = sorted(self._caller.mouth.sounds, key=lambda sound: sound.starts_ms)
        if self._call.folder and self._call.folder.is_dir():
            truth.write(self._call.folder, sounds)
        words = self._caller.words
        return SimulatedCall(
            persona="",
            seed=0,
            broke=broke,
            folder=self._call.folder,
            ended=self._ended,
            handed_over=self._caller.handed_over,
            turns=self._turns,
            seconds=self._ended.t_ms / 1000 if self._ended else 0.0,
            said=tuple(self._caller.said),
            lost=tuple(words.lost),
            interruptions=self._caller.interruptions,
            facts=dict(words.wants),
            content=words.content,
            before=before,
            after=sandbox.stores(self._root),
            sounds=tuple(sounds),
        )

    async def _broke(self) -> str:
        """Play the call. What broke of the simulation, one sentence; '' for nothing."""
        caller = asyncio.create_task(self._caller.run())
        call = asyncio.create_task(self._call.run())
        try:
            await asyncio.wait({caller, call}, return_when=asyncio.FIRST_EXCEPTION, timeout=LONGEST_S + _HANGS_UP_S)
            return self._blamed(caller, call)
        finally:
            caller.cancel()
            call.cancel()
            *_, line = await asyncio.gather(caller, call, self._hang_up(), return_exceptions=True)
            if isinstance(line, Exception):
                return f"the line broke: {_told(line)}"  # noqa: B012 - whatever else is wrong came of this

    def _blamed(self, caller: asyncio.Task[None], call: asyncio.Task[CallEnded]) -> str:
        """Raises VoicebotError for what was wrong before the call."""
        if caller.done() and (broken := caller.exception()):
            cause = _innermost(broken)
            return str(cause) if isinstance(cause, CallerBroke) else f"the caller broke: {_told(cause)}"
        if not call.done():
            return f"the call did not end when the caller hung up, after {LONGEST_S:.0f} s."
        failed = call.exception()
        if failed is None:
            return "" if caller.done() else "the caller did not notice that the call had ended."
        if not self._answered:
            if isinstance(failed, VoicebotError):
                raise failed from None
            return f"the call was never answered: {_told(failed)}"
        return f"the line broke: {_told(failed)}" if _of_the_simulation(failed) else ""


_CALLERS_HALF = (link.__name__, media_stream.__name__, paired.__name__)


def _of_the_simulation(error: BaseException) -> bool:
    """Whether it was raised in the caller's half of the call, which the engine runs as its transport."""
    modules = [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    innermost = next((name for name in reversed(modules) if name.startswith("voicebot.")), "")
    return innermost in _CALLERS_HALF or innermost.startswith(f"{__package__}.")


def _told(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _innermost(error: BaseException) -> BaseException:
    """What broke first, out of the groups that task groups wrap it in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
