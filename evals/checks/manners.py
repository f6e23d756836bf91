"""Turn-taking: does the agent answer, yield when interrupted, and let coughs pass?

A floor ("at least") needs something to be counted: a call in which nobody interrupts says nothing about yielding, and
fails. A ceiling ("at most") needs only that it could have been seen: no cough, no false interruption.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from voicebot import events
from voicebot.evals.measures import Rate
from voicebot.evals.result import Finding

from .evidence import Evidence
from .values import Budget, Duration, Part, Share


class TurnTaking(Part):
    """How the agent behaves in conversation."""

    response_rate: Share | None = None
    """At least this share of the caller's turns is answered before the caller speaks again."""
    yield_rate: Share | None = None
    """At least this share of the caller's interruptions makes the agent stop within 2 s. Needs a caller who
    interrupts."""
    yield_time: Budget | None = None
    """The agent stops after this long, on average. Needs a caller who interrupts."""
    false_interruptions: Share | None = None
    """At most this share of backchannels, tics, coughs and side speech makes the agent stop or reply."""
    agent_interruptions: float | None = None
    """At most so many times a turn the agent begins to speak while the caller speaks."""
    overlap: Duration | None = None
    """At most so long both speak at once, in the whole call."""


def check(wanted: TurnTaking | None, call: Evidence) -> Iterator[Finding]:
    """One finding for every figure."""
    if wanted is None:
        return
    figures = call.measures
    if wanted.response_rate is not None:
        yield _floor("response_rate", wanted.response_rate, figures.responses, "turns of the caller")
    if wanted.yield_rate is not None:
        yield _floor("yield_rate", wanted.yield_rate, figures.yields, "interruptions", _interrupted_ms(call))
    if wanted.yield_time is not None:
        yield _yield_time(wanted.yield_time, call)
    if wanted.false_interruptions is not None:
        yield _ceiling("false_interruptions", wanted.false_interruptions, figures.false_interruptions, call)
    if wanted.agent_interruptions is not None:
        yield _ceiling("agent_interruptions", wanted.agent_interruptions, figures.agent_interruptions, call)
    if wanted.overlap is not None:
        yield _overlap(wanted.overlap, call)


def _floor(name: str, least: float, rate: Rate, of: str, at_ms: float | None = None) -> Finding:
    check = f"turns.{name}"
    if rate.value is None:
        return Finding(check=check, ok=False, stage="turns", says=f"there were no {of} to measure (n 0)")
    ok = rate.value >= least
    says = f"{rate.hits} of {rate.n} {of}, at least {least:.0%} wanted"
    return Finding(check=check, ok=ok, stage="turns", says=says, at_ms=None if ok else at_ms)


def _ceiling(name: str, most: float, rate: Rate, call: Evidence) -> Finding:
    check = f"turns.{name}"
    if not call.trial.sounds:
        return Finding(check=check, ok=False, stage="turns", says="there is no record of the caller's sounds")
    ok = (rate.value or 0.0) <= most
    return Finding(check=check, ok=ok, stage="turns", says=f"{rate.hits} of {rate.n}, at most {most:g} wanted")


def _yield_time(most_s: float, call: Evidence) -> Finding:
    times = call.measures.yield_ms
    if not times:
        return Finding(check="turns.yield_time", ok=False, stage="turns", says="the agent never yielded (n 0)")
    mean = fmean(times)
    says = f"{mean:.0f} ms on average (n {len(times)}), at most {most_s * 1000:.0f} ms wanted"
    ok = mean <= most_s * 1000
    moment = None if ok else _interrupted_ms(call)
    return Finding(check="turns.yield_time", ok=ok, stage="turns", says=says, at_ms=moment)


def _overlap(most_s: float, call: Evidence) -> Finding:
    if call.trial.audio is None and not call.trial.sounds:
        return Finding(check="turns.overlap", ok=False, stage="turns", says="there is no record of the caller's sounds")
    overlap_s = call.measures.overlap_ms / 1000
    says = f"both spoke at once for {overlap_s:.1f} s, at most {most_s:g} s wanted"
    return Finding(check="turns.overlap", ok=overlap_s <= most_s, stage="turns", says=says)


def _interrupted_ms(call: Evidence) -> float | None:
    """The first interruption, by the caller's own account or by the agent's."""
    meant = (sound.starts_ms for sound in call.trial.sounds if sound.interrupts)
    noticed = (event.t_ms for event in call.events if isinstance(event, events.BargeIn))
    return next(meant, next(noticed, None))
