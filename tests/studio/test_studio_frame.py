"""The frame of the studio: pages, keys, help, themes, and terminals of every size."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.studio import shown, until
from voicebot.studio import screens
from voicebot.studio.app import Studio
from voicebot.studio.look.help import Help


async def test_keys_open_the_pages_and_each_keeps_its_state(dental: Path) -> None:
    async with Studio(dental).run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        assert pilot.app.current_mode == "talk"
        await pilot.press(*"hello", "escape", "1")
        assert pilot.app.current_mode == "agents"
        await pilot.press("escape", "2")
        await until(pilot, lambda: "hello" in shown(pilot.app))


async def test_digits_typed_into_a_field_are_text_and_alt_always_switches(dental: Path) -> None:
    async with Studio(dental, first="talk").run_test(size=(80, 24)) as pilot:
        await pilot.press("1")
        assert pilot.app.current_mode == "talk"
        await pilot.press("alt+1")
        assert pilot.app.current_mode == "agents"


async def test_a_click_on_a_tab_opens_it(dental: Path) -> None:
    async with Studio(dental).run_test(size=(80, 24)) as pilot:
        await pilot.click(offset=(shown(pilot.app).splitlines()[0].index("Talk") + 1, 0))
        await until(pilot, lambda: pilot.app.current_mode == "talk")


async def test_help_names_every_key_of_the_page(dental: Path) -> None:
    async with Studio(dental, first="talk").run_test(size=(100, 60)) as pilot:
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(pilot.app.screen, Help))
        told = ("type, speak, or play a recording", "find a command", "light or dark")
        await until(pilot, lambda: all(words in shown(pilot.app) for words in told))
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, Help)


async def test_light_and_dark_are_one_key_apart(dental: Path) -> None:
    async with Studio(dental).run_test(size=(80, 24)) as pilot:
        assert pilot.app.current_theme.dark
        await pilot.press("ctrl+t")
        assert not pilot.app.current_theme.dark


def test_a_page_that_is_not_there_is_in_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = screens.Entry("8", "Moon", "voicebot.studio.moon.page:Moon", "")
    monkeypatch.setattr(screens, "SCREENS", (*screens.SCREENS, missing))
    assert "Moon" not in {entry.name for entry in screens.available()}
    assert {"Agents", "Talk"} <= {entry.name for entry in screens.available()}


async def test_a_storm_of_sizes_leaves_every_page_usable(dental: Path) -> None:
    app = Studio(dental)
    async with app.run_test(size=(80, 24)) as pilot:
        for entry in app.pages:
            await app.go(entry.mode)
            for width, height in [(200, 60), (1, 1), (40, 10)]:
                await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert entry.name in shown(app).splitlines()[0]
