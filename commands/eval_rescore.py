"""`voicebot eval rescore`: judge the calls of a run again, without calling anybody."""

from __future__ import annotations

from pathlib import Path

from .eval_options import Judge, OneRun
from .options import Json, NoColor, Project, Quiet


def rescore(
    run: OneRun = "last",
    judge: Judge = None,
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Judge the calls of a run again with the checks and metrics as they are now. Nobody is called.

    The new results are added to the run's file; the latest of a call counts.

    \b
    Example:
      voicebot eval rescore last
    """
    from rich.text import Text

    from voicebot import paths
    from voicebot.evals.kept import runs
    from voicebot.evals.running import rescoring

    from . import eval_summary
    from .terminal import Screen

    screen = Screen(quiet=quiet or as_json, no_color=no_color)
    root = paths.project_root(project)
    found = runs.find(run, root)
    with screen.waiting("judging again"):
        flipped = [each for each in rescoring.rescore(found, root, judge) if each.flipped]
    if as_json:
        flips = [{"case": each.after.case.id, "was": each.before.verdict, "is": each.after.verdict} for each in flipped]
        screen.json(eval_summary.facts(found) | {"flipped": flips})
        return
    for each in flipped:
        screen.data(Text(f"{each.after.case.id}: was {each.before.verdict}, is {each.after.verdict}"))
    eval_summary.show(screen, found)
