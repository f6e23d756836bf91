"""What a comparison of two runs says: typed, so that it can be printed, kept and acted upon."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from voicebot.evals.result import Stage

Verdict = Literal["regressed", "improved", "no evidence"]
Unit = Literal["ms", "share", "a turn", "a call"]
Basis = Literal["statistics", "repeatable"]
"""How it is known. `statistics`: chance alone would not do this. `repeatable`: the calls repeat themselves exactly as
long as nothing is changed, so that a change in one of them is the change itself and not chance."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Settings(_Frozen):
    """What counts as evidence, and as a change that matters. All of it stands in the comparison."""

    alpha: float = Field(default=0.05, gt=0, lt=1)
    """How often, at most, a comparison of two runs of the same agent may say anything but 'no evidence'. Half of it is
    spent on the verdicts of the calls, the other half, after Holm, on all other figures together."""
    least_ms: float = Field(default=100.0, ge=0)
    """A change of a latency matters when it is larger than this ..."""
    least_share: float = Field(default=0.2, ge=0)
    """... and larger than this share of what it was."""
    least_rate: float = Field(default=0.05, ge=0)
    """A change of a rate matters from five points on."""
    least_wer: float = Field(default=0.02, ge=0)
    """A change of the word error rate matters from two points on."""
    draws: int = Field(default=2000, ge=1000)
    """Samples of every bootstrap and permutation test."""
    seed: int = 0
    """Of their dice."""
    repeatable: bool | None = None
    """Whether a call repeats itself exactly as long as nothing is changed (the embedded stack on the skip-idle clock
    does). None: judged from the noise runs, else from how many calls are the same in both runs."""


class Reason(_Frozen):
    """One thing that became worse or better, in words for a developer."""

    verdict: Literal["regressed", "improved"]
    stage: Stage
    """Where to look first."""
    metric: str
    """The declared check, or the figure."""
    says: str
    """One sentence, with n and p or the interval; the stage stands beside it."""
    n: int
    p: float | None = None
    """After correction for the number of tests; None where repeatability is the evidence."""
    low: float | None = None
    high: float | None = None
    """95 % interval of the change."""
    cases: list[str] = []
    """The calls that show it."""
    basis: Basis = "statistics"


class Flips(_Frozen):
    """Calls whose verdict is another one in the new run."""

    broken: list[str] = []
    """Passed before and fails now."""
    fixed: list[str] = []
    """Failed before and passes now."""
    passed: int = 0
    """Passed in both."""
    failed: int = 0
    """Failed in both."""
    p: float = 1.0
    """McNemar's exact test, two-sided."""
    needed: int = 0
    """So many would have to break, beside those that were fixed, for chance to be ruled out."""
    more_runs: int = 0
    """Runs of the suite to be added until that many can be expected to have broken; 0 when there are enough, or when
    nothing broke."""


class Trend(_Frozen):
    """One figure of the declared family in both runs."""

    metric: str
    stage: Stage
    unit: Unit
    a: float | None
    b: float | None
    change: float | None
    low: float | None = None
    high: float | None = None
    """95 % bootstrap interval of the change; None with fewer than 3 calls."""
    n: int
    """Calls with the figure in both runs."""
    p: float = 1.0
    p_holm: float = 1.0
    least: float
    """The smallest change that matters here: by the settings, or by the noise floor where that is higher."""
    detectable: float | None = None
    """The smallest change that this many calls would show four times in five."""
    differing: int = 0
    """Calls in which it is not exactly the same."""
    worse: int = 0
    """Calls in which it became worse ..."""
    better: int = 0
    """... and better."""
    verdict: Verdict = "no evidence"
    basis: Basis = "statistics"


class NoiseFloor(_Frozen):
    """What differs between runs of the same agent."""

    pairs: int
    """Calls that were compared with themselves in another run."""
    flips: int
    """Of those, the ones with another verdict."""
    identical: int
    """Of those, the ones that went exactly the same way."""
    changes: dict[str, float] = {}
    """Figure -> the largest difference between two runs."""

    @property
    def repeatable(self) -> bool:
        """Nothing differed."""
        return self.pairs > 0 and self.identical == self.pairs


class Comparison(_Frozen):
    """The new run `b` against the old run `a`."""

    verdict: Verdict
    says: str
    """One sentence."""
    reasons: list[Reason] = []
    """What became worse, then what became better; the most certain and the largest first."""
    pairs: int
    """Calls that count in both runs."""
    identical: int
    """Of those, the ones that went exactly the same way."""
    repeatable: bool
    pace: float = 1.0
    """How many times slower the machine computed in the new run: the median over the stages of a reply."""
    unrest: float = 1.0
    """By which factor a stage typically differs; latencies must differ by more than that explains."""
    flips: Flips
    trends: list[Trend]
    """The declared family, whatever came of it."""
    only_a: list[str] = []
    only_b: list[str] = []
    """Cases that are in one run alone: not compared."""
    invalid: list[str] = []
    """Cases that broke in one run or in both: not compared."""
    detectable_flips: float | None = None
    """The smallest share of calls that have to break to be noticed."""
    noise: NoiseFloor | None = None
    settings: Settings
