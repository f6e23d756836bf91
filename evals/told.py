"""Judged calls in plain text, for the message of an assertion: what failed, what was said, where the record lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from voicebot import paths
from voicebot.errors import BadInput
from voicebot.store import calls

from . import transcript as transcripts
from .result import Finding, Result
from .transcript import Line
from .trial import Trial

_AROUND_MS = 8000.0
"""Lines this near to a failed check are shown."""
_LAST = 6
"""Lines that are shown where no check says when it failed."""


def failure(failed: Sequence[tuple[Trial, Result]], *, of: int) -> str:
    """Why calls failed, one paragraph each."""
    many = [f"{len(failed)} of {of} calls failed"] if of > 1 else []
    return "\n\n".join([*many, *("\n".join(_call(*pair)) for pair in failed)])


def invalid(result: Result) -> str:
    """One sentence of a run that says nothing."""
    return f"invalid run of {result.case.id} (the simulation broke, not the agent): {result.broke}"


def transcript(trial: Trial) -> str:
    """Everything that was said and done in a call, a line each."""
    return "\n".join(map(_line, lines(trial)))


def lines(trial: Trial) -> list[Line]:
    """The same as lines; none of a call without a readable record."""
    if trial.folder is None:
        return []
    try:
        happened = calls.read(trial.folder).events
    except BadInput:
        return []
    return transcripts.of(happened, trial.sounds)


def _call(trial: Trial, result: Result) -> Iterator[str]:
    checks = f"{len(result.failed)} of {len(result.findings)} checks"
    yield f"{result.case.id} failed: {checks}"
    for finding in result.failed:
        yield from _finding(finding)
    if shown := _relevant(lines(trial), result.failed):
        yield "  transcript:"
        yield from (f"    {_line(line)}" for line in shown)
    if trial.folder:
        yield f"  call: {paths.shown(trial.folder)}"


def _finding(finding: Finding) -> Iterator[str]:
    at = "" if finding.at_ms is None else f" (at {clock(finding.at_ms)})"
    yield f"  [{finding.stage}] {finding.check}: {finding.says}{at}"
    if finding.quote:
        yield f"      > {finding.quote}"


def _relevant(told: Sequence[Line], failed: Sequence[Finding]) -> list[Line]:
    moments = [finding.at_ms for finding in failed if finding.at_ms is not None]
    if not moments:
        return list(told[-_LAST:])
    return [line for line in told if any(_is_near(line, at_ms) for at_ms in moments)]


def _is_near(line: Line, at_ms: float) -> bool:
    return line.start_ms - _AROUND_MS <= at_ms <= line.end_ms + _AROUND_MS


def _line(line: Line) -> str:
    lost = f" [not heard: {line.lost}]" if line.lost else ""
    meant = f" [said: {line.meant}]" if line.meant else ""
    return f"{clock(line.start_ms):>7}  {'' if line.who == 'note' else line.who:<6}  {line.text}{lost}{meant}"


def clock(at_ms: float) -> str:
    """'1:07.3', minutes and seconds of the call."""
    tenths = round(max(0.0, at_ms) / 100)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"
