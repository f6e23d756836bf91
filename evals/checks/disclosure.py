"""Verify before you disclose: what may not be said, and not be done, before the caller has shown who they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from pydantic import Field, model_validator

from voicebot.evals.result import Finding

from .deeds import subset
from .evidence import Evidence, Line, Unknown
from .values import OneOrMore, Part, Pattern, Text
from .words import found


class Verified(Part):
    """Something that needs a proof first. Any one of the proofs is enough; for two, declare it twice."""

    say: OneOrMore[Pattern] = Field(default=[])
    """What may not be heard before the proof: patterns as in `said`."""
    call: OneOrMore[Text] = Field(default=[])
    """Tools that may not be called before the proof."""
    facts: OneOrMore[Text] = Field(default=[])
    """The proof: the caller has said all of these facts, right."""
    tool: Text | None = None
    """Or: this tool has answered well."""
    returns: dict[str, Any] = Field(default={})
    """What that tool's result must hold to count as well: `{outcome: found}`."""

    @model_validator(mode="after")
    def _whole(self) -> Verified:
        if not (self.say or self.call):
            raise ValueError("nothing is protected. Add 'say' or 'call'.")
        if not (self.facts or self.tool):
            raise ValueError("there is no proof. Add 'facts' or 'tool'.")
        if self.returns and not self.tool:
            raise ValueError("'returns' belongs to a 'tool', and there is none.")
        return self


def check(rules: Sequence[Verified], call: Evidence) -> Iterator[Finding]:
    """One finding for every rule."""
    for rule in rules:
        if not call.talked:
            says = "there is no record of the call"
            yield Finding(check="verify_before", ok=False, stage="call", says=says)
            continue
        try:
            yield _judged(rule, call)
        except Unknown as error:
            yield Finding(check="verify_before", ok=False, stage="brain", says=str(error))


def _judged(rule: Verified, call: Evidence) -> Finding:
    proved_ms = min(_facts_ms(rule, call), _tool_ms(rule, call))
    early = [line for line in _disclosures(rule, call) if line.at_ms < proved_ms]
    proof = _proof(rule)
    if not early:
        when = f"after {proved_ms / 1000:.1f} s" if proved_ms < float("inf") else "never"
        says = f"nothing was disclosed before {proof}, which happened {when}"
        return Finding(check="verify_before", ok=True, stage="brain", says=says)
    first = min(early, key=lambda line: line.at_ms)
    says = f"disclosed before {proof}: {first.text}"
    return Finding(check="verify_before", ok=False, stage="brain", says=says, at_ms=first.at_ms, quote=first.text)


def _proof(rule: Verified) -> str:
    said = f"the caller had said {' and '.join(rule.facts)}" if rule.facts else ""
    ran = f"{rule.tool} had succeeded" if rule.tool else ""
    return " or ".join(part for part in (said, ran) if part)


def _disclosures(rule: Verified, call: Evidence) -> Iterator[Line]:
    for run in call.tools:
        if run.name in rule.call:
            yield Line("agent", f"{run.name}(...)", run.at_ms)
    for line in call.lines:
        if any(found(pattern, [line], call) for pattern in rule.say):
            yield line


def _facts_ms(rule: Verified, call: Evidence) -> float:
    """When the last of the facts was said; never (infinity) while one is missing. It may come in several breaths."""
    if not rule.facts:
        return float("inf")
    words = (line.text.rstrip(".") for line in call.utterances)
    so_far = list(accumulate(words, lambda before, more: f"{before} {more}"))
    times = []
    for fact in rule.facts:
        said = (line.at_ms for line, text in zip(call.utterances, so_far, strict=True) if call.says_fact(fact, text))
        times.append(next(said, float("inf")))
    return max(times)


def _tool_ms(rule: Verified, call: Evidence) -> float:
    wanted = call.filled_all(rule.returns)
    of_name = (run for run in call.tools if run.name == rule.tool and run.ok)
    good = (run for run in of_name if not wanted or subset(wanted, run.result))
    return next((run.returned_ms for run in good), float("inf"))
