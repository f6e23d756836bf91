"""Drawing where the time of a reply went: one bar a turn, one table a call, one cascade for a closer look."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from voicebot.latency import STAGES, Kind, Percentiles, Stage, StageName, Waterfall, percentiles, v2v_ms

MS_PER_CELL = 25
GOOD_MS, POOR_MS = 1000, 2000


def grade(v2v: float) -> str:
    """The theme's style for a voice-to-voice latency: people notice from about a second on."""
    if v2v < 0 or v2v >= POOR_MS:
        return "bad"
    return "good" if v2v < GOOD_MS else "poor"


def plain(fall: Waterfall) -> str:
    """'v2v 364 ms = silence 200 + stt 95 + ...': the parts add up to the whole."""
    if fall.v2v_ms is None:
        return "not answered"
    if fall.v2v_ms < 0:
        return f"v2v {fall.v2v_ms:.0f} ms: the agent began before the caller had finished"
    parts = " + ".join(f"{stage.name} {ms}" for stage, ms in fall.rounded() if ms)
    return f"v2v {fall.v2v_ms:.0f} ms = {parts or '0'}{_filler(fall)}"


def _filler(fall: Waterfall) -> str:
    return "" if fall.filler_ms is None else f"  (a filler after {fall.filler_ms:.0f})"


def line(fall: Waterfall, width: int) -> Text:
    """One turn in one line: a bar to scale, the latency, and its stages in the bar's colours."""
    if fall.v2v_ms is None or fall.v2v_ms < 0:
        return Text(plain(fall), style="bad")
    text = Text(no_wrap=True, overflow="ellipsis")
    numbers = _numbers(fall)
    if (room := width - numbers.cell_len - 1) >= 8:
        drawn = bar(fall, MS_PER_CELL)
        if drawn.cell_len > room:
            drawn.truncate(room - 1)
            drawn.append("»", "dim")
        text.append_text(drawn).append(" ")
    return text.append_text(numbers)


def _numbers(fall: Waterfall) -> Text:
    assert fall.v2v_ms is not None
    text = Text.assemble((f"{fall.v2v_ms:.0f} ms", f"bold {grade(fall.v2v_ms)}"))
    for stage, ms in fall.rounded():
        if ms:
            text.append(f"  {stage.name} ", "dim").append(str(ms), _style(stage))
    return text.append(_filler(fall), "dim")


def bar(fall: Waterfall, ms_per_cell: float) -> Text:
    """Stages side by side, half a cell exact."""
    half = ms_per_cell / 2
    owners = [
        stage
        for stage in fall.stages
        for _ in range(round((stage.start_ms + stage.duration_ms) / half) - round(stage.start_ms / half))
    ]
    text = Text()
    for left, right in zip(owners[::2], [*owners[1::2], None][: len(owners[::2])], strict=True):
        if right is None:
            text.append("▌", _style(left))
        elif left is right:
            text.append("█", _style(left))
        else:
            text.append("▌", f"{_style(left)} on {_style(right)}")
    return text


def _style(stage: Stage) -> str:
    return "grey50" if stage.kind == "waiting" else _COLOURS[stage.name]


_COLOURS = {
    "silence": "grey50",
    "stt": "green3",
    "turn": "dark_orange",
    "brain": "magenta",
    "clause": "medium_purple1",
    "voice": "deep_sky_blue1",
    "playback": "gold3",
}


def report(falls: Sequence[Waterfall], console: Console) -> RenderableType:
    """What a call's latency was: a drawn table on a terminal, one line in a pipe."""
    figures = percentiles(v2v_ms(falls))
    if figures is None:
        return Text("no caller turn was answered", style="note")
    return _table(falls, figures, console) if console.is_terminal else summary(falls, figures)


def _table(falls: Sequence[Waterfall], figures: Percentiles, console: Console) -> RenderableType:
    """All turns of a call to one scale, with each stage in its column, and the percentiles beneath."""
    answered = [fall for fall in falls if fall.stages]
    used = [name for name in STAGES if any(stage.name == name for fall in answered for stage in fall.stages)]
    room = console.width - 14 - sum(max(len(name), 4) + 2 for name in used)
    cells = max(min(room, 40), 0)
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for header in ("turn", "v2v"):
        grid.add_column(header, justify="right")
    if cells >= 8:
        grid.add_column("", width=cells)
    for name in used:
        grid.add_column(Text(name, style=f"{_COLOURS[name]}"), justify="right")
    for fall in falls:
        grid.add_row(*_row(fall, used, cells, figures.worst))
    return Group(grid, Text(), summary(falls, figures))


def _row(fall: Waterfall, used: Sequence[StageName], cells: int, worst: float) -> list[RenderableType]:
    row: list[RenderableType] = [Text(str(fall.turn), style="dim")]
    if fall.v2v_ms is None or fall.v2v_ms < 0:
        said = "-" if fall.v2v_ms is None else f"{fall.v2v_ms:.0f}"
        missing: list[RenderableType] = [Text("not answered" if fall.v2v_ms is None else "too early", style="bad")]
        return [*row, Text(said, style="bad"), *(missing if cells >= 8 else []), *(Text("") for _ in used)]
    row.append(Text(f"{fall.v2v_ms:.0f}", style=f"bold {grade(fall.v2v_ms)}"))
    if cells >= 8:
        row.append(bar(fall, max(worst, 1) / cells))
    parts = {stage.name: Text(str(ms), style=_style(stage)) for stage, ms in fall.rounded()}
    return [*row, *(parts.get(name) or Text("·", style="dim") for name in used)]


def summary(falls: Sequence[Waterfall], figures: Percentiles) -> Text:
    """'n 4 · p50 364 ms · p95 617 ms' and who is answerable for it on average."""
    answered = [fall for fall in falls if fall.stages]
    text = Text.assemble(
        ("voice to voice  ", "dim"), f"n {figures.n} of {len(falls)} turns  ", ("p50 ", "dim"),
        (f"{figures.p50:.0f} ms", f"bold {grade(figures.p50)}"), ("  p95 ", "dim"),
        (f"{figures.p95:.0f} ms", f"bold {grade(figures.p95)}"),
    )  # fmt: skip
    if answered:
        text.append("  mean ", "dim").append(
            " + ".join(f"{words} {_mean(kind, answered):.0f}" for kind, words in _KINDS)
        )
    return text


_KINDS: tuple[tuple[Kind, str], ...] = (
    ("waiting", "configured wait"),
    ("provider", "providers"),
    ("engine", "engine"),
)


def _mean(kind: Kind, falls: Sequence[Waterfall]) -> float:
    return sum(fall.spent_ms(kind) for fall in falls) / len(falls)


def cascade(fall: Waterfall, console: Console) -> RenderableType:
    """One turn as a true waterfall: each stage on its own line, where it began."""
    if not fall.stages or not fall.v2v_ms:
        return Text(plain(fall), style="bad")
    cells = max(min(console.width - 30, 80), 10)
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", width=9)
    grid.add_column(width=cells, no_wrap=True)
    grid.add_column(justify="right")
    grid.add_column(style="dim")
    for stage, ms in fall.rounded():
        begin = round(stage.start_ms / fall.v2v_ms * cells)
        end = max(round((stage.start_ms + stage.duration_ms) / fall.v2v_ms * cells), begin + (ms > 0))
        drawn = Text(" " * min(begin, cells - 1)).append("█" * (end - begin), _style(stage))
        grid.add_row(stage.name, drawn, f"{ms} ms", stage.kind)
    grid.add_row(Text("v2v", style="bold"), "", Text(f"{fall.v2v_ms:.0f} ms", style=f"bold {grade(fall.v2v_ms)}"), "")
    return grid
