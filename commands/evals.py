"""`voicebot eval`: simulated callers telephone the agent, and a verdict comes of it. One file a command."""

from __future__ import annotations

import typer

from .eval_baseline import app as baseline
from .eval_compare import compare
from .eval_from_call import from_call
from .eval_judge_check import judge_check
from .eval_list import list_, show
from .eval_merge import merge
from .eval_report import report
from .eval_rescore import rescore
from .eval_run import run
from .eval_sql import sql
from .help import Command, Group

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Simulated callers telephone your agent; the verdict is one that CI can stand on.

    \b
    Examples:
      voicebot eval run                        # the project's suite, on all cores
      voicebot eval run ci --runs 4 --compare baseline
      voicebot eval report last                # one HTML file: hear what failed
      voicebot eval compare baseline last

    Exit codes: 0 good, 1 failed or regressed, 2 bad input, 3 something needed is not there, 130 interrupted.
    """,
)
app.command("run", cls=Command)(run)
app.command("compare", cls=Command)(compare)
app.command("report", cls=Command)(report)
app.command("list", cls=Command)(list_)
app.command("show", cls=Command)(show)
app.command("rescore", cls=Command)(rescore)
app.command("merge", cls=Command)(merge)
app.command("from-call", cls=Command)(from_call)
app.command("judge-check", cls=Command)(judge_check)
app.command("sql", cls=Command)(sql)
app.add_typer(baseline, name="baseline")
