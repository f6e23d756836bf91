"""`--help` in colour without the start-up time of Rich: headings bold, names cyan."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from typer.core import TyperCommand, TyperGroup

_HEADING = re.compile(r"^( *)(Usage|Options|Arguments|Commands|Examples?):", re.MULTILINE)
_NAME = re.compile(r"^(  )(-\S.*?|[a-z][\w-]*|\[?[A-Z][A-Z_.]*\]?)(?=  |$)", re.MULTILINE)
_EXAMPLE = re.compile(r"^(    )(voicebot .*?|printf .*?)(?=  +#|$)", re.MULTILINE)


def coloured(text: str) -> str:
    """A help page with ANSI colours; as it is when stdout is no terminal or NO_COLOR is set."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    text = _HEADING.sub("\\1\x1b[1m\\2:\x1b[0m", text)
    text = _EXAMPLE.sub("\\1\x1b[32m\\2\x1b[0m", text)
    return _NAME.sub("\\1\x1b[36m\\2\x1b[0m", text)


class Command(TyperCommand):
    def get_help(self, ctx: Any) -> str:
        return coloured(super().get_help(ctx))


class Group(TyperGroup):
    def get_help(self, ctx: Any) -> str:
        return coloured(super().get_help(ctx))
