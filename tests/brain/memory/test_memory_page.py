"""docs/memory.md shows what the code does."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from voicebot.agent import Brain
from voicebot.brain.memory import CONTEXT, window

PAGE = (Path(__file__).parents[3] / "docs" / "memory.md").read_text()


def test_the_example_prints_what_the_page_shows():
    code, shown = re.findall(r"^```(?:python)?\n(.*?)^```", PAGE, flags=re.M | re.S)[:2]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    assert printed.getvalue() == shown


def test_its_numbers_are_those_of_the_code():
    assert Brain().context == CONTEXT
    assert f"context: {CONTEXT} " in PAGE
    assert f"the last {window.VERBATIM_TURNS} turns" in PAGE
    assert window.NEAR == 0.75
    assert "**At three quarters**" in PAGE
    assert window.NOTE == 0.3
    assert "The note takes at most 30 %" in PAGE
