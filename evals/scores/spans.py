"""Stretches of time in a call: who makes a sound from when to when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar


class Stretch(Protocol):
    """Anything with a beginning and an end on the call's clock: a `Span`, or a `personas.truth.Sound`."""

    @property
    def starts_ms(self) -> float: ...

    @property
    def ends_ms(self) -> float: ...


S = TypeVar("S", bound=Stretch)


@dataclass(frozen=True)
class Span:
    """From `starts_ms` (inclusive) to `ends_ms` (exclusive)."""

    starts_ms: float
    ends_ms: float


def at(spans: Iterable[S], moment_ms: float) -> S | None:
    """The one that is under way at a moment: it has begun, perhaps just now, and has not ended."""
    return next((span for span in spans if span.starts_ms <= moment_ms < span.ends_ms), None)


def overlap_ms(one: Iterable[Stretch], other: Sequence[Stretch]) -> float:
    """Sum of the pairwise intersections."""
    return sum(max(0.0, min(a.ends_ms, b.ends_ms) - max(a.starts_ms, b.starts_ms)) for a in one for b in other)


def joined(spans: Iterable[Stretch], gap_ms: float) -> list[Span]:
    """In order of time, with those that follow each other within `gap_ms` made one."""
    out: list[Span] = []
    for span in sorted(spans, key=lambda span: span.starts_ms):
        if out and span.starts_ms - out[-1].ends_ms <= gap_ms:
            out[-1] = Span(out[-1].starts_ms, max(out[-1].ends_ms, span.ends_ms))
        else:
            out.append(Span(span.starts_ms, span.ends_ms))
    return out
