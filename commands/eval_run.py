"""`voicebot eval run`: make the calls of a suite, judge them, say what came of it."""

from __future__ import annotations

from pathlib import Path

import typer

from voicebot.errors import EXIT_OK

from . import eval_options as options
from .options import Json, NoColor, Project, Quiet


def run(
    suite: options.SuiteOrRun = None,
    runs: options.Runs = None,
    seed: options.Seed = None,
    scenario: options.Scenarios = None,
    persona: options.Personas = None,
    line: options.Lines = None,
    channel: options.Channel = None,
    shard: options.Part = None,
    resume: options.Resume = False,
    dry_run: options.DryRun = False,
    jobs: options.Jobs = None,
    ray: options.Ray = None,
    real_time: options.RealTime = False,
    budget: options.Cost = None,
    max_time: options.MaxTime = None,
    judge: options.Judge = None,
    compare: options.Against = None,
    fail_under: options.FailUnder = None,
    junit: options.JUnit = None,
    markdown: options.Markdown = None,
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Let simulated callers telephone the agent, and judge the calls.

    Without SUITE it is the project's only one, or 'ci', or all scenarios where there is none. Every call is kept in
    evals/runs/. Ctrl-C keeps what is done; --resume goes on.

    \b
    Examples:
      voicebot eval run
      voicebot eval run ci --runs 4 --compare baseline --junit results.xml
      voicebot eval run -k books --persona maria --seed 7
      voicebot eval run --channel phone
      voicebot eval run --resume
    """
    from voicebot import paths
    from voicebot.evals.kept.arguments import Arguments, suite_of
    from voicebot.evals.running import budget as budgets

    from . import eval_making as making
    from .eval_outcome import Asked
    from .terminal import Screen

    screen = Screen(quiet=quiet or as_json, no_color=no_color)
    root = paths.project_root(project)
    asked = Asked(compare=compare, fail_under=fail_under, junit=junit, markdown=markdown, as_json=as_json)
    means = making.Means(jobs, ray, budgets.Budget(budget, budgets.seconds_of(max_time) if max_time else None))
    if resume:
        order = making.gone_on_with(screen, root, suite)
    else:
        arguments = Arguments(
            suite=suite or suite_of(root),
            runs=runs,
            seed=seed,
            scenarios=scenario or [],
            personas=persona or [],
            lines=line or [],
            channel=channel,
            shard=shard or "",
            real_time=real_time,
            judge=judge,
        )
        order = making.new(root, arguments)
    other = asked.other_side(root, order)
    if dry_run:
        making.show_plan(screen, order, means, as_json=as_json)
        return
    made = making.make(screen, order, means)
    code = asked.report(screen, root, made, means, other)
    if code != EXIT_OK:
        raise typer.Exit(code)
