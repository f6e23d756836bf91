"""What follows from a run: what is written, what it is held against, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from voicebot.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_UNAVAILABLE, BadInput
from voicebot.evals.ci import github, junit
from voicebot.evals.ci import markdown as pages
from voicebot.evals.kept import baselines
from voicebot.evals.kept.runs import Run

from . import eval_summary

if TYPE_CHECKING:
    from voicebot.evals.compare import Comparison

    from .eval_making import Means, Order
    from .terminal import Screen


@dataclass(frozen=True)
class Asked:
    """What `eval run` is to do when the calls are over."""

    compare: str | None = None
    fail_under: float | None = None
    junit: Path | None = None
    markdown: Path | None = None
    as_json: bool = False

    def other_side(self, root: Path, order: Order) -> Run | None:
        """What the run will be held against; asked for before the first call, which a slip of the pen must not cost.
        Raises BadInput."""
        if self.compare is None:
            return None
        return baselines.side(self.compare, root, order.arguments.suite)

    def report(self, screen: Screen, root: Path, run: Run, means: Means, other: Run | None) -> int:
        """Show and write what came of the run; the exit code."""
        comparison = self._compared(screen, run, other)
        code = self.exit_code(run, comparison)
        if self.as_json:
            screen.json(eval_summary.facts(run) | _more(comparison, code))
        else:
            eval_summary.show(screen, run)
            _show_comparison(screen, comparison)
            _say_why(screen, run, means, self.fail_under)
        self._write(screen, root, run, comparison, code)
        return code

    def exit_code(self, run: Run, comparison: Comparison | None) -> int:
        """DESIGN: 0 good, 1 failed or regressed, 3 nothing can be said, 130 interrupted."""
        if run.meta.state == "interrupted":
            return EXIT_INTERRUPTED
        results = run.final()
        counted = [result for result in results if result.verdict != "invalid"]
        passed = sum(result.verdict == "passed" for result in counted)
        if comparison is not None and comparison.verdict == "regressed":
            return EXIT_FAILED
        if self.fail_under is not None and counted and passed / len(counted) < self.fail_under:
            return EXIT_FAILED
        if comparison is None and self.fail_under is None and passed < len(counted):
            return EXIT_FAILED
        return EXIT_UNAVAILABLE if len(counted) < len(results) or not counted else EXIT_OK

    def _compared(self, screen: Screen, run: Run, other: Run | None) -> Comparison | None:
        """Only calls that this run was to make are compared: it may be a part of its suite."""
        if other is None:
            return None
        from voicebot.evals.compare import compare

        made = {case.id for case in run.meta.planned}
        before, now, left_out = baselines.comparable(other, run)
        if left_out:
            screen.warn(left_out)
        return compare([result for result in before if result.case.id in made], now)

    def _write(self, screen: Screen, root: Path, run: Run, comparison: Comparison | None, code: int) -> None:
        try:
            if self.junit is not None:
                junit.write(run, self.junit)
            page = pages.summary(run, comparison)
            if self.markdown is not None:
                self.markdown.parent.mkdir(parents=True, exist_ok=True)
                self.markdown.write_text(page, encoding="utf-8")
            if shown := github.summary_file():
                with shown.open("a", encoding="utf-8") as file:
                    file.write(page)
        except OSError as error:
            raise BadInput(f"cannot write {error.filename}: {error.strerror}.") from None
        if github.is_here():
            for line in github.commands(run, root, good=code == EXIT_OK):
                (screen.err if self.as_json else screen.out).print(Text(line), soft_wrap=True)


def _more(comparison: Comparison | None, code: int) -> dict[str, Any]:
    return {"comparison": comparison.model_dump() if comparison else None, "exit_code": code}


def _show_comparison(screen: Screen, comparison: Comparison | None) -> None:
    if comparison is not None:
        from . import eval_compare

        screen.data()
        eval_compare.show(screen, comparison)


def _say_why(screen: Screen, run: Run, means: Means, fail_under: float | None) -> None:
    """What the exit code alone would not tell."""
    counted = [result for result in run.final() if result.verdict != "invalid"]
    passed = sum(result.verdict == "passed" for result in counted)
    if run.meta.state == "interrupted":
        screen.talk("interrupted; what is done is kept. Go on with: voicebot eval run --resume")
    if run.meta.state == "out_of_budget":
        screen.talk(f"no further call was begun: {means.budget.used_up}")
    if means.budget.usd is not None and means.budget.unpriced:
        screen.warn(f"the cost is not all known: no price for {', '.join(sorted(means.budget.unpriced))}.")
    if fail_under is not None and counted and passed / len(counted) < fail_under:
        screen.talk(f"{passed / len(counted):.1%} passed, wanted {fail_under:.1%} (n={len(counted)})", "bad")
