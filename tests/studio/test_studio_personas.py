"""The personas page: who can call, how they sound, new ones, and a call of one as it happens."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.doubles.studio import shown, until
from voicebot.personas.persona import Persona
from voicebot.store import calls
from voicebot.studio.app import Studio
from voicebot.studio.calls.replay import Replay
from voicebot.studio.look import TranscriptView, Trouble
from voicebot.studio.look.ask import Choose
from voicebot.studio.look.rows import Rows
from voicebot.studio.personas.page import HowMany, Personas
from voicebot.studio.personas.people import Person

SIZE = (150, 45)


def page(app: Studio) -> Personas:
    return next(each for each in app.screen_stack if isinstance(each, Personas))


async def at(pilot: Pilot[Any], app: Studio, name: str) -> Rows[Person]:
    rows: Rows[Person] = page(app).query_one("#people", Rows)
    await until(pilot, lambda: rows.items)
    assert rows.to(name)
    return rows


async def test_everybody_is_introduced(dental: Path) -> None:
    (dental / "personas/wrong.yaml").write_text("name: Wrong\ntemprament: {}\n")
    app = Studio(dental, first="personas")
    async with app.run_test(size=SIZE) as pilot:
        rows = await at(pilot, app, "scottish")
        assert [person.name for person in rows.items if person.own][:2] == ["corrector", "human"]
        await until(pilot, lambda: "from the library" in shown(app))
        await at(pilot, app, "wrong")
        await until(pilot, lambda: "temprament" in shown(app))


async def test_a_voice_is_heard_or_it_says_why_not(dental: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from voicebot.errors import Unavailable
    from voicebot.transports import cards

    def none() -> cards.Cards:
        raise Unavailable("this machine has no loudspeaker. Plug one in.")

    monkeypatch.setattr(cards, "cards", none)
    app = Studio(dental, first="personas")
    async with app.run_test(size=SIZE) as pilot:
        await at(pilot, app, "maria")
        await pilot.press("h")
        await until(pilot, lambda: "this machine has no loudspeaker" in page(app).query_one(Trouble).sentence)
        await until(pilot, lambda: "voicebot persona try maria --out maria.wav" in " ".join(shown(app).split()))


async def test_new_callers_are_drawn_and_never_replace_others(dental: Path) -> None:
    app = Studio(dental, first="personas")
    async with app.run_test(size=SIZE) as pilot:
        await at(pilot, app, "maria")
        before = {path.name for path in (dental / "personas").glob("*.yaml")}
        for _ in range(2):
            await pilot.press("g")
            await until(pilot, lambda: isinstance(app.screen, HowMany))
            app.screen.query_one(Input).value = "many"
            await pilot.press("enter")
            await until(pilot, lambda: "A number from 1 to 100" in shown(app))
            app.screen.query_one(Input).value = "2 7"
            await pilot.press("enter")
            await until(pilot, lambda: len(list((dental / "personas").glob("*.yaml"))) == len(before) + 2)
        new = {path.name for path in (dental / "personas").glob("*.yaml")} - before
        assert all(Persona.load(dental / "personas" / name) for name in new)
        await until(pilot, lambda: page(app).person is not None and page(app).person.name + ".yaml" in new)  # type: ignore[union-attr]  # it was just looked at


async def test_one_of_the_library_plays_a_scenario_and_its_call_can_be_replayed(dental: Path) -> None:
    app = Studio(dental, first="personas")
    async with app.run_test(size=SIZE) as pilot:
        await at(pilot, app, "calm")
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, Choose) and "About what?" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: "calm calls ava" in shown(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: page(app).calling is not None)
        await until(pilot, lambda: page(app).query_one(TranscriptView).turns)
        await until(pilot, lambda: page(app).calling is None)
        assert page(app).query_one(Trouble).sentence == ""
        assert calls.find("last", dental).ended is not None
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, Replay))


async def test_a_call_is_stopped_and_one_whose_process_dies_is_told(dental: Path) -> None:
    app = Studio(dental, first="personas")
    async with app.run_test(size=SIZE) as pilot:
        here = page(app)
        for dies in (False, True):
            await at(pilot, app, "maria")
            await pilot.press("c")
            await until(pilot, lambda: isinstance(app.screen, Choose))
            await pilot.press("down", "enter")
            await until(pilot, lambda: here.calling is not None and here.calling.pid)
            assert here.calling is not None
            assert here.calling.pid
            if dies:
                os.kill(here.calling.pid, signal.SIGKILL)
                await until(pilot, lambda: "The process of the call died." in here.query_one(Trouble).sentence)
            else:
                await pilot.press("ctrl+x")
            await until(pilot, lambda: here.calling is None)
            assert dies == bool(here.query_one(Trouble).sentence)
