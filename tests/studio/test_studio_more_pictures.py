"""What the pages of calls, evals, personas, bench and server look like. See test_studio_pictures.py."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from tests.doubles.judged_run import JudgedRun, humming, wrong
from tests.doubles.recorded_call import RecordedCall, Took
from tests.doubles.studio import SIZES, same_picture, still, until
from voicebot.errors import Unavailable
from voicebot.studio.app import Studio
from voicebot.studio.bench.page import Bench
from voicebot.studio.calls.deck import Deck
from voicebot.studio.calls.page import Calls
from voicebot.studio.calls.replay import Replay
from voicebot.studio.evals.page import Evals
from voicebot.studio.look.rows import Rows
from voicebot.studio.personas.page import Personas
from voicebot.transports import cards

sizes = pytest.mark.parametrize("size", SIZES)


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No animation, no time zone, no loudspeaker."""

    def none() -> cards.Cards:
        raise Unavailable("this machine has no loudspeaker. Plug one in.")

    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setattr(cards, "cards", none)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def busy(dental: Path) -> Path:
    """A week of calls, of which some went wrong."""
    ends = ("agent_hung_up", "caller_hung_up", "handed_over", "failed", "agent_hung_up", "caller_hung_up")
    for day, reason in enumerate(ends):
        stem = f"202611{16 + day}-0915{day}0-c{day}f{day}"
        call = RecordedCall(
            stem, caller=("maria", "omar", "nina")[day % 3], started_at=f"2026-11-{16 + day}T09:15:00+00:00"
        )
        call.greets("Bright Smile Dental, this is Ava. How can I help you?")
        call.turn(
            "hi i need an appointment please", "What would you like to come in for?", took=Took(brain=80.0 + 90 * day)
        )
        call.turn("how much is a filling", "A filling is ninety dollars.", took=Took(stt=150.0 + 200 * day))
        folder = call.ended(reason).write(dental / "calls")  # type: ignore[arg-type]  # one of its reasons
        (folder / "call.wav").write_bytes(humming(call.now_ms / 1000))
    (dental / "calls/20261122-101500-ab12/call.wav").write_bytes(humming(20.0))
    return dental


@sizes
@pytest.mark.parametrize("light", [False, True], ids=["dark", "light"])
async def test_calls(busy: Path, size: str, light: bool) -> None:
    app = Studio(busy, light=light, first="calls")
    async with app.run_test(size=SIZES[size]) as pilot:
        page = app.screen
        assert isinstance(page, Calls)
        await until(pilot, lambda: page.searchable)
        await pilot.press("down", "down", "m", "up")
        await still(pilot)
        same_picture(app, f"calls-{'light-' if light else ''}{size}")


@sizes
async def test_replay(busy: Path, size: str) -> None:
    app = Studio(busy, first="calls")
    async with app.run_test(size=SIZES[size]) as pilot:
        replay = Replay(busy, [busy / "calls/20261122-101500-ab12"], 9000.0)
        await app.push_screen(replay)
        await until(pilot, lambda: replay.query_one(Deck).tape)
        await still(pilot)
        same_picture(app, f"replay-{size}")


@pytest.mark.parametrize("size", ["200x60"])
async def test_two_calls(busy: Path, size: str) -> None:
    run = JudgedRun(busy).call("books", "maria", failed=[wrong(at_ms=9000.0)]).done()
    app = Studio(busy, first="calls")
    async with app.run_test(size=SIZES[size]) as pilot:
        replay = Replay(busy, [busy / "calls/20261122-101500-ab12", run.folder / run.results()[0].call], 4000.0)
        await app.push_screen(replay)
        await until(pilot, lambda: all(deck.tape for deck in replay.query(Deck)))
        await still(pilot)
        replay.query(Deck).first().query_one("TranscriptView").focus()
        await still(pilot)
        same_picture(app, f"two-calls-{size}")


@sizes
async def test_evals(busy: Path, size: str) -> None:
    judged = JudgedRun(busy)
    for scenario in ("books-cleaning", "cancels", "morning", "moves", "nobody", "prices", "saturday"):
        judged.call(scenario, "maria", failed=[wrong()] if scenario == "moves" else [])
    judged.call("books", "maria").call("books", "interrupter", broke="the line broke").call("books", "corrector").done()
    app = Studio(busy, first="evals")
    async with app.run_test(size=SIZES[size]) as pilot:
        page = app.screen
        assert isinstance(page, Evals)
        await until(pilot, lambda: page.run_)
        await pilot.press("n", "n")
        await still(pilot)
        same_picture(app, f"evals-{size}")


@sizes
async def test_personas(dental: Path, size: str) -> None:
    app = Studio(dental, first="personas")
    async with app.run_test(size=SIZES[size]) as pilot:
        page = app.screen
        assert isinstance(page, Personas)
        await until(pilot, lambda: page.query_one("#people", Rows).items)
        await pilot.press("down", "down", "down")
        await still(pilot)
        same_picture(app, f"personas-{size}")


@sizes
async def test_bench(dental: Path, size: str) -> None:
    shutil.copy(dental / "agents/ava.yaml", dental / "agents/ava-b.yaml")
    app = Studio(dental, first="bench")
    async with app.run_test(size=SIZES[size]) as pilot:
        page = app.screen
        assert isinstance(page, Bench)
        await until(pilot, lambda: page.contest)
        await still(pilot)
        same_picture(app, f"bench-{size}")


@pytest.mark.parametrize("size", ["80x24"])
async def test_server_before_it_is_connected(dental: Path, size: str) -> None:
    app = Studio(dental, first="server")
    async with app.run_test(size=SIZES[size]) as pilot:
        await still(pilot)
        same_picture(app, f"server-{size}")
