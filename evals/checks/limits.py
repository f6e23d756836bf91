"""How much a call may take: misunderstandings, turns, time, money."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot import events
from voicebot.evals.result import Finding, Stage

from .evidence import Evidence
from .values import Budget, Count, Part


class Length(Part):
    """How long the call may take, at most."""

    turns: Count | None = None
    """Turns of the caller."""
    time: Budget | None = None
    """On the call's own clock: `90s`, `3m`."""


def check(confusions: int | None, length: Length | None, cost_usd: float | None, call: Evidence) -> Iterator[Finding]:
    """One finding for every limit. What was not measured is not within a limit."""
    if confusions is not None:
        yield _confusions(confusions, call)
    if length is not None and length.turns is not None:
        turns = max((event.turn for event in call.events), default=0)
        says = f"{turns} turns of the caller, at most {length.turns} allowed"
        yield _limit("length.turns", turns <= length.turns and call.talked, says, call)
    if length is not None and length.time is not None:
        says = f"the call took {call.trial.call_s:.0f} s, at most {length.time:g} s allowed"
        yield _limit("length.time", 0 < call.trial.call_s <= length.time, says, call)
    if cost_usd is not None:
        spent = call.measures.cost_usd
        says = f"${spent:.4f}, at most ${cost_usd:.4f} allowed" if spent is not None else "nobody knows what it cost"
        ok = spent is not None and spent <= cost_usd
        yield Finding(check="cost_usd", ok=ok, stage="call", says=says)


def _limit(name: str, ok: bool, says: str, call: Evidence) -> Finding:
    if not call.talked:
        says = "there is no record of the call"
    return Finding(check=name, ok=ok, stage="call", says=says)


def _confusions(most: int, call: Evidence) -> Finding:
    lost = call.trial.confusions
    if not call.talked:
        return _limit("confusions", False, "", call)
    says = f"the caller was lost {len(lost)} times, at most {most} allowed"
    if len(lost) <= most:
        return Finding(check="confusions", ok=True, stage="brain", says=says)
    first = lost[most]
    moment = next((sound.starts_ms for sound in call.trial.sounds if sound.confused), _last_turn_ms(call))
    return Finding(
        check="confusions", ok=False, stage=_stage(first), says=f"{says}: {'; '.join(lost)}", at_ms=moment, quote=first
    )


def _stage(lost: str) -> Stage:
    """Who is asked first about a misunderstanding."""
    if lost.startswith("silence"):
        return "turns"
    return "ear" if lost.startswith(("not understood", "wrong", "done wrong")) else "brain"


def _last_turn_ms(call: Evidence) -> float | None:
    ended = [event.speech_end_ms for event in call.events if isinstance(event, events.TurnEnded)]
    return ended[-1] if ended else None
