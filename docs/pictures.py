"""Draw the picture in the README again: a call made by `voicebot demo`, as `voicebot calls show` prints it.

python docs/pictures.py
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

DOCS = Path(__file__).resolve().parent
WIDTH = 112
VOICEBOT = Path(sys.executable).with_name("voicebot")

FRAME = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font: {char_height}px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; \
line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font: bold 18px system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
"""
"""Rich's own frame loads its font from the network; this one takes the reader's."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(folder, "demo", "--fast", "--quiet")
        shown = run(folder, "calls", "show", "last", "--project", "voicebot-demo")
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(shown))
    svg = console.export_svg(title="voicebot calls show last", code_format=FRAME, unique_id="demo")
    (DOCS / "demo.svg").write_text(svg)
    print("docs/demo.svg written")


def run(folder: str, *words: str) -> str:
    """The output of a voicebot command in `folder`, with the colours it has on a terminal."""
    terminal = {"FORCE_COLOR": "1", "COLORTERM": "truecolor", "TERM": "xterm-256color", "COLUMNS": str(WIDTH)}
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | terminal
    return subprocess.run([VOICEBOT, *words], cwd=folder, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main()
