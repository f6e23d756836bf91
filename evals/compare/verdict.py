"""Two runs of the same suite: regressed, improved, or no evidence; and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from voicebot.evals.result import Result

from . import flips as verdicts
from .comparison import Comparison, Flips, NoiseFloor, Reason, Settings, Trend, Verdict
from .figures import Judge
from .noise import noise_floor
from .pace import pace
from .pairing import Pair, paired
from .wording import Blame, reason, remark, sentence

LEAST_IDENTICAL = 5
LEAST_IDENTICAL_BY_BUILD = 3


def compare(
    a: Iterable[Result],
    b: Iterable[Result],
    *,
    noise: Sequence[Iterable[Result]] = (),
    settings: Settings | None = None,
) -> Comparison:
    """The new run `b` against the old run `a`, paired by case.

    `noise` are further runs of the same agent as `a`: with `a` they give the noise floor. Says 'regressed' as soon as
    one thing has become worse, whatever else has become better.
    """
    settings = settings or Settings()
    old = list(a)
    pairing = paired(old, b)
    pairs = pairing.pairs
    floor = noise_floor([old, *noise]) if noise else None
    identical = sum(pair.identical for pair in pairs)
    repeatable = _repeatable(pairs, identical, floor, settings)
    found = verdicts.flips(pairs, settings)
    speed = pace(pairs)
    trends = Judge(settings, floor, repeatable, speed).trends(pairs)
    why = _reasons(pairs, found, trends, settings, repeatable)
    verdict = _verdict(why)
    return Comparison(
        verdict=verdict,
        says=sentence(verdict, why, found, len(pairs), settings) + remark(speed),
        reasons=why,
        pairs=len(pairs),
        identical=identical,
        repeatable=repeatable,
        pace=speed.factor,
        unrest=speed.unrest,
        flips=found,
        trends=trends,
        only_a=sorted(pairing.only_a),
        only_b=sorted(pairing.only_b),
        invalid=pairing.invalid,
        detectable_flips=_detectable(found, len(pairs), repeatable),
        noise=floor,
        settings=settings,
    )


def _repeatable(pairs: Sequence[Pair], identical: int, floor: NoiseFloor | None, settings: Settings) -> bool:
    """Whether the calls repeat themselves exactly as long as nothing is changed.

    Without noise runs to tell, it is believed of calls that had nothing with chance in them, once three went exactly
    the same way in both runs (a caller that is played by a language model would not let them). Of others it is believed
    when at least half of the calls, and five, went the same way, and at least half of the rest changed their verdict:
    calls that merely wander would mostly differ without one.
    """
    if settings.repeatable is not None:
        return settings.repeatable
    if floor:
        return floor.repeatable
    if all(side.measures.repeatable for pair in pairs for side in (pair.a, pair.b)):
        return identical >= LEAST_IDENTICAL_BY_BUILD
    if identical < max(LEAST_IDENTICAL, len(pairs) / 2):
        return False
    changed = [pair for pair in pairs if not pair.identical]
    return 2 * sum(pair.broken or pair.fixed for pair in changed) >= len(changed)


def _reasons(
    pairs: Sequence[Pair], found: Flips, trends: Sequence[Trend], settings: Settings, repeatable: bool
) -> list[Reason]:
    out: list[Reason] = []
    towards = verdicts.direction(pairs, found, settings, repeatable)
    if towards:
        out += verdicts.reasons(pairs, found, *towards)
    blame = Blame(pairs)
    out += [reason(trend, blame) for trend in trends if trend.verdict != "no evidence"]
    return sorted(out, key=lambda each: each.verdict == "improved")


def _verdict(why: Sequence[Reason]) -> Verdict:
    directions = {each.verdict for each in why}
    return "regressed" if "regressed" in directions else "improved" if directions else "no evidence"


def _detectable(found: Flips, pairs: int, repeatable: bool) -> float | None:
    if not pairs:
        return None
    return min(1.0, (1 if repeatable else found.needed) / pairs)
