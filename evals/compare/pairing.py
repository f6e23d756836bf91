"""The same cases in two runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from voicebot.evals.result import Result


@dataclass(frozen=True)
class Pair:
    """One case, before and after."""

    a: Result
    b: Result

    @property
    def id(self) -> str:
        return self.a.case.id

    @property
    def broken(self) -> bool:
        return self.a.verdict == "passed" and self.b.verdict == "failed"

    @property
    def fixed(self) -> bool:
        return self.a.verdict == "failed" and self.b.verdict == "passed"

    @property
    def identical(self) -> bool:
        """Whether the call went exactly the same way: everything on the conversation's own clock is the same. What
        computing took is not part of that, nor is the verdict."""
        return _course(self.a) == _course(self.b)


@dataclass
class Pairing:
    pairs: list[Pair] = field(default_factory=list)
    only_a: list[str] = field(default_factory=list)
    only_b: list[str] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)


def paired(a: Iterable[Result], b: Iterable[Result]) -> Pairing:
    """By the case's id. Of several attempts the last valid one counts."""
    before, after = _by_case(a), _by_case(b)
    found = Pairing(
        only_a=[id_ for id_ in before if id_ not in after], only_b=[id_ for id_ in after if id_ not in before]
    )
    for id_ in before.keys() & after.keys():
        pair = Pair(before[id_], after[id_])
        if "invalid" in (pair.a.verdict, pair.b.verdict):
            found.invalid.append(id_)
        else:
            found.pairs.append(pair)
    found.pairs.sort(key=lambda pair: pair.id)
    found.invalid.sort()
    return found


def _by_case(results: Iterable[Result]) -> dict[str, Result]:
    latest: dict[str, Result] = {}
    for result in sorted(results, key=lambda result: result.attempt):
        if result.verdict != "invalid" or result.case.id not in latest:
            latest[result.case.id] = result
    return latest


def _course(result: Result) -> tuple[object, ...]:
    figures = result.measures
    return (
        round(figures.call_s, 3),
        figures.turns,
        figures.words,
        figures.substituted,
        figures.deleted,
        figures.inserted,
        figures.tts_characters,
        round(figures.overlap_ms, 1),
        figures.responses,
        figures.tools,
    )
