"""What can be checked of a call: one family a file, all declared under `checks:` of scenarios and suites.

    findings = run(scenario.checks, Evidence(trial, measures))     # one for every declaration, good or bad

Every family is a function from what is declared and the `Evidence` to findings. Missing evidence is a failed check,
never a passed one. Claims for a language model (`judge`) are not among them: they take a model and time.
"""

from __future__ import annotations

from voicebot.evals.result import Finding

from . import budgets, deeds, disclosure, ending, guarded, limits, manners, sound, stores, words
from .declared import Checks
from .evidence import Evidence

__all__ = ["Checks", "Evidence", "run"]


def run(checks: Checks, call: Evidence) -> list[Finding]:
    """What every declared check finds, in the order in which a person would look."""
    return [
        *ending.check(checks.ended, checks.handed_over, call),
        *stores.check(checks.expect, checks.never, checks.unchanged, call),
        *deeds.check(checks.called, checks.not_called, checks.order, checks.most_calls, call),
        *words.check(checks.said, checks.never_said, call),
        *disclosure.check(checks.verify_before, call),
        *guarded.check(checks.guardrails, call),
        *budgets.check(checks.latency, call),
        *manners.check(checks.turns, call),
        *sound.check(checks.audio, checks.hearing, call),
        *limits.check(checks.confusions, checks.length, checks.cost_usd, call),
    ]
