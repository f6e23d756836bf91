"""The judgement of a trial: what each declared check found, and the verdict, their product."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .case import Case
from .measures import Measures

Stage = Literal["ear", "turns", "brain", "tools", "guardrails", "mouth", "latency", "call", "judge"]
"""Where in a call something went wrong: who fixes it looks there first."""
Verdict = Literal["passed", "failed", "invalid"]

SCORER = 1
"""Version of checks and metrics together; a result of another one is computed again by `voicebot eval rescore`."""


class Finding(BaseModel):
    """What one check found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str
    """The declared check, as in the scenario file: 'expect data/appointments.json', 'said', 'latency.v2v_p95' ..."""
    ok: bool
    stage: Stage
    says: str
    """One sentence: what was found, and for a failed check what was wanted. Missing evidence is a failure."""
    at_ms: float | None = None
    """The moment in the call, where there is one to be heard."""
    quote: str = ""
    """The evidence in the call's own words, where there is any."""


class Result(BaseModel):
    """One line of `results.jsonl`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: Case
    attempt: int = 1
    verdict: Verdict
    findings: list[Finding] = []
    measures: Measures = Field(default_factory=lambda: Measures())
    scorer: int = SCORER
    broke: str = ""
    """For an invalid run, what broke."""
    call: str = ""
    """The call's folder, relative to the run's."""

    @property
    def failed(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.ok]
