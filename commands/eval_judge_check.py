"""`voicebot eval judge-check`: how far a judge can be believed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .eval_options import Judge
from .options import Json, NoColor, Project, Quiet

if TYPE_CHECKING:
    from voicebot.evals.judge_check import Agreement

    from .terminal import Screen


def judge_check(
    labels: Annotated[Path, typer.Argument(metavar="FILE", help="YAML or CSV: call, claim, label (true or false).")],
    judge: Judge = None,
    base_url: Annotated[
        str | None, typer.Option("--base-url", metavar="URL", help="Where the model is served.")
    ] = None,
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Let a language model rule on claims that people have ruled on already, and show where they differ.

    \b
    Example:
      voicebot eval judge-check labels.csv --judge openai/gpt-4.1
    """
    import asyncio

    from voicebot import paths
    from voicebot.evals import judge_check as checking

    from .terminal import Screen

    screen = Screen(quiet=quiet or as_json, no_color=no_color)
    claims = checking.read(labels)
    with screen.waiting(f"asking the judge about {len(claims)} claims"):
        checked = checking.check(claims, paths.project_root(project), model=judge, base_url=base_url)
        agreement = asyncio.run(checked)
    if as_json:
        screen.json(_facts(agreement))
    else:
        _show(screen, agreement)


def _facts(agreement: Agreement) -> dict[str, Any]:
    return {
        "n": agreement.n,
        "accuracy": agreement.accuracy.value,
        "kappa": agreement.kappa,
        "true_true": agreement.true_true,
        "true_false": agreement.true_false,
        "false_true": agreement.false_true,
        "false_false": agreement.false_false,
        "disagreements": [
            each.label.model_dump() | {"says": each.says, "quote": each.quote} for each in agreement.disagreements
        ],
        "unanswered": [label.model_dump() | {"why": why} for label, why in agreement.unanswered],
    }


def _show(screen: Screen, agreement: Agreement) -> None:
    from rich.text import Text

    rate, kappa = agreement.accuracy, agreement.kappa
    few = ", few" if rate.few else ""
    share = (
        "nothing was ruled on" if rate.value is None else f"agrees in {rate.hits} of {rate.n} ({rate.value:.0%}{few})"
    )
    beyond = "cannot be computed: all labels and rulings are the same" if kappa is None else f"{kappa:.2f}"
    screen.data(Text.assemble((share, "bold"), f", Cohen's kappa {beyond}"))
    rows = [
        [Text("true"), Text(str(agreement.true_true)), Text(str(agreement.true_false))],
        [Text("false"), Text(str(agreement.false_true)), Text(str(agreement.false_false))],
    ]
    headers = ["people say", "judge: true", "judge: false"]
    screen.table(headers, rows, right=headers[1:])
    for each in agreement.disagreements:
        said = "true" if each.label.label else "false"
        screen.data(Text.assemble((each.label.call, "bold"), f"  {each.label.claim}  people say {said}; {each.says}"))
    for label, why in agreement.unanswered:
        screen.data(Text.assemble(("no ruling: ", "poor"), (label.call, "bold"), f"  {label.claim}  {why}"))
