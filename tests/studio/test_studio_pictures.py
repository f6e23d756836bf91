"""What the pages look like. One that has changed is looked at, and then drawn again: see tests/doubles/studio.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import ContentSwitcher

from tests.doubles.recorded_call import booking
from tests.doubles.studio import SIZES, same_picture, still, until
from voicebot.studio.agents.editor import Editor
from voicebot.studio.agents.page import Agents
from voicebot.studio.app import Studio
from voicebot.studio.talk.page import Talk

sizes = pytest.mark.parametrize("size", SIZES)


class Quiet:
    """A session in which nothing happens by itself."""

    is_on = True
    last_words = ""

    async def prepare(self) -> None: ...

    async def close(self) -> None: ...


@pytest.fixture(autouse=True)
def _pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which pages there are does not change these pictures; each room has its own."""
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")


@sizes
@pytest.mark.parametrize("light", [False, True], ids=["dark", "light"])
async def test_agents(dental: Path, size: str, light: bool) -> None:
    app = Studio(dental, light=light)
    async with app.run_test(size=SIZES[size]) as pilot:
        page = app.screen
        assert isinstance(page, Agents)
        await until(pilot, lambda: page.reading.agent is not None)
        await still(pilot)
        same_picture(app, f"agents-{'light-' if light else ''}{size}")


@sizes
async def test_agents_with_a_problem(dental: Path, size: str) -> None:
    file = dental / "agents/ava.yaml"
    file.write_text(file.read_text().replace("greeting:", "greting:").replace("stt: auto", "stt: deepgrm"))
    app = Studio(dental)
    async with app.run_test(size=SIZES[size]) as pilot:
        page = app.screen
        assert isinstance(page, Agents)
        await until(pilot, lambda: page.reading.problems)
        page.query_one(Editor).focus()
        await still(pilot)
        same_picture(app, f"agents-problem-{size}")


@sizes
async def test_nobody_is_there_yet(nothing: Path, size: str) -> None:
    app = Studio(nothing)
    async with app.run_test(size=SIZES[size]) as pilot:
        await still(pilot)
        same_picture(app, f"agents-none-{size}")


@sizes
async def test_talk_before_the_call(dental: Path, size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicebot.studio.talk.page.Session", lambda _told: _quiet(is_on=False))
    app = Studio(dental, first="talk")
    async with app.run_test(size=SIZES[size]) as pilot:
        await still(pilot)
        same_picture(app, f"talk-before-{size}")


@sizes
@pytest.mark.parametrize("light", [False, True], ids=["dark", "light"])
async def test_talk(dental: Path, size: str, light: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicebot.studio.talk.page.Session", lambda _told: _quiet(is_on=True))
    app = Studio(dental, light=light, first="talk")
    async with app.run_test(size=SIZES[size]) as pilot:
        page = app.screen
        assert isinstance(page, Talk)
        page.query_one(ContentSwitcher).current = "transcript"
        page.show_events(booking().events[:-3])
        await still(pilot)
        same_picture(app, f"talk-{'light-' if light else ''}{size}")


async def test_help(dental: Path) -> None:
    app = Studio(dental)
    async with app.run_test(size=(80, 40)) as pilot:
        page = app.screen
        assert isinstance(page, Agents)
        await until(pilot, lambda: page.reading.agent is not None)
        await pilot.press("f1")
        await still(pilot)
        same_picture(app, "help-80x40")


def _quiet(*, is_on: bool) -> Quiet:
    quiet = Quiet()
    quiet.is_on = is_on
    return quiet
