"""The picture of a call over its time: loudness, who spoke, tools, where answers lost their time, and the playhead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from voicebot.evals.report.lanes import Bar, Lane

from .tape import Tape, loudest

LABEL = 9
"""Cells before the time axis."""
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_QUIETEST = 0.05
"""A side whose loudest sample is below this is not blown up to full height: it is quiet, and shall look so."""
_STEPS_S = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
_LOOKS = {
    "speech": "$caller", "cut-in": "$warning", "aside": "$dim", "agent": "$agent", "filler": "$stage-clause",
    "lost": "$line", "tool": "$tool", "tool-failed": "$error", "no-answer": "$error",
}  # fmt: skip


@dataclass
class _Cell:
    sign: str = " "
    fore: str = "$foreground"
    back: str = ""


class Chart(Widget, can_focus=True):
    """`at_ms` is the playhead; a click or a drag posts `Sought`. `ms_per_cell` is how much of the call one cell shows;
    0 is the whole call."""

    class Sought(Message):
        """Somebody pointed at a moment of the call."""

        def __init__(self, chart: Chart, at_ms: float) -> None:
            super().__init__()
            self.chart = chart
            self.at_ms = at_ms

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "zoom(2)", "Closer", key_display="+", show=False),
        Binding("minus", "zoom(0.5)", "Wider", key_display="-", show=False),
    ]
    DEFAULT_CSS = "Chart { height: auto; width: 1fr; }"
    at_ms = reactive(0.0, repaint=False)
    zoom = reactive(1.0)

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tape: Tape | None = None
        self.tall = 2
        """Rows of each side's loudness."""

    def show(self, tape: Tape) -> None:
        self.tape, self.zoom = tape, 1.0
        self.refresh(layout=True)

    # -- time and place ----------------------------------------------------------------------------------------------

    @property
    def _cells(self) -> int:
        return max(self.size.width - LABEL, 1)

    @property
    def _span_ms(self) -> float:
        assert self.tape is not None
        return self.tape.length_ms / self.zoom

    @property
    def _from_ms(self) -> float:
        """The first moment that is shown: the playhead stays in the middle where the whole does not fit."""
        assert self.tape is not None
        return min(max(self.at_ms - self._span_ms / 2, 0.0), self.tape.length_ms - self._span_ms)

    def _column(self, at_ms: float) -> int:
        return int((at_ms - self._from_ms) / self._span_ms * self._cells)

    def watch_at_ms(self, before: float, now: float) -> None:
        if self.tape is not None and (self.zoom > 1 or self._column(before) != self._column(now)):
            self.refresh()

    def validate_zoom(self, zoom: float) -> float:
        most = max(self.tape.length_ms / 2000, 1.0) if self.tape else 1.0
        return min(max(zoom, 1.0), most)

    def action_zoom(self, by: float) -> None:
        self.zoom *= by

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self.capture_mouse()
        self._point(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if event.button:
            self._point(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self.release_mouse()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_zoom(1.25)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_zoom(0.8)

    def _point(self, event: events.MouseEvent) -> None:
        if self.tape is not None and event.x >= LABEL:
            at_ms = self._from_ms + (event.x - LABEL + 0.5) / self._cells * self._span_ms
            self.post_message(self.Sought(self, min(max(at_ms, 0.0), self.tape.length_ms)))

    # -- drawing -----------------------------------------------------------------------------------------------------

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        if self.tape is None:
            return 1
        waves = 2 * self.tall if self.tape.loudness is not None else 0
        return 1 + waves + len(self.tape.lanes) + bool(self.tape.findings)

    def render(self) -> RenderResult:
        if self.tape is None:
            return Content()
        head = self._column(self.at_ms)
        return Content("\n").join([_line(name, cells, head) for name, cells in self._rows(self.tape)])

    def _rows(self, tape: Tape) -> Iterator[tuple[str, list[_Cell]]]:
        yield "", self._ruler()
        if tape.loudness is not None:
            yield from self._wave("caller", tape, 0)
            yield from self._wave("agent", tape, 1)
        for lane in tape.lanes:
            spoken = tape.loudness is not None and lane.name in ("caller", "agent")
            yield ("  said" if spoken else lane.name), self._lane(lane)
        if tape.findings:
            yield "wrong", self._marks([finding.at_ms for finding in tape.findings])

    def _blank(self) -> list[_Cell]:
        return [_Cell() for _ in range(self._cells)]

    def _ruler(self) -> list[_Cell]:
        cells = self._blank()
        step_s = next((s for s in _STEPS_S if self._span_ms / 1000 / s * 9 <= self._cells), _STEPS_S[-1])
        tick = int(self._from_ms / 1000 / step_s) * step_s
        while tick * 1000 <= self._from_ms + self._span_ms:
            label = f"╷{tick // 60:.0f}:{tick % 60:02.0f}" if step_s >= 1 else f"╷{tick:.1f}"
            _write(cells, self._column(tick * 1000), label, "$dim")
            tick += step_s
        return cells

    def _wave(self, name: str, tape: Tape, side: int) -> Iterator[tuple[str, list[_Cell]]]:
        assert tape.loudness is not None
        scale = max(float(tape.loudness[:, side].max(initial=0.0)), _QUIETEST)
        to_ms = self._from_ms + self._span_ms
        heights = [
            round(loud / scale * 8 * self.tall)
            for loud in loudest(tape.loudness, side, self._from_ms, to_ms, self._cells)
        ]
        colour = "$caller" if side == 0 else "$agent"
        for row in reversed(range(self.tall)):
            signs = [_EIGHTHS[min(max(height - 8 * row, 0), 8)] for height in heights]
            yield (name if row == self.tall - 1 else ""), [_Cell(sign, colour) for sign in signs]

    def _lane(self, lane: Lane) -> list[_Cell]:
        cells = self._blank()
        for bar in lane.bars:
            first, last = self._column(bar.start_ms), max(self._column(bar.end_ms), self._column(bar.start_ms) + 1)
            if first < self._cells and last > 0:
                self._bar(cells, bar, first, last)
        return cells

    def _bar(self, cells: list[_Cell], bar: Bar, first: int, last: int) -> None:
        colour = _LOOKS.get(bar.kind) or f"$stage-{bar.kind}"
        solid = bar.kind not in _LOOKS
        for column in range(max(first, 0), min(last, self._cells)):
            cells[column] = _Cell("█" if solid else " ", colour, "" if solid else f"{colour} 30%")
        if not solid and 0 <= first < self._cells:
            cells[first].sign, cells[first].fore = "▎", colour
            room = min(last, self._cells) - first - 1
            label = bar.label if len(bar.label) <= room else bar.label[: max(room - 1, 0)] + "…" if room > 3 else ""
            _write(cells, first + 1, label, "$foreground")

    def _marks(self, moments: Sequence[float | None]) -> list[_Cell]:
        cells = self._blank()
        for number, at_ms in enumerate(moments, 1):
            if at_ms is not None:
                _write(cells, min(self._column(at_ms), self._cells - 3), f"▲{number}", "$error")
        return cells


def _write(cells: list[_Cell], at: int, text: str, colour: str) -> None:
    for place, sign in enumerate(text, at):
        if 0 <= place < len(cells):
            cells[place].sign, cells[place].fore = sign, colour


def _line(name: str, cells: list[_Cell], head: int) -> Content:
    """Cells of the same look are one piece."""
    if 0 <= head < len(cells):
        cells[head] = _Cell("┃", "$foreground", cells[head].back)
    pieces: list[tuple[str, str]] = [(f"{name:<{LABEL}}", "$dim")]
    run, look = "", ""
    for cell in cells:
        style = f"{cell.fore} on {cell.back}" if cell.back else cell.fore
        if style != look and run:
            pieces.append((run, look))
            run = ""
        run, look = run + cell.sign, style
    return Content.assemble(*pieces, (run, look))
