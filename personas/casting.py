"""Who plays the caller: a persona, its kind, its line and its dice become a `Caller` with a way to the agent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from voicebot.errors import BadInput
from voicebot.transports import Transport

from . import phoned, replayed
from .caller import Caller
from .dice import Dice
from .kinds import CallerKind, Improvised, Recording, Rules, Script
from .line import Line, telephone
from .mind import Mind
from .mouth import SpeakingMouth
from .persona import Persona
from .role import Role
from .scripted import Scripted
from .temperament import Temperament
from .typed import TypedLine, TypingMouth
from .voice import CallerVoice
from .wire import Wire
from .words import Words


@dataclass(frozen=True)
class Casting:
    """All that decides what a caller does, apart from the agent."""

    persona: Persona
    kind: CallerKind
    line: Line | None
    """Instead of the persona's own."""
    seed: int
    root: Path
    """The project."""
    today: date


async def _nothing() -> None:
    """Most lines need not be hung up."""


@dataclass(frozen=True)
class Side:
    """The caller's side of a call."""

    caller: Caller
    transport: Transport
    hang_up: Callable[[], Awaitable[None]] = _nothing
    """Awaited when the call is over."""


def in_role(persona: Persona, role: Role | None, kind: CallerKind, root: Path) -> Persona:
    """The persona with what the call is about. Only a caller by rules needs a domain. Raises BadInput."""
    if isinstance(kind, Rules) or persona.domain or (role and role.domain):
        return persona.playing(role, root)
    role = role or Role()
    facts = {fact: known.of(persona.full_name) for fact, known in role.facts.items()}
    return persona.model_copy(update={"goal": role.goal, "facts": facts})


async def typing(cast: Casting) -> Side:
    """A caller who types. Raises BadInput and Unavailable."""
    if isinstance(cast.kind, Recording):
        raise BadInput("a recorded caller cannot type: take the channel 'audio'.")
    line = TypedLine(cast.persona.name)
    dice = Dice(cast.seed)
    words = await _words(cast, dice)
    mouth = TypingMouth(line, cast.persona.voice.rate_wpm)
    return Side(Caller(words, mouth, cast.persona.temperament, dice), line)


async def speaking(cast: Casting) -> Side:
    """A caller who speaks. Raises BadInput and Unavailable."""
    if isinstance(cast.kind, Recording):
        return Side(*_replayer(cast, cast.kind))
    line = cast.line or cast.persona.line
    wire = Wire(cast.persona.name, line, seed=cast.seed)
    return Side(await _speaker(cast, wire), wire)


async def phoning(cast: Casting) -> Side:
    """A caller who speaks into a telephone. Raises BadInput and Unavailable."""
    line = telephone(cast.line or cast.persona.line)
    if isinstance(cast.kind, Recording):
        caller, wire = _replayer(cast, cast.kind)
    else:
        wire = Wire(cast.persona.name, line, seed=cast.seed)
        caller = await _speaker(cast, wire)
    phone = await phoned.PhoneLine.ring(wire, line, cast.seed)
    return Side(caller, phone, phone.close)


async def _speaker(cast: Casting, wire: Wire) -> Caller:
    dice = Dice(cast.seed)
    words = await _words(cast, dice)
    voice = CallerVoice(cast.persona.voice, wire.rate_hz)
    await voice.load()
    murmurs = cast.persona.understanding.says.get("backchannel") or ["uh-huh."]
    return Caller(words, SpeakingMouth(wire, voice, dice), cast.persona.temperament, dice, murmurs)


def _replayer(cast: Casting, kind: Recording) -> tuple[Caller, Wire]:
    """Nothing but what is in the recording is to be heard: it has come over a line already, and no habit adds to it."""
    recorded = replayed.read(cast.root / kind.call)
    dice, line = Dice(cast.seed), Line(rate_hz=recorded.rate_hz)
    wire = Wire(cast.persona.name, line, seed=cast.seed)
    words = replayed.Replay(recorded, cast.persona, cast.today)
    mouth = SpeakingMouth(wire, CallerVoice(cast.persona.voice, line.rate_hz), dice)
    return Caller(words, mouth, Temperament(), dice), wire


async def _words(cast: Casting, dice: Dice) -> Words:
    kind, persona, today = cast.kind, cast.persona, cast.today
    if isinstance(kind, Script):
        return Scripted(kind, persona, dice, today)
    if isinstance(kind, Improvised):
        from .improvised import Improvisation
        from .model import connected

        llm = await connected(kind.model, cast.root, base_url=kind.base_url, temperature=kind.temperature)
        return Improvisation(llm, persona, today)
    return Mind(persona, dice, today)
