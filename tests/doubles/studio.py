"""The studio in a test: waiting for what it shows, and pictures of it that are compared with those in the repository.

VOICEBOT_PICTURES=new pytest tests/studio        # draws them again: look at them before you commit
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from tests.doubles.terminal import Terminal
from voicebot.studio.look.picture import picture

PICTURES = Path(__file__).parents[1] / "studio" / "pictures"
STILL_S = 0.4
SIZES = {"80x24": (80, 24), "200x60": (200, 60)}


async def until(pilot: Pilot[Any], true: Callable[[], object], seconds: float = 60.0) -> None:
    """Let the studio go on until this is true."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, f"not so after {seconds:.0f} s: {shown(pilot.app)}"
        await pilot.pause(0.02)


def shown(app: App[Any]) -> str:
    """The screen as text."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


def same_picture(app: App[Any], name: str) -> None:
    """The screen looks as it did when somebody last looked at it: pictures/<name>.svg."""
    path = PICTURES / f"{name}.svg"
    drawn = picture(app, "voicebot studio")
    if os.environ.get("VOICEBOT_PICTURES") == "new":
        path.parent.mkdir(exist_ok=True)
        path.write_text(drawn, encoding="utf-8")
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    assert drawn == kept, (
        f"{path.name} has changed; draw it again with VOICEBOT_PICTURES=new and look at it\n{shown(app)}"
    )


async def still(pilot: Pilot[Any]) -> None:
    """Nothing blinks, and everything that was under way is on the screen."""
    for field in [*pilot.app.screen.query(Input), *pilot.app.screen.query(TextArea)]:
        field.cursor_blink = False
    await pilot.app.workers.wait_for_complete()
    if pilot.app.screen.query("Footer"):
        await until(pilot, lambda: shown(pilot.app).splitlines()[-1].strip())
    before, since = "", time.monotonic()
    while time.monotonic() - since < STILL_S:  # longer than a page waits before it draws itself again
        await pilot.pause(0.05)
        if (now := picture(pilot.app, "")) != before:
            before, since = now, time.monotonic()


def talk_to_a_new_agent(terminal: Terminal, text: str) -> None:
    """In an empty project: an agent is made of a template and called; it answers, its times are there, and one hangs
    up."""
    terminal.sees("No agents in this project yet")
    terminal.press("n")
    terminal.sees("What shall it be like")
    terminal.press("Home", "Down", "Enter")
    terminal.sees("What is its file called")
    terminal.type("ava")
    terminal.press("Enter")
    terminal.sees("all is well")
    terminal.press("C-r")
    terminal.sees("agent +Bright Smile")
    terminal.type(text)
    terminal.press("Enter")
    terminal.sees(r"n 1 +p50 \d+ ms")
    terminal.press("C-n")
    terminal.sees("call ended: caller hung up")
