"""The options of `voicebot eval run`, which has many, and those that several commands of `voicebot eval` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Option

OneRun = Annotated[str, typer.Argument(metavar="RUN", help="'last', an id or its beginning, or a run's folder.")]
Against = Annotated[str | None, Option("--compare", metavar="RUN", help="Hold it against 'baseline' or a run.")]
Judge = Annotated[str | None, Option("--judge", metavar="MODEL", help="The language model that judges.")]

# -- which calls
SuiteOrRun = Annotated[str | None, typer.Argument(metavar="SUITE", help="A suite; with --resume also a run.")]
Runs = Annotated[int | None, Option("--runs", "-n", metavar="N", min=1, help="So many of every call, other dice.")]
Seed = Annotated[int | None, Option("--seed", metavar="N", min=0, help="The dice of the first of them.")]
Scenarios = Annotated[list[str] | None, Option("--scenario", "-k", metavar="NAME", help="Only scenarios like this.")]
Personas = Annotated[list[str] | None, Option("--persona", metavar="NAME", help="Only callers like this.")]
Lines = Annotated[list[str] | None, Option("--line", metavar="NAME", help="Only over lines like this.")]
Channel = Annotated[
    Literal["audio", "phone", "text"] | None, Option("--channel", help="By sound, by telephone, or typed.")
]
Part = Annotated[str | None, Option("--shard", metavar="I/N", help="Only this part of the suite: 1/4 ... 4/4.")]
Resume = Annotated[bool, Option("--resume", help="Go on with the last run, or with the one that is named.")]
DryRun = Annotated[bool, Option("--dry-run", help="Show which calls would be made, and how long it takes.")]

# -- how they are made
Jobs = Annotated[int | None, Option("--jobs", "-j", metavar="N", min=1, help="Calls at a time; else one a core.")]
Ray = Annotated[str | None, Option("--ray", metavar="ADDRESS", help="On a Ray cluster; 'local' starts one here.")]
RealTime = Annotated[bool, Option("--real-time", help="Do not skip the time in which everybody only waits.")]
Cost = Annotated[float | None, Option("--budget", metavar="USD", min=0, help="Begin no call beyond this cost.")]
MaxTime = Annotated[str | None, Option("--max-time", metavar="TIME", help="Begin no call after 90s, 10m, 1h.")]

# -- what follows
FailUnder = Annotated[
    float | None, Option("--fail-under", metavar="RATE", min=0, max=1, help="Fail when fewer have passed: 0.95.")
]
JUnit = Annotated[Path | None, Option("--junit", metavar="FILE", help="Write JUnit XML.")]
Markdown = Annotated[Path | None, Option("--markdown", metavar="FILE", help="Write a summary in markdown.")]
