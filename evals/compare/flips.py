"""Calls whose verdict changed: whether chance could have done it, and which checks are behind it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import ceil
from typing import Literal, get_args

from voicebot.evals.result import Finding, Result, Stage

from .comparison import Basis, Flips, Reason, Settings
from .mcnemar import exact_p, needed
from .pairing import Pair

MACHINE_STAGES = ("latency", "judge")
"""What these find can differ from run to run although the call did not: the machine is busy, a model judges."""
Direction = Literal["regressed", "improved"]


def flips(pairs: Sequence[Pair], settings: Settings) -> Flips:
    """Counted and tested."""
    broken = [pair.id for pair in pairs if pair.broken]
    fixed = [pair.id for pair in pairs if pair.fixed]
    worse, other = sorted((len(broken), len(fixed)), reverse=True)
    enough = needed(other, settings.alpha / 2)
    more = ceil(enough / worse) - 1 if worse > other and worse < enough else 0
    return Flips(
        broken=broken,
        fixed=fixed,
        passed=sum(pair.a.verdict == pair.b.verdict == "passed" for pair in pairs),
        failed=sum(pair.a.verdict == pair.b.verdict == "failed" for pair in pairs),
        p=exact_p(len(broken), len(fixed)),
        needed=enough,
        more_runs=more,
    )


def direction(
    pairs: Sequence[Pair], found: Flips, settings: Settings, repeatable: bool
) -> tuple[Direction, Basis] | None:
    """Which way the verdicts went, and how that is known; None when chance could have done it."""
    towards: Direction = "regressed" if len(found.broken) > len(found.fixed) else "improved"
    if found.p <= settings.alpha / 2:
        return towards, "statistics"
    broken, fixed = ([pair for pair in side if _is_the_call(pair)] for side in _sides(pairs))
    if repeatable and bool(broken) != bool(fixed):
        return ("regressed" if broken else "improved"), "repeatable"
    return None


def _sides(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    return [pair for pair in pairs if pair.broken], [pair for pair in pairs if pair.fixed]


def _is_the_call(pair: Pair) -> bool:
    """Whether anything behind the flip is in the call itself, and not in the speed of the machine or a judge's mood."""
    return any(finding.stage not in MACHINE_STAGES for finding in _news(pair))


def _news(pair: Pair) -> list[Finding]:
    """The checks that are behind a flip: they fail on one side and not on the other."""
    failing, other = (pair.b, pair.a) if pair.broken else (pair.a, pair.b)
    before = Counter(finding.check for finding in other.failed)
    news = []
    for finding in failing.failed:
        if before[finding.check]:
            before[finding.check] -= 1
        else:
            news.append(finding)
    return news


def reasons(pairs: Sequence[Pair], found: Flips, towards: Direction, basis: Basis) -> list[Reason]:
    """One for each check that newly fails (or passes), those of most calls first."""
    side = [pair for pair in pairs if (pair.broken if towards == "regressed" else pair.fixed)]
    by_check: dict[tuple[Stage, str], list[tuple[Pair, Finding]]] = defaultdict(list)
    for pair in side:
        for finding in _news(pair):
            key = (finding.stage, finding.check)
            if pair not in [other for other, _ in by_check[key]]:
                by_check[key].append((pair, finding))
    order = get_args(Stage)
    ranked = sorted(by_check.items(), key=lambda item: (-len(item[1]), order.index(item[0][0]), item[0][1]))
    out = [_reason(stage, check, shown, pairs, found, towards, basis) for (stage, check), shown in ranked]
    return out or [_unexplained(side, found, towards, basis)]


def _reason(
    stage: Stage,
    check: str,
    shown: Sequence[tuple[Pair, Finding]],
    pairs: Sequence[Pair],
    found: Flips,
    towards: Direction,
    basis: Basis,
) -> Reason:
    declared = [pair for pair in pairs if _held(pair.a if towards == "regressed" else pair.b, check)]
    says = _changed(check, len(shown), len(declared), towards)
    example = shown[0][1].says.rstrip(".")
    p = None if basis == "repeatable" else found.p
    return Reason(
        verdict=towards,
        stage=stage,
        metric=check,
        says=f"{says} ({example}). {_evidence(found, basis)}",
        n=len(declared),
        p=p,
        cases=[pair.id for pair, _ in shown],
        basis=basis,
    )


def _held(result: Result, check: str) -> bool:
    """Whether the check was declared and nothing of it failed."""
    its = [finding.ok for finding in result.findings if finding.check == check]
    return bool(its) and all(its)


def _changed(check: str, shown: int, declared: int, towards: Direction) -> str:
    if towards == "regressed":
        return f"{check} fails in {shown} of {_calls(declared)} that {'was' if declared == 1 else 'were'} right before"
    return f"{check} passes in {_calls(shown)} in which it failed before"


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


def _evidence(found: Flips, basis: Basis) -> str:
    if basis == "repeatable":
        return "The same calls repeat themselves exactly as long as nothing is changed, so this is no chance"
    return f"In all, {len(found.broken)} calls broke and {len(found.fixed)} were fixed (McNemar p = {found.p:.2g})"


def _unexplained(side: Sequence[Pair], found: Flips, towards: Direction, basis: Basis) -> Reason:
    what = "fail now" if towards == "regressed" else "pass now"
    return Reason(
        verdict=towards,
        stage="call",
        metric="verdict",
        says=f"{len(side)} calls {what}, and no single check says why. {_evidence(found, basis)}",
        n=len(side),
        p=None if basis == "repeatable" else found.p,
        cases=[pair.id for pair in side],
        basis=basis,
    )
