"""Who spoke when, and whether that was right: pure functions of stretches of time.

The definitions and windows are those of tau-voice (Ray et al., 2026, and its published analysis), so that figures can
be laid side by side; where the two differ it is said. A stretch begins inclusively and ends exclusively; "within 2.0 s"
includes 2.0 s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from voicebot.evals.measures import Rate

from .spans import Stretch, at

YIELD_WINDOW_MS = 2000.0
FALSE_STOP_WINDOW_MS = 1000.0
FALSE_REPLY_WINDOW_MS = 2000.0
PATIENCE_MS = 5000.0
"""Silence behind the caller's last words of a call from which on they count as unanswered."""


@dataclass(frozen=True)
class Answer:
    """What became of one turn of the caller's."""

    turn: Stretch
    delay_ms: float | None
    """From its end to the agent's next start; None when the caller had to speak again first."""


def answers(turns: Iterable[Stretch], agent: Sequence[Stretch], until_ms: float | None = None) -> list[Answer]:
    """What became of each turn that asks for an answer, in order of time.

    A turn at whose end the agent is speaking already is left out: the agent has interrupted it (counted elsewhere) or
    talked on through it. The last turn, when nobody speaks after it, is left out too: the caller has hung up. With
    `until_ms`, the end of the call, it is left out only when less than 5.0 s were left to answer it; tau-voice always
    leaves it out.
    """
    asking = sorted((turn for turn in turns if not at(agent, turn.ends_ms)), key=lambda turn: turn.starts_ms)
    out: list[Answer] = []
    for index, turn in enumerate(asking):
        replies = [span.starts_ms for span in agent if span.starts_ms >= turn.ends_ms]
        again = [later.starts_ms for later in asking[index + 1 :] if later.starts_ms >= turn.ends_ms]
        if replies and (not again or min(replies) <= min(again)):
            out.append(Answer(turn, min(replies) - turn.ends_ms))
        elif again or (until_ms is not None and until_ms - turn.ends_ms >= PATIENCE_MS):
            out.append(Answer(turn, None))
    return out


def response_rate(found: Sequence[Answer]) -> Rate:
    """Caller turns answered before the caller speaks again, of caller turns."""
    return Rate(hits=sum(answer.delay_ms is not None for answer in found), n=len(found))


@dataclass(frozen=True)
class Yields:
    rate: Rate
    times_ms: list[float]
    """From the caller's first sound to the agent's last, of those interruptions to which the agent yielded."""
    starts_ms: list[float]
    """When each of these began."""


def yields(
    speech: Iterable[Stretch],
    agent: Sequence[Stretch],
    until_ms: float | None = None,
    window_ms: float = YIELD_WINDOW_MS,
) -> Yields:
    """Real interruptions (speech that begins while the agent speaks), and those after which it stops in time.

    With `until_ms`, the end of the call, an interruption whose window the end cuts short is left out when the agent
    spoke to the last: nobody can tell what it would have done.
    """
    times: list[float] = []
    starts: list[float] = []
    count = 0
    for sound in speech:
        spoken = at(agent, sound.starts_ms)
        if spoken is None or _undecided(sound, spoken, until_ms, window_ms):
            continue
        count += 1
        if spoken.ends_ms - sound.starts_ms <= window_ms:
            times.append(spoken.ends_ms - sound.starts_ms)
            starts.append(sound.starts_ms)
    return Yields(Rate(hits=len(times), n=count), times, starts)


def _undecided(sound: Stretch, spoken: Stretch, until_ms: float | None, window_ms: float) -> bool:
    return until_ms is not None and spoken.ends_ms >= until_ms and until_ms - sound.starts_ms < window_ms


def false_interruptions(sounds: Iterable[Stretch], agent: Sequence[Stretch], turns: Sequence[Stretch] = ()) -> Rate:
    """Sounds that want no answer and got one (the agent stops within 1.0 s of the sound's beginning, or, silent, begins
    to speak up to 2.0 s behind its end), of all such sounds. Selectivity is the rest.

    `turns` are the caller's real turns: the agent's first words behind one of them answer it, and not a sound that
    happens to lie between. Without them, as in tau-voice, the sound is to blame.
    """
    owed = {min(later) for turn in turns if (later := [a.starts_ms for a in agent if a.starts_ms >= turn.ends_ms])}
    found = [_disturbed(sound, agent, owed) for sound in sounds]
    return Rate(hits=sum(found), n=len(found))


def _disturbed(sound: Stretch, agent: Sequence[Stretch], owed: set[float]) -> bool:
    spoken = at(agent, sound.starts_ms)
    if spoken is not None:
        return spoken.ends_ms - sound.starts_ms <= FALSE_STOP_WINDOW_MS
    latest = sound.ends_ms + FALSE_REPLY_WINDOW_MS
    return any(sound.starts_ms <= a.starts_ms <= latest and a.starts_ms not in owed for a in agent)


def agent_interruptions(agent: Iterable[Stretch], speech: Sequence[Stretch], turns: int) -> Rate:
    """Stretches of the agent's speech that begin while the caller speaks, of the caller's `turns`. Can exceed 1."""
    return Rate(hits=sum(at(speech, span.starts_ms) is not None for span in agent), n=turns)
