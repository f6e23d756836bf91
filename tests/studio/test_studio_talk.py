"""The talk page with a real engine in its own process: typing, interrupting, going back, and an engine that dies."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from tests.doubles.recorded_call import booking
from tests.doubles.studio import shown, until
from voicebot.studio.app import Studio
from voicebot.studio.look import TranscriptView, Trouble
from voicebot.studio.look.ask import Ask
from voicebot.studio.look.script import Row
from voicebot.studio.talk.page import Talk


def page(app: Studio) -> Talk:
    return next(each for each in app.screen_stack if isinstance(each, Talk))


def rows(app: Studio, who: str) -> list[Row]:
    return [row for row in page(app).query_one(TranscriptView).script.rows if row.who == who]


def said(app: Studio) -> list[str]:
    """What the agent has said, as far as it is over."""
    return [row.text for row in rows(app, "agent") if not row.going_on]


@asynccontextmanager
async def talking(project: Path, size: tuple[int, int] = (120, 40)) -> AsyncIterator[tuple[Pilot[None], Studio]]:
    """A call that has been greeted."""
    app = Studio(project, first="talk")
    async with app.run_test(size=size) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: said(app))
        yield pilot, app


async def say(pilot: Pilot[None], app: Studio, text: str) -> str:
    """Returns the answer."""
    before = len(said(app))
    page(app).query_one("#say", Input).focus()
    await pilot.press(*text, "enter")
    await until(pilot, lambda: len(said(app)) > before)
    return said(app)[-1]


async def test_a_typed_talk_shows_words_step_slots_tools_and_times(dental: Path) -> None:
    async with talking(dental) as (pilot, app):
        assert "this is Ava" in said(app)[0]
        await say(pilot, app, "I need a cleaning")
        await say(pilot, app, "on Tuesday")
        await until(pilot, lambda: page(app).now.falls)
        text = shown(app)
        for words in ("Bright Smile Dental", "I need a cleaning", "p95", "treatment", "Where the time goes"):
            assert words in text, text
        assert rows(app, "tool"), text
        await pilot.press("escape", "h")
        await until(pilot, lambda: rows(app, "note"))
        await until(pilot, lambda: "recorded in" in shown(app))
    kept = sorted((dental / "calls").iterdir())
    assert "caller_hung_up" in (kept[-1] / "events.jsonl").read_text()


async def test_a_turn_said_differently_goes_on_from_there(dental: Path) -> None:
    """The agent forgets what came after the turn, and remembers what came before it."""
    async with talking(dental) as (pilot, app):
        await say(pilot, app, "I need a cleaning")
        await say(pilot, app, "on Tuesday")
        assert page(app).now.slots.get("day")
        await pilot.press("up", "f")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        app.screen.query_one(Input).value = "on Wednesday please"
        await pilot.press("enter")
        await until(pilot, lambda: any("Wednesday" in row.text for row in rows(app, "caller") if row.turn > 0))
        await until(pilot, lambda: page(app).now.slots.get("day"))
        slots = page(app).now.slots
        assert "cleaning" in str(slots), slots
        assert "Tuesday" not in "".join(row.text for row in rows(app, "caller"))
        assert "How can I help" not in "".join(said(app)[1:])


async def test_an_edited_agent_answers_the_next_turn(dental: Path) -> None:
    """It still knows what was said before, and asks in its new words."""
    async with talking(dental) as (pilot, app):
        asked = await say(pilot, app, "I need a cleaning")
        assert "Which day would suit you?" in asked
        file = dental / "agents/ava.yaml"
        file.write_text(file.read_text().replace("What time would you like?", "And the hour, my dear?"))
        await pilot.press("escape", "l")
        await until(pilot, lambda: page(app).session.is_on and page(app).now.told)
        answer = await say(pilot, app, "on Tuesday")
        assert "my dear" in answer, (answer, page(app).now.slots)
        assert page(app).now.slots["treatment"] == "cleaning"


async def test_an_engine_that_dies_leaves_the_studio_usable_and_says_how(dental: Path) -> None:
    async with talking(dental) as (pilot, app):
        line = page(app).session._line
        assert line
        os.kill(line.pid, signal.SIGKILL)
        await until(pilot, lambda: "ended by SIGKILL" in page(app).query_one(Trouble).sentence)
        await until(pilot, lambda: "r calls again" in shown(app))
        await pilot.press("escape", "r")
        await until(pilot, lambda: said(app))


async def test_an_agent_that_cannot_answer_is_told_with_its_line(dental: Path) -> None:
    (dental / "agents/ava.yaml").write_text("name: Ava\nflow: 3\n")
    app = Studio(dental, first="talk")
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: page(app).query_one(Trouble).sentence)
        await until(pilot, lambda: "agents/ava.yaml:2:7" in shown(app))


async def test_the_transcript_follows_a_recorded_call_to_the_word(dental: Path) -> None:
    """Every kind of row there is, from a call that was recorded."""
    app = Studio(dental, first="talk")
    async with app.run_test(size=(120, 50)) as pilot:
        transcript = page(app).query_one(TranscriptView)
        transcript.load(booking().events)
        await pilot.pause()
        assert [row.text for row in transcript.script.rows if row.cut] == ["On Tuesday I have nine thirty,"]
        assert any(row.lost.startswith("ten fifteen") for row in transcript.script.rows)
        assert transcript.turns == [1, 2, 3, 4]
        assert all(row.fall for row in transcript.script.rows if row.who == "agent" and row.turn > 0)
        transcript.at(booking().events[-1].t_ms)


async def test_no_agent_says_where_to_make_one(nothing: Path) -> None:
    app = Studio(nothing, first="talk")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "make an agent first" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: "There is no agent to talk to." in shown(app))
