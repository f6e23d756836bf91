"""The screen as an SVG picture that takes nothing from the network, and is the same whenever the screen is."""

from __future__ import annotations

import re
from typing import Any

from textual.app import App

_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_FONT = 'ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace'
_ID = re.compile(r"terminal-\d+")


def picture(app: App[Any], title: str = "") -> str:
    """What is on the screen now; `title` stands in the frame of the window."""
    drawn = _FONT_FACE.sub("", app.export_screenshot(title=title, simplify=True))
    drawn = drawn.replace("Fira Code, monospace", _FONT).replace("Fira Code", _FONT)
    lines = (line.strip() for line in _ID.sub("screen", drawn).splitlines())
    return "\n".join(line for line in lines if line) + "\n"
