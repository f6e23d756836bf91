"""Draw the pictures of the studio again: a call made by `voicebot demo`, on the pages of the studio.

python docs/studio_pictures.py
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from pictures import DOCS, run
from textual.pilot import Pilot
from textual.widgets import ContentSwitcher, Input

from voicebot.store import calls
from voicebot.studio.app import Studio
from voicebot.studio.calls.replay import Replay
from voicebot.studio.look.picture import picture
from voicebot.studio.talk.page import Talk

SUITE = ("ci", "-k", "books", "-k", "moves", "-k", "cancels")
"""What is run for the picture of a suite: enough to see something."""


async def talk(root: Path, name: str, size: tuple[int, int], *, light: bool = False) -> None:
    """The talk page as it was before the last turn of the demo's call."""
    app = Studio(root, light=light, first="talk")
    async with app.run_test(size=size) as pilot:
        page = app.screen
        assert isinstance(page, Talk)
        page.query_one(ContentSwitcher).current = "transcript"
        happened = calls.find("last", root).events
        page.show_events([event for event in happened if event.turn < happened[-1].turn])
        await _kept(pilot, name)


async def agents(root: Path, name: str, size: tuple[int, int]) -> None:
    """The agents page, with two mistakes in the file."""
    file = root / "agents" / "ava.yaml"
    good = file.read_text(encoding="utf-8")
    file.write_text(good.replace("greeting:", "greting:").replace("stt: auto", "stt: deepgrm"), encoding="utf-8")
    app = Studio(root, first="agents")
    async with app.run_test(size=size) as pilot:
        await _kept(pilot, name)
    file.write_text(good, encoding="utf-8")


async def replay(root: Path, name: str, size: tuple[int, int]) -> None:
    """The call of the demo, replayed from the middle on."""
    app = Studio(root, first="calls")
    async with app.run_test(size=size) as pilot:
        record = calls.find("last", root)
        await app.push_screen(Replay(root, [record.folder], record.duration_ms / 2))
        await _kept(pilot, name)


async def evals(root: Path, name: str, size: tuple[int, int]) -> None:
    """The suite of the demo, as its last run left it."""
    app = Studio(root, first="evals")
    async with app.run_test(size=size) as pilot:
        await pilot.pause(1.5)
        await pilot.press("n")
        await _kept(pilot, name)


async def _kept(pilot: Pilot[None], name: str) -> None:
    for field in pilot.app.screen.query(Input):
        field.cursor_blink = False
    await pilot.pause(1.5)
    (DOCS / f"{name}.svg").write_text(picture(pilot.app, "voicebot studio"), encoding="utf-8")
    print(f"docs/{name}.svg written")


async def draw(root: Path) -> None:
    os.chdir(root)
    await talk(root, "studio-talk", (130, 36))
    await talk(root, "studio-talk-small", (80, 24), light=True)
    await agents(root, "studio-agents", (100, 30))
    await replay(root, "studio-replay", (160, 44))
    await evals(root, "studio-evals", (120, 30))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(folder, "demo", "--fast", "--quiet")
        run(str(Path(folder) / "voicebot-demo"), "eval", "run", *SUITE, "--quiet")
        asyncio.run(draw(Path(folder) / "voicebot-demo"))
        os.chdir(DOCS)


if __name__ == "__main__":
    main()
