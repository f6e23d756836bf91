"""The calls page: finding a call, replaying it, two beside each other, and a test made of one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.doubles.judged_run import JudgedRun, wrong
from tests.doubles.recorded_call import RecordedCall
from tests.doubles.studio import shown, until
from voicebot.evals.kept import runs
from voicebot.studio.app import Studio
from voicebot.studio.calls import query
from voicebot.studio.calls.chart import Chart
from voicebot.studio.calls.deck import Deck
from voicebot.studio.calls.page import Calls
from voicebot.studio.calls.player import Player
from voicebot.studio.calls.replay import Replay
from voicebot.studio.calls.shelf import Card
from voicebot.studio.look import Request, TranscriptView, Trouble
from voicebot.studio.look.rows import Rows

SIZE = (160, 45)


@pytest.fixture
def three(dental: Path) -> Path:
    """Besides the booking: a call about prices that failed, and one that stopped in mid-sentence."""
    prices = RecordedCall("20261123-090000-aa01", agent="Ben", caller="omar", started_at="2026-11-23T09:00:00+00:00")
    prices.greets("Hello?").turn("how much is a filling", "A filling is ninety dollars.").ended("failed")
    prices.write(dental / "calls")
    cut = RecordedCall("20261123-100000-aa02", started_at="2026-11-23T10:00:00+00:00", pid=0).greets("Hello?")
    folder = cut.turn("hello there", "Good morning.").write(dental / "calls", audio=False)
    log = folder / "events.jsonl"
    log.write_bytes(log.read_bytes()[:-20])
    return dental


def page(app: Studio) -> Calls:
    return next(each for each in app.screen_stack if isinstance(each, Calls))


def listed(app: Studio) -> list[str]:
    rows: Rows[Card] = page(app).query_one("#list", Rows)
    return [card.call for card in rows.items]


async def found(pilot: Pilot[Any], app: Studio, text: str, calls: list[str]) -> None:
    page(app).query_one("#find", Input).value = text
    await until(pilot, lambda: listed(app) == calls)


async def replay(pilot: Pilot[Any], app: Studio) -> Deck:
    await until(pilot, lambda: isinstance(app.screen, Replay) and app.screen.query(Deck))
    deck = app.screen.query(Deck).first()
    await until(pilot, lambda: deck.tape is not None)
    return deck


async def test_the_latest_call_comes_first_and_is_seen_at_a_glance(three: Path) -> None:
    app = Studio(three, first="calls")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: page(app).searchable)
        assert listed(app) == ["20261123-100000-aa02", "20261123-090000-aa01", "20261122-101500-ab12"]
        await pilot.press("down")
        await until(pilot, lambda: "how much is a filling" in shown(app))
        await until(pilot, lambda: "3 calls" in shown(app))


async def test_words_and_keys_find_calls(three: Path) -> None:
    app = Studio(three, first="calls")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: page(app).searchable)
        await found(pilot, app, "NINETY dollars", ["20261123-090000-aa01"])
        await until(pilot, lambda: "A filling is ninety dollars." in shown(app))
        await found(pilot, app, "agent:ben end:failed", ["20261123-090000-aa01"])
        await found(pilot, app, "on:2026-11-22", ["20261122-101500-ab12"])
        await found(pilot, app, "hello nobody-says-this", [])
        page(app).query_one("#find", Input).value = "agnt:ben"
        await until(pilot, lambda: "calls have no 'agnt:'" in page(app).query_one(Trouble).sentence)
        await found(pilot, app, "", ["20261123-100000-aa02", "20261123-090000-aa01", "20261122-101500-ab12"])
        assert not page(app).query_one(Trouble).sentence


def test_a_key_without_a_value_says_nothing_yet() -> None:
    assert query.parse("tuesday agent:") == query.Query(("tuesday",), {})


async def test_the_playhead_runs_through_picture_and_words(three: Path) -> None:
    app = Studio(three, first="calls")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        page(app).receive(Request(three / "calls/20261122-101500-ab12"))
        deck = await replay(pilot, app)
        await pilot.press("n")
        assert deck.tape is not None
        assert deck.at_ms == pytest.approx(deck.tape.turns_ms[0])
        await until(pilot, lambda: deck.query_one(Chart).at_ms == deck.at_ms)
        chosen = list(deck.query_one(TranscriptView).query(".-chosen"))
        assert [line.row.who for line in chosen] == ["caller"]  # type: ignore[attr-defined]  # each is a line of this table
        await pilot.press("space")
        began = deck.at_ms
        await until(pilot, lambda: deck.at_ms > began + 100)
        await pilot.press("space")
        paused = deck.at_ms
        await pilot.pause(0.1)
        assert deck.at_ms == paused
        await pilot.click(Chart, offset=(80, 3))
        await until(pilot, lambda: deck.at_ms > paused + 1000)
        await pilot.press("plus", "plus", "escape")
        await until(pilot, lambda: isinstance(app.screen, Calls))


async def test_two_calls_are_replayed_beside_each_other(three: Path) -> None:
    app = Studio(three, first="calls")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: page(app).searchable)
        page(app).query_one("#list").focus()
        await pilot.press("down", "m", "down", "b")
        await replay(pilot, app)
        decks = list(app.screen.query(Deck))
        await until(pilot, lambda: all(deck.tape for deck in decks))
        assert [deck.folder.name for deck in decks] == ["20261123-090000-aa01", "20261122-101500-ab12"]
        assert decks[0].region.y == decks[1].region.y
        await pilot.press("tab", "n")
        assert sorted(deck.at_ms > 0 for deck in decks) == [False, True]


async def test_one_key_turns_a_call_into_a_test_that_can_be_run(dental: Path) -> None:
    app = Studio(dental, first="calls")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: page(app).searchable)
        await pilot.press("t")
        await until(pilot, lambda: "Make a test of this call" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "evals")
        assert (dental / "evals/call-20261122-101500-ab12.yaml").is_file()
        await until(pilot, lambda: "call-20261122-101500-ab12" in shown(app))


async def test_a_call_without_an_end_makes_no_test_and_says_why(three: Path) -> None:
    app = Studio(three, first="calls")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: page(app).searchable)
        await pilot.press("t")
        await until(pilot, lambda: "Make a test of this call" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: "has no end (cut off (process died))" in shown(app))


async def test_a_call_of_a_suite_shows_what_its_checks_found_and_where(dental: Path) -> None:
    run = JudgedRun(dental).call("books", "maria", failed=[wrong(at_ms=9000.0)]).done()
    app = Studio(dental, first="calls")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        page(app).receive(Request(run.folder / run.results()[0].call, at_ms=4000.0))
        deck = await replay(pilot, app)
        assert deck.at_ms == 4000.0
        await until(pilot, lambda: "no appointment for Maria" in shown(app))
        await pilot.press("f")
        assert deck.at_ms == 7000.0
        assert runs.newest_first(dental)


async def test_a_vanished_call_leaves_the_page_usable(three: Path) -> None:
    app = Studio(three, first="calls")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: page(app).searchable)
        shutil.rmtree(three / "calls/20261123-100000-aa02")
        await pilot.press("enter")
        await until(pilot, lambda: "no events.jsonl here" in " ".join(shown(app).split()))
        await pilot.press("space", "n", "plus", "escape")
        await until(pilot, lambda: listed(app) == ["20261123-090000-aa01", "20261122-101500-ab12"])


async def test_new_calls_appear_by_themselves(dental: Path) -> None:
    app = Studio(dental, first="calls")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: page(app).searchable)
        newer = RecordedCall("20261124-080000-bb01", started_at="2026-11-24T08:00:00+00:00")
        newer.greets("Hi").ended().write(dental / "calls")
        await until(pilot, lambda: listed(app)[0] == "20261124-080000-bb01")


async def test_without_a_call_it_says_how_to_get_one(nothing: Path) -> None:
    app = Studio(nothing, first="calls")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "No call was recorded here yet." in shown(app))


async def test_any_terminal_will_do(three: Path) -> None:
    app = Studio(three, first="calls")
    async with app.run_test(size=(40, 10)) as pilot:
        await until(pilot, lambda: page(app).searchable)
        await pilot.press("down", "enter")
        deck = await replay(pilot, app)
        await pilot.press("space")
        for size in [(20, 5), (200, 60), (3, 2), (40, 10)] * 2:
            await pilot.resize_terminal(*size)
        await pilot.press("n", "space")
        assert deck.at_ms > 0
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Calls))


def test_time_goes_on_in_silence_where_there_is_no_sound() -> None:
    now = [10.0]
    player = Player(None, 5000.0, clock=lambda: now[0])
    player.open()
    assert player.silent
    player.seek(1000)
    player.play()
    now[0] += 2
    assert player.position_ms == pytest.approx(3000)
    now[0] += 9
    assert player.position_ms == 5000
    assert not player.playing
    player.play()
    assert player.position_ms == 0
