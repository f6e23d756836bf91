"""What was heard: the health of the recording, and how well the agent understood."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.evals.result import Finding

from .evidence import Evidence
from .values import Count, Part, Share


class Audio(Part):
    """Faults that the recording may have, at most. `{}` allows none."""

    dropouts: Count = 0
    """Holes in the agent's speech."""
    clipped: Count = 0
    """Stretches of the agent's speech that are cut off at full scale."""
    loops: Count = 0
    """Pieces of sound that are played twice in a row."""
    cut_offs: Count = 0
    """Ends of sentences that are missing although nobody interrupted."""


class Hearing(Part):
    """How well the agent must understand."""

    wer: float | None = None
    """Word error rate, at most, over all words of the call."""
    entities: Share | None = None
    """At least this share of the numbers, names and codes that the caller says is heard right."""
    negation_flips: Count | None = None
    """At most so many times a "not" or "no" is lost or invented."""


def check(audio: Audio | None, hearing: Hearing | None, call: Evidence) -> Iterator[Finding]:
    """One finding for every figure."""
    if audio is not None:
        yield from _audio(audio, call)
    if hearing is not None:
        yield from _hearing(hearing, call)


def _audio(most: Audio, call: Evidence) -> Iterator[Finding]:
    for name, allowed in most.model_dump().items():
        check = f"audio.{name}"
        if call.trial.audio is None:
            yield Finding(check=check, ok=False, stage="mouth", says="there is no recording to look at")
            continue
        count: int = getattr(call.measures, name)
        says = f"{count} {name.replace('_', '-')} in the recording, at most {allowed} allowed"
        yield Finding(check=check, ok=count <= allowed, stage="mouth", says=says)


def _hearing(wanted: Hearing, call: Evidence) -> Iterator[Finding]:
    figures = call.measures
    if wanted.wer is not None:
        wrong = figures.substituted + figures.deleted + figures.inserted
        says = f"{wrong} errors in {figures.words} words, a word error rate of at most {wanted.wer:g} wanted"
        ok = figures.words > 0 and wrong / figures.words <= wanted.wer
        yield _ear("wer", ok, says, figures.words)
    if wanted.entities is not None:
        heard = figures.entities
        says = f"{heard.hits} of {heard.n} numbers, names and codes heard right, at least {wanted.entities:.0%} wanted"
        yield _ear("entities", (heard.value or 0.0) >= wanted.entities and heard.n > 0, says, heard.n)
    if wanted.negation_flips is not None:
        says = f"{figures.negation_flips} times a 'no' was lost or invented, at most {wanted.negation_flips} allowed"
        yield _ear("negation_flips", figures.negation_flips <= wanted.negation_flips, says, figures.words)


def _ear(name: str, ok: bool, says: str, n: int) -> Finding:
    if not n:
        says = "there are no words to compare (n 0)"
    return Finding(check=f"hearing.{name}", ok=ok and n > 0, stage="ear", says=says)
