"""The options that every command spells the same way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of text.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the result.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours and no live screen.")]
AgentFile = Annotated[str | None, typer.Option("--agent", "-a", metavar="AGENT", help="Agent file, or its name.")]
Project = Annotated[Path, typer.Option("--project", metavar="DIR", help="The project, when it is not this folder.")]
