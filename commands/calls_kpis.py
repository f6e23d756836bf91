"""`voicebot calls kpis`: what all calls come to."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import NoColor, Project, Quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicebot.store.kpis import Figure, Kpi, Row

    from .terminal import Screen

BAR = 32
"""Characters of the longest bar of a plot."""
SHORT = ("containment", "completion", "transfer", "abandonment", "v2v_p50", "v2v_p95", "tools", "cost")
"""The columns of a table with groups, unless others are chosen; JSON and CSV have all."""


class Format(StrEnum):
    table = "table"
    json = "json"
    csv = "csv"


def kpis(
    by: Annotated[str, typer.Option("--by", metavar="NAME,...", help="A row for each agent, day, outcome, ...")] = "",
    since: Annotated[str, typer.Option("--since", metavar="WHEN", help="7d, 24h, 2w or a date.")] = "",
    where: Annotated[str, typer.Option("--where", metavar="SQL", help="Only calls of which this is true.")] = "",
    kpi: Annotated[str, typer.Option("--kpi", metavar="NAME,...", help="Only these.")] = "",
    form: Annotated[Format, typer.Option("--format", "-f", help="What to print.")] = Format.table,
    plot: Annotated[bool, typer.Option("--plot", help="Draw a bar for each row instead.")] = False,
    project: Project = Path(),
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """What all calls come to: containment, completion, transfers, silence, latency, tools, cost.

    Computed from the events of the calls, whenever asked. A figure comes with the number n of what it is taken from;
    where nothing was measured there is a dash. `voicebot sql "describe facts"` names what --where can ask for.

    \b
    Examples:
      voicebot calls kpis
      voicebot calls kpis --by agent,day --since 7d
      voicebot calls kpis --by day --kpi containment,v2v_p95 --plot
      voicebot calls kpis --where "duration_s > 30 and transport = 'twilio'" --format csv > kpis.csv
    """
    from voicebot.store import calls
    from voicebot.store import kpis as store

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    names = _names(kpi)
    question = store.Question(_names(by), names, store.since(since) if since else None, where)
    with screen.waiting("reading the calls ..."):
        rows = store.ask(calls.folder_of(project), question)
    wanted = store.chosen(names)
    if form is Format.json:
        screen.json([_as_json(row) for row in rows])
    elif form is Format.csv:
        _csv(wanted, question.by, rows)
    elif plot:
        _plot(screen, wanted, rows)
    elif question.by:
        _table(screen, [one for one in wanted if names or one.name in SHORT], question.by, rows)
    else:
        _one(screen, wanted, rows[0])


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def shown(kpi: Kpi, figure: Figure) -> str:
    """'62 %', '810 ms', '$0.0123'; a dash where nothing was measured."""
    if figure.value is None:
        return "-"
    if kpi.unit == "share":
        return f"{figure.value * 100:.0f} %" if figure.value in (0, 1) else f"{figure.value * 100:.1f} %"
    return f"{figure.value:.0f} ms" if kpi.unit == "ms" else f"${figure.value:.4f}"


def _n(kpi: Kpi, figure: Figure) -> str:
    """How much it is taken from: '1200', '7 few'; time in seconds."""
    from voicebot.store.kpis import FEW, TIME

    if kpi.of == TIME:
        return f"{figure.n / 1000:.0f} s"
    return f"{figure.n} few" if 0 < figure.n < FEW else str(figure.n)


def _one(screen: Screen, kpis: Sequence[Kpi], row: Row) -> None:
    from rich.text import Text

    rows = []
    for kpi in kpis:
        figure = row.figures[kpi.name]
        cells = [Text(kpi.name, "bold"), Text(shown(kpi, figure)), Text(_n(kpi, figure), "dim")]
        rows.append([*cells, Text(kpi.of, "dim")])
    screen.table(["kpi", "value", "n", "of"], rows, right=("value", "n"))
    screen.talk(f"{row.calls} call{'' if row.calls == 1 else 's'}", "dim")


def _table(screen: Screen, kpis: Sequence[Kpi], by: Sequence[str], rows: Sequence[Row]) -> None:
    from rich.text import Text

    cells = []
    for row in rows:
        line = [Text(row.group[name], "bold") for name in by] + [Text(str(row.calls))]
        for kpi in kpis:
            figure = row.figures[kpi.name]
            value = Text(shown(kpi, figure))
            line.append(value.append(f" n {_n(kpi, figure)}", "dim") if figure.value is not None else value)
        cells.append(line)
    headers = [*by, "calls", *(kpi.name for kpi in kpis)]
    screen.table(headers, cells, right=headers[len(by) :])
    if not rows:
        screen.talk("no such calls")


def _plot(screen: Screen, kpis: Sequence[Kpi], rows: Sequence[Row]) -> None:
    from rich.text import Text

    labels = [" ".join(row.group.values()) or "all" for row in rows]
    width = max(map(len, labels), default=0)
    for kpi in kpis:
        screen.data(Text.assemble((kpi.name, "bold"), f"  {kpi.what}"))
        figures = [row.figures[kpi.name] for row in rows]
        values = [figure.value for figure in figures if figure.value is not None]
        longest = 1.0 if kpi.unit == "share" else max(values, default=0.0)
        for label, figure in zip(labels, figures, strict=True):
            bar = Text(_bar(figure.value, longest), "agent")
            told = f" {shown(kpi, figure)}"
            screen.data(Text.assemble(f"  {label:<{width}} ", bar, told, (f"  n {_n(kpi, figure)}", "dim")))
        screen.data()


def _bar(value: float | None, longest: float) -> str:
    """In eighths of a character."""
    if not value or longest <= 0:
        return ""
    eighths = round(min(1.0, value / longest) * BAR * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _as_json(row: Row) -> dict[str, Any]:
    figures = {name: {"value": figure.value, "n": figure.n} for name, figure in row.figures.items()}
    return {**row.group, "calls": row.calls, "kpis": figures}


def _csv(kpis: Sequence[Kpi], by: Sequence[str], rows: Sequence[Row]) -> None:
    """One column a KPI and one for its n; empty where nothing was measured."""
    import csv
    import sys

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*by, "calls", *(name for kpi in kpis for name in (kpi.name, f"{kpi.name}_n"))])
    for row in rows:
        pairs = [(row.figures[kpi.name].value, row.figures[kpi.name].n) for kpi in kpis]
        cells = [cell for value, n in pairs for cell in ("" if value is None else value, n)]
        writer.writerow([*(row.group[name] for name in by), row.calls, *cells])
