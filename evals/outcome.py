"""What came of a simulated call in one word, for people who watch one: did the caller get what they wanted?"""

from __future__ import annotations

from typing import Literal

from .result import Finding, Result
from .trial import Trial

Outcome = Literal["reached", "handed_over", "wrong", "failed", "invalid"]
"""reached: all is as it should be. handed_over: it is not, but the caller was passed on to a person. wrong: something
else was written than the caller wanted. failed: neither. invalid: the simulation broke, the agent is not judged."""

_OF_THE_STORE = ("expect ", "never ", "unchanged ")
_OF_THE_MANNER = ("latency", "turns", "audio", "hearing", "length", "confusions", "cost_usd")


def outcome(trial: Trial, result: Result) -> Outcome:
    """From the facts of a call and the findings of its checks. How well it was done (latency, turn-taking, the sound)
    is no part of whether it was done."""
    if result.verdict == "invalid":
        return "invalid"
    missed = [finding for finding in result.failed if not finding.check.startswith(_OF_THE_MANNER)]
    if not missed:
        return "reached"
    if trial.before != trial.after and any(_is_about_the_store(finding) for finding in missed):
        return "wrong"
    return "handed_over" if trial.handed_over else "failed"


def _is_about_the_store(finding: Finding) -> bool:
    return finding.check.startswith(_OF_THE_STORE)
