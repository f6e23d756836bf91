"""A run on a terminal: a row a scenario with a sign for every call, what is on the line now, how long it will take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live as RichLive
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .eval_watch import MARKS, why

if TYPE_CHECKING:
    from voicebot.evals.case import Case
    from voicebot.evals.result import Result
    from voicebot.evals.running.board import Board, Call
    from voicebot.evals.running.jobs import Job
    from voicebot.evals.running.runner import Watch
    from voicebot.evals.trial import Trial

    from .terminal import Screen

_WAITING, _NOW = ("\u00b7", "dim"), ("\u25b8", "caller")
_AROUND = 8
"""Lines of the screen that are not rows of scenarios."""


class Live(AbstractContextManager["Watch"]):
    """The live screen; failed calls are written above it as they end and stay there."""

    def __init__(self, screen: Screen, board: Board) -> None:
        self._screen = screen
        self._board = board
        self._live = RichLive(console=screen.err, get_renderable=lambda: _Picture(board), refresh_per_second=8)
        self.began = board.began
        self.moved = board.moved
        self.tick = board.tick

    def __enter__(self) -> Watch:
        self._live.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._board.under_way.clear()
        self._live.__exit__(kind, error, tb)

    def ended(self, job: Job, trial: Trial, result: Result, *, again: bool) -> None:
        self._board.ended(job, trial, result, again=again)
        if result.verdict == "failed":
            sign, style = MARKS["failed"]
            self._live.console.print(
                Text.assemble((f"{sign} ", style), (result.case.id, "bold"), f"  {why(result)}"),
                overflow="ellipsis",
                no_wrap=True,
            )


class _Picture:
    """The board as it is at the moment it is drawn, cut to the height of the terminal."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        height = options.height or console.size.height
        yield Group(*self._parts(max(3, height - _AROUND), options.max_width))

    def _parts(self, rows: int, width: int) -> Iterator[RenderableType]:
        yield _scenarios(self._board, rows, width)
        yield Text()
        for call in list(self._board.under_way.values())[:4]:
            yield _on_the_line(call)
        yield _bar(self._board, width)
        yield _footer(self._board)


def _bar(board: Board, width: int) -> Table:
    """In a grid: a bar alone would not end its line."""
    grid = Table.grid()
    grid.add_row(ProgressBar(total=max(1, len(board.planned)), completed=board.done, width=min(60, width)))
    return grid


def _scenarios(board: Board, rows: int, width: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("scenario", no_wrap=True, overflow="ellipsis", max_width=28)
    table.add_column("passed", justify="right", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("calls", no_wrap=True, overflow="ellipsis")
    groups: dict[str, list[Case]] = {}
    for case in board.planned:
        groups.setdefault(case.scenario, []).append(case)
    chosen = _worth_seeing(board, groups, rows)
    for name in chosen:
        table.add_row(name, *_rate(board, groups[name]), _signs(board, groups[name], max(10, width - 48)))
    if len(chosen) < len(groups):
        table.add_row(Text(f"and {len(groups) - len(chosen)} more", "dim"), "", "", "")
    return table


def _worth_seeing(board: Board, groups: dict[str, list[Case]], rows: int) -> list[str]:
    """All scenarios where they fit; else those under way, then those with failures, then those that wait."""
    if len(groups) <= rows:
        return list(groups)

    def rank(name: str) -> int:
        ids = [case.id for case in groups[name]]
        if any(each in board.under_way for each in ids):
            return 0
        if any(board.verdicts.get(each) in ("failed", "invalid") for each in ids):
            return 1
        return 2 if any(each not in board.verdicts for each in ids) else 3

    kept = set(sorted(groups, key=rank)[: rows - 1])
    return [name for name in groups if name in kept]


def _rate(board: Board, cases: list[Case]) -> tuple[Text, Text]:
    verdicts = [board.verdicts.get(case.id) for case in cases]
    passed, n = verdicts.count("passed"), verdicts.count("passed") + verdicts.count("failed")
    if not n:
        return Text("-", "dim"), Text("0", "dim")
    share = passed / n
    return Text(f"{share:.0%}", "good" if share == 1 else "poor" if share >= 0.5 else "bad"), Text(str(n))


def _signs(board: Board, cases: list[Case], width: int) -> Text:
    text = Text()
    for case in cases[:width]:
        verdict = board.verdicts.get(case.id)
        sign, style = MARKS[verdict] if verdict else _NOW if case.id in board.under_way else _WAITING
        text.append(sign, style)
    return text


def _on_the_line(call: Call) -> Text:
    again = f", attempt {call.attempt}" if call.attempt > 1 else ""
    where = f"turn {call.turn}, {call.call_s:.0f} s" if call.turn else "is greeted" if call.call_s else "begins"
    return Text.assemble(_NOW, " ", (call.case.id, "bold"), (f"  {where}{again}", "dim"))


def _footer(board: Board) -> Text:
    from voicebot.evals.running.estimate import spoken

    passed, counted = board.count("passed"), board.counted
    text = Text(f"{board.done} of {len(board.planned)} calls")
    if counted:
        text.append(f"  \u00b7  {passed / counted:.0%} passed (n={counted})", "good" if passed == counted else "poor")
    if invalid := board.count("invalid"):
        text.append(f"  \u00b7  {invalid} invalid", "poor")
    if board.retries:
        text.append(f"  \u00b7  {board.retries} made again", "dim")
    if board.speed:
        text.append(f"  \u00b7  {board.speed:.0f} \u00d7 real time", "dim")
    if board.done < len(board.planned):
        text.append(f"  \u00b7  {spoken(board.left_s)} left", "dim")
    return text
