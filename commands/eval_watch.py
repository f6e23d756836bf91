"""Watching a run: a live screen on a terminal, one line a call elsewhere, nothing at all with --quiet."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from voicebot.evals.result import Result
    from voicebot.evals.running.board import Board
    from voicebot.evals.running.jobs import Job
    from voicebot.evals.running.runner import Watch
    from voicebot.evals.trial import Trial

    from .terminal import Screen

MARKS = {"passed": ("\u2713", "good"), "failed": ("\u2717", "bad"), "invalid": ("!", "poor")}
"""Verdict -> its sign and colour, everywhere the same."""


def watching(screen: Screen, board: Board) -> AbstractContextManager[Watch]:
    """What this screen can show: a watch that is on it while it is entered."""
    if screen.quiet:
        return Silent(board)
    if screen.live and screen.err.is_terminal:
        from .eval_live import Live

        return Live(screen, board)
    return Lines(screen, board)


class Silent(AbstractContextManager["Watch"]):
    """Shows nothing, counts all the same."""

    def __init__(self, board: Board) -> None:
        self.board = board

    def __enter__(self) -> Watch:
        return self.board

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        return None


class Lines(Silent):
    """A line for every call that has ended: for CI logs and pipes."""

    def __init__(self, screen: Screen, board: Board) -> None:
        super().__init__(board)
        self._screen = screen

    def __enter__(self) -> Watch:
        return _Telling(self._screen, self.board)


class _Telling:
    def __init__(self, screen: Screen, board: Board) -> None:
        self._screen = screen
        self._board = board
        self.began = board.began
        self.moved = board.moved
        self.tick = board.tick

    def ended(self, job: Job, trial: Trial, result: Result, *, again: bool) -> None:
        self._board.ended(job, trial, result, again=again)
        total = len(self._board.planned)
        count = f"{self._board.done:>{len(str(total))}}/{total}"
        self._screen.talk(Text.assemble((f"[{count}] ", "dim"), line(result, trial, again=again)))


def line(result: Result, trial: Trial, *, again: bool) -> Text:
    """'✓ passed  books/maria/clean#0  32 s in 2.1 s', and for a failed one why."""
    sign, style = MARKS[result.verdict]
    text = Text.assemble((f"{sign} {result.verdict:<7}", style), f"  {result.case.id}")
    if trial.call_s:
        text.append(f"  {trial.call_s:.0f} s in {trial.wall_s:.1f} s", "dim")
    if result.verdict == "failed":
        text.append(f"  {why(result)}")
    if result.verdict == "invalid":
        text.append(f"  {result.broke}{'  (made again)' if again else ''}")
    return text


def why(result: Result) -> str:
    """The first check that failed, with its stage."""
    if not result.failed:
        return "no check held it for good"
    first = result.failed[0]
    more = f" (and {len(result.failed) - 1} more)" if len(result.failed) > 1 else ""
    return f"{first.stage}: {first.says}{more}"
