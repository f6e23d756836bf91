"""A run as a page of markdown: for the summary of a job, or a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from voicebot.evals import scores
from voicebot.evals.kept.runs import Run
from voicebot.evals.measures import Rate
from voicebot.evals.result import Finding, Result

if TYPE_CHECKING:
    from voicebot.evals.compare import Comparison
    from voicebot.evals.scores.summary import Group

SHOWN = 20
"""Failed calls that are listed."""


def summary(run: Run, comparison: Comparison | None = None) -> str:
    """GitHub-flavoured markdown."""
    return "\n".join([*_lines(run, comparison), ""])


def _lines(run: Run, comparison: Comparison | None) -> Iterator[str]:
    results = run.final()
    figures = scores.summarise(results)
    rate = figures.passes.rate
    yield f"## voicebot: {_plain(run.meta.suite)}: {_headline(rate, comparison)}"
    yield ""
    yield "| scenario | passed | n | v2v p50 | p95 | WER |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    yield from (_row(group) for group in figures.scenarios)
    yield ""
    if comparison is not None:
        yield from _compared(comparison)
    failed = [result for result in results if result.verdict == "failed"]
    if failed:
        yield f"<details{' open' if len(failed) <= 3 else ''}><summary>{len(failed)} failed</summary>\n"
        for result in failed[:SHOWN]:
            yield from _failure(result)
        if len(failed) > SHOWN:
            yield f"- and {len(failed) - SHOWN} more"
        yield "\n</details>\n"
    yield from _not_counted(run, results)


def _headline(rate: Rate, comparison: Comparison | None) -> str:
    passed = f"{rate.hits} of {rate.n} passed" if rate.n else "nothing was measured"
    return f"{comparison.verdict}, {passed}" if comparison else passed


def _row(group: Group) -> str:
    rate = f"{group.passed.value:.0%}" if group.passed.value is not None else "-"
    few = " (few)" if group.few else ""
    times = [f"{group.v2v.p50:.0f} ms", f"{group.v2v.p95:.0f} ms"] if group.v2v else ["-", "-"]
    wer = f"{group.wer:.1%}" if group.wer is not None else "-"
    return f"| {' | '.join([_plain(group.name), rate, f'{group.passed.n}{few}', *times, wer])} |"


def _compared(comparison: Comparison) -> Iterator[str]:
    yield f"**{comparison.verdict}**"
    yield ""
    yield from (f"- {reason.stage}: {_plain(reason.says)}" for reason in comparison.reasons)
    yield ""


def _failure(result: Result) -> Iterator[str]:
    yield f"- `{result.case.id.replace('`', '')}`"
    yield from (f"  - {_finding(finding)}" for finding in result.failed)


def _finding(finding: Finding) -> str:
    when = f", at {finding.at_ms / 1000:.1f} s" if finding.at_ms is not None else ""
    quote = f': "{_plain(finding.quote)}"' if finding.quote else ""
    return f"**{finding.stage}**{when}: {_plain(finding.says)}{quote}"


def _not_counted(run: Run, results: list[Result]) -> Iterator[str]:
    invalid = [result for result in results if result.verdict == "invalid"]
    if invalid:
        yield f"{len(invalid)} calls stayed invalid and are not counted. The first: {_plain(invalid[0].broke)}\n"
    known = {result.case.id for result in results}
    if lacking := sum(case.id not in known for case in run.meta.planned):
        yield f"{lacking} of {len(run.meta.planned)} calls were not made.\n"


def _plain(text: str) -> str:
    """What callers and tools said is text, whatever signs are in it."""
    flat = " ".join(text.split())
    for sign in "\\`*_[]<>|#":
        flat = flat.replace(sign, f"\\{sign}")
    return flat.replace("@", "@\u200b")
