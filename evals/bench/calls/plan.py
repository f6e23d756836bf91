"""When everything happens at one level: moments on the machine's one monotonic clock, fixed before it begins.

All processes go by them, so nobody has to be told anything while calls are on:

    first two calls ─ they talk ─ base ─ the others are dialled ─ all talk ─ (visitors dial in) ─ window ─ over
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from voicebot.evals.bench.calls.script import TURN_S, Script

FIRST_CALLS = 2
"""They talk before memory is first looked at, so that everything is loaded by then; two at a time, so that what two
concurrent inferences need is not put down to later calls."""
_GREETED_S = 2.2
"""From dialling until the greeting is over."""
_FIRST_TURN_S = 4.5
_DIAL_EVERY_S = 0.1
_DIAL_WITHIN_S = 4.0
"""All are dialled within this time, however many they are."""
_LOOK_BEFORE_S = 0.5
_SETTLE_S = TURN_S + 1
"""From the moment all begin to talk to the start of the window: each has had a turn."""
_VISITS = 12
_VISITS_AFTER_S, _VISIT_EVERY_S = 1.0, 0.45
LAST_REPLY_S = 3.0
"""A turn that ends this close to the end of the window is not judged: its reply may come later."""


@dataclass(frozen=True)
class Timeline:
    """All in seconds of time.monotonic()."""

    dial: list[float]
    """When each caller dials."""
    warm_up: float
    """The first callers say one thing."""
    base: float
    """Memory is looked at for the first time."""
    talk: float
    visits: list[float]
    """One more caller dials, hears the first of the greeting and hangs up: how set-up is measured amid calls."""
    window: float
    over: float

    @classmethod
    def of(cls, calls: int, window_s: float, now: float) -> Timeline:
        every_s = min(_DIAL_EVERY_S, _DIAL_WITHIN_S / calls)
        base = now + _GREETED_S + _FIRST_TURN_S
        first = [now + number * _DIAL_EVERY_S for number in range(min(calls, FIRST_CALLS))]
        later = [base + number * every_s for number in range(calls - len(first))]
        talk = max([base, *later]) + _GREETED_S
        return cls(
            dial=[*first, *later],
            warm_up=now + _GREETED_S,
            base=base - _LOOK_BEFORE_S,
            talk=talk,
            visits=[talk + _VISITS_AFTER_S + number * _VISIT_EVERY_S for number in range(_VISITS)],
            window=talk + _SETTLE_S,
            over=talk + _SETTLE_S + window_s,
        )


def turns_needed(window_s: float) -> int:
    """How many turns a script must have so that no caller falls silent before the window ends."""
    return int((window_s + _SETTLE_S) / TURN_S) + 1


@dataclass(frozen=True)
class Door:
    """Where a call comes in."""

    url: str
    """http://HOST:PORT"""
    agent: str = ""
    """Whose telephone number is dialled: Twilio's webhook is asked first where to stream to. '': there is no webhook,
    and the stream is at /ws."""
    auth_token: str = ""
    """What Twilio signs its requests with; '': they are not signed."""


@dataclass(frozen=True)
class Plan:
    """What one client process does."""

    door: Door
    timeline: Timeline
    callers: list[int]
    """The numbers of its callers, out of all."""
    calls: int
    """How many there are in all processes."""
    scripts: list[Script]
    visits: bool
    """Whether it makes the visits."""
    reply_s: float | None
    """How long a whole reply is; None: nobody knows."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"scripts": [script.as_json() for script in self.scripts]}

    @classmethod
    def of(cls, told: dict[str, Any]) -> Plan:
        parts = {
            "door": Door(**told["door"]),
            "timeline": Timeline(**told["timeline"]),
            "scripts": [Script.of(each) for each in told["scripts"]],
        }
        return cls(**(told | parts))
