"""How the call ended, and whether the caller was passed on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from voicebot import events
from voicebot.evals.result import Finding

from .evidence import Evidence

Ending = Literal["caller_hung_up", "agent_hung_up", "handed_over", "input_ended"]


def check(ended: Sequence[Ending], handed_over: bool | str | None, call: Evidence) -> Iterator[Finding]:
    """A call that broke down ended in none of the ways that can be declared."""
    if ended:
        found = call.trial.ended or "nothing known"
        says = f"the call ended with '{found}'" + ("" if found in ended else f", not with {' or '.join(ended)}")
        yield Finding(check="ended", ok=found in ended, stage="call", says=says, at_ms=_end_ms(call))
    if handed_over is not None:
        yield _handed_over(handed_over, call)


def _handed_over(wanted: bool | str, call: Evidence) -> Finding:
    to = call.trial.handed_over
    says = f"the caller was passed on to '{to}'" if to else "the caller was not passed on"
    if isinstance(wanted, str):
        ok = to.casefold() == wanted.casefold()
        says += "" if ok else f", and should have been to '{wanted}'"
    elif not call.talked and not call.trial.ended:
        ok, says = False, "there is no record of the call"
    else:
        ok = bool(to) == wanted
        says += "" if ok else (", and should have been" if wanted else ", and should not have been")
    moment = next((e.t_ms for e in call.events if isinstance(e, events.HandedOver)), None)
    return Finding(check="handed_over", ok=ok, stage="brain", says=says, at_ms=moment)


def _end_ms(call: Evidence) -> float | None:
    return next((e.t_ms for e in call.events if isinstance(e, events.CallEnded)), None)
