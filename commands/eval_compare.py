"""`voicebot eval compare`: two runs, held against each other case by case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicebot.errors import EXIT_FAILED

from .options import Json, NoColor, Project, Quiet

if TYPE_CHECKING:
    from rich.text import Text

    from voicebot.evals.compare import Comparison, Trend

    from .terminal import Screen

Before = Annotated[str, typer.Argument(metavar="A", help="'baseline', 'last', a run's id or folder, or a file.")]
After = Annotated[str, typer.Argument(metavar="B", help="The same; what is asked is whether B is worse than A.")]


def compare(
    before: Before = "baseline",
    after: After = "last",
    noise: Annotated[
        list[str] | None, typer.Option("--noise", metavar="RUN", help="Another run of A's agent: what chance does.")
    ] = None,
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Regressed, improved, or no evidence: what has changed from A to B, and how sure that is.

    Calls are paired by scenario, persona, line and dice. Exit code 1 when B has regressed.

    \b
    Examples:
      voicebot eval compare
      voicebot eval compare 20270301-0930 last --noise 20270301-0915
    """
    from voicebot import paths
    from voicebot.evals.compare import compare as compared
    from voicebot.evals.kept import baselines

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    root = paths.project_root(project)
    second = baselines.side(after, root)
    first = baselines.side(before, root, second.meta.suite or None)
    others = [baselines.side(each, root) for each in noise or []]
    a, b, left_out = baselines.comparable(first, second)
    found = compared(a, b, noise=[baselines.comparable(other, second)[0] for other in others])
    if as_json:
        screen.json({"a": baselines.title(first), "b": baselines.title(second)} | found.model_dump())
    else:
        screen.talk(f"from {baselines.title(first)} to {baselines.title(second)}", "dim")
        if left_out:
            screen.warn(left_out)
        show(screen, found, figures=True)
    if found.verdict == "regressed":
        raise typer.Exit(EXIT_FAILED)


def show(screen: Screen, comparison: Comparison, *, figures: bool = False) -> None:
    """The verdict and what it stands on; with `figures` every figure that was compared."""
    from rich.text import Text

    from voicebot.evals.compare import table

    style = {"regressed": "bad", "improved": "good"}.get(comparison.verdict, "bold")
    screen.data(Text(comparison.says, style))
    for reason in comparison.reasons:
        sign, colour = ("\u25bc", "bad") if reason.verdict == "regressed" else ("\u25b2", "good")
        screen.data(Text.assemble(("  ", ""), (f"{sign} {reason.stage}: ", colour), reason.says))
        if reason.cases:
            screen.data(Text(f"      {table.named(reason.cases)}", "dim"))
    if figures:
        screen.data()
        headers = ["figure", "A", "B", "change", "95 %", "n", "would show", "verdict"]
        rows = [_row(trend) for trend in comparison.trends if trend.n]
        screen.table(headers, rows, right=headers[1:7])
    for text in table.left_out(comparison):
        screen.talk(text, "dim")


def _row(trend: Trend) -> list[Text]:
    from rich.text import Text

    from voicebot.evals.compare import table

    style = {"regressed": "bad", "improved": "good"}.get(trend.verdict, "dim")
    return [
        Text(trend.metric),
        Text(table.figure(trend.a, trend.unit)),
        Text(table.figure(trend.b, trend.unit)),
        Text(table.change(trend)),
        Text(table.interval(trend), "dim"),
        Text(str(trend.n)),
        Text(table.figure(trend.detectable, trend.unit), "dim"),
        Text(trend.verdict, style),
    ]
