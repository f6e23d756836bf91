"""Where the time of the last turns went: one bar a turn, all to one scale, and the percentiles beneath."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from voicebot.latency import STAGES, Waterfall, percentiles, v2v_ms

from .bars import bar, latency
from .theme import grade

_LABEL = 15
"""Cells before a bar: the turn's number and its latency."""
_FEWEST_CELLS = 8


class WaterfallView(Widget):
    """As many of the last turns as there is room for. `chosen` is the turn whose stages are spelled out, else the last.

    The scale is the slowest turn's, so that a bar is as long as its turn was slow.
    """

    DEFAULT_CSS = "WaterfallView { height: auto; width: 1fr; }"
    chosen: reactive[int | None] = reactive(None)

    def __init__(self, most: int = 8, id: str | None = None) -> None:
        """`most`: how many turns it shows."""
        super().__init__(id=id)
        self.most = most
        self._falls: tuple[Waterfall, ...] = ()

    def show(self, falls: Sequence[Waterfall]) -> None:
        if tuple(falls) != self._falls:
            self._falls = tuple(falls)
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> RenderResult:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        if not self._falls:
            return [Content.styled("The time of each answer will stand here.", "$dim")]
        shown = self._falls[-self.most :]
        cells = max(width - _LABEL, _FEWEST_CELLS)
        slowest = max((fall.v2v_ms or 0.0 for fall in shown), default=0.0)
        scale = max(slowest, 1.0) / cells
        lines = [self._turn(fall, scale) for fall in shown]
        spelled = next((fall for fall in shown if fall.turn == self.chosen), shown[-1])
        return [*lines, *_legend(spelled, width), _summary(self._falls, width)]

    def _turn(self, fall: Waterfall, ms_per_cell: float) -> Content:
        mark = ("▸", "$primary") if fall.turn == self.chosen else (" ", "")
        number = latency(fall)
        gap = " " * max(10 - number.cell_length, 1)
        drawn = bar(fall, ms_per_cell) if fall.v2v_ms and fall.v2v_ms > 0 else Content()
        return Content.assemble(mark, (f"{fall.turn:>2}", "$dim"), gap, number, "  ", drawn)


def _legend(fall: Waterfall, width: int) -> list[Content]:
    """The stages of one turn, named and counted; wrapped, never cut."""
    pieces = [
        Content.assemble(("▪ ", f"$stage-{stage.name}"), (f"{stage.name} ", "$dim"), str(ms))
        for stage, ms in sorted(fall.rounded(), key=lambda each: STAGES.index(each[0].name))
        if ms
    ]
    pieces += [
        Content.assemble(("⚙ ", "$tool"), (f"{tool.name} ", "$dim"), f"{tool.duration_ms:.0f}") for tool in fall.tools
    ]
    lines: list[Content] = []
    for piece in pieces:
        if lines and lines[-1].cell_length + 2 + piece.cell_length <= width:
            lines[-1] = lines[-1] + "  " + piece
        else:
            lines.append(piece)
    return lines


def _summary(falls: Sequence[Waterfall], width: int) -> Content:
    figures = percentiles(v2v_ms(falls))
    if figures is None:
        return Content.styled("no turn was answered yet", "$dim")
    whole = Content.assemble(
        ("voice to voice  " if width >= 44 else "", "$dim"), ("n ", "$dim"), str(figures.n),
        ("  p50 ", "$dim"), (f"{figures.p50:.0f} ms", grade(figures.p50)),
        ("  p95 ", "$dim"), (f"{figures.p95:.0f} ms", grade(figures.p95)),
    )  # fmt: skip
    return whole.truncate(width, ellipsis=True)
