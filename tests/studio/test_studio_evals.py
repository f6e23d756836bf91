"""The evals page: a suite as a table, run, watched, stopped, held against a baseline; and two variants on the bench."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.doubles.judged_run import wrong
from tests.doubles.quick_crew import QuickCrew
from tests.doubles.studio import shown, until
from voicebot.agent import Agent
from voicebot.errors import BadInput
from voicebot.evals.case import Case
from voicebot.evals.kept import baselines, runs
from voicebot.evals.result import Finding
from voicebot.studio.app import Studio
from voicebot.studio.bench import variants
from voicebot.studio.bench.page import Bench
from voicebot.studio.calls.deck import Deck
from voicebot.studio.calls.replay import Replay
from voicebot.studio.evals.matrix import Matrix
from voicebot.studio.evals.page import Evals
from voicebot.studio.evals.verdict import Verdict
from voicebot.studio.look import Request, Trouble
from voicebot.studio.look.ask import Confirm

SIZE = (150, 45)


class Stage:
    """What the calls of a test come to."""

    def __init__(self) -> None:
        self.holds = False
        self.wrong: dict[str, list[Finding] | str] = {}
        """Scenario -> what fails in it."""
        self.of_agent: dict[str, dict[str, list[Finding]]] = {}

    def judge(self, case: Case) -> list[Finding] | str:
        return self.of_agent.get(case.agent, {}).get(case.scenario) or self.wrong.get(case.scenario, [])


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Calls are made by nobody, and end at once."""
    made = Stage()
    crew = lambda *_args, **_about: QuickCrew(made.judge, holds=lambda: made.holds)  # noqa: E731 - one line, one place
    monkeypatch.setattr("voicebot.studio.evals.making.Pool", crew)
    return made


def page(app: Studio) -> Evals:
    return next(each for each in app.screen_stack if isinstance(each, Evals))


async def opened(pilot: Pilot[Any], app: Studio) -> Evals:
    await until(pilot, lambda: page(app).sheet.cases)
    return page(app)


async def ran(pilot: Pilot[Any], here: Evals, key: str = "r") -> None:
    await pilot.press(key)
    await until(pilot, lambda: here.making is None and here.run_ is not None)


async def test_a_suite_is_run_and_its_failure_opened_at_its_second(dental: Path, stage: Stage) -> None:
    stage.wrong["cancels"] = [wrong("the appointment is still there", at_ms=9000.0)]
    app = Studio(dental, first="evals")
    async with app.run_test(size=SIZE) as pilot:
        here = await opened(pilot, app)
        await until(pilot, lambda: "not called" in shown(app))
        await ran(pilot, here)
        await until(pilot, lambda: f"✓ {len(here.sheet.cases) - 1} passed" in shown(app))
        await pilot.press("n")
        await until(pilot, lambda: "the appointment is still there" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Replay))
        deck = app.screen.query_one(Deck)
        await until(pilot, lambda: deck.tape is not None)
        assert deck.at_ms == 7000.0
        assert runs.find("last", dental).state == "done"


async def test_a_run_is_watched_stopped_and_kept(dental: Path, stage: Stage) -> None:
    stage.holds = True
    app = Studio(dental, first="evals")
    async with app.run_test(size=SIZE) as pilot:
        here = await opened(pilot, app)
        await pilot.press("r")
        await until(pilot, lambda: "turn 3, 12 s" in shown(app))
        await until(pilot, lambda: "calling" in shown(app))
        await pilot.press("ctrl+x")
        await until(pilot, lambda: here.making is None)
        assert runs.find("last", dental).state == "interrupted"


async def test_closing_the_studio_ends_a_run_in_order(dental: Path, stage: Stage) -> None:
    stage.holds = True
    app = Studio(dental, first="evals")
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app)
        await pilot.press("r")
        await until(pilot, lambda: "turn 3, 12 s" in shown(app))
    async with asyncio.timeout(30):
        while runs.find("last", dental).state != "interrupted":  # noqa: ASYNC110 - a thread ends it, and tells nobody
            await asyncio.sleep(0.05)


async def test_one_cell_is_run_again_and_the_others_stay(dental: Path, stage: Stage) -> None:
    stage.wrong["books"] = [wrong()]
    app = Studio(dental, first="evals")
    async with app.run_test(size=SIZE) as pilot:
        here = await opened(pilot, app)
        await ran(pilot, here)
        failed = here.sheet.count("failed")
        stage.wrong.clear()
        await ran(pilot, here, "R")
        assert here.sheet.count("failed") == failed - 1
        assert here.run_ is not None
        assert len(here.run_.meta.planned) == 1
        assert len(here.sheet.earlier) == len(here.sheet.cases) - 1
        await pilot.press("B")
        await until(pilot, lambda: "of some cells only" in here.query_one(Trouble).sentence)


async def test_a_run_is_held_against_the_baseline(dental: Path, stage: Stage) -> None:
    app = Studio(dental, first="evals")
    async with app.run_test(size=SIZE) as pilot:
        here = await opened(pilot, app)
        await ran(pilot, here)
        await pilot.press("c")
        await until(pilot, lambda: "no baseline" in here.query_one(Trouble).sentence)
        await pilot.press("B")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: baselines.every(dental))
        stage.wrong.update({case.scenario: [wrong()] for case in here.sheet.cases})
        before = here.run_
        await pilot.press("r")
        await until(pilot, lambda: here.making is None and here.run_ is not before)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, Verdict))
        await until(pilot, lambda: "▼ regressed" in shown(app))
        await pilot.press("escape")


async def test_a_worker_that_dies_makes_its_call_invalid_and_says_so(dental: Path, stage: Stage) -> None:
    stage.wrong["books"] = "the process of the call died (signal SIGSEGV)."
    app = Studio(dental, first="evals")
    async with app.run_test(size=SIZE) as pilot:
        here = await opened(pilot, app)
        await ran(pilot, here)
        assert here.sheet.count("invalid") == 3
        await until(pilot, lambda: "invalid: the process of the call died" in shown(app))
        assert here.sheet.count("passed") == len(here.sheet.cases) - 3


async def test_a_record_that_is_gone_is_told(dental: Path, stage: Stage) -> None:
    app = Studio(dental, first="evals")
    async with app.run_test(size=SIZE) as pilot:
        here = await opened(pilot, app)
        await ran(pilot, here)
        shutil.rmtree(dental / "evals/runs")
        await pilot.press("enter")
        await until(pilot, lambda: "not there any more" in here.query_one(Trouble).sentence)


async def test_a_wrong_scenario_is_told_with_its_place(dental: Path) -> None:
    file = dental / "evals/books.yaml"
    file.write_text(file.read_text().replace("goal:", "gaol:"))
    app = Studio(dental, first="evals")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Did you mean 'goal'" in page(app).query_one(Trouble).sentence)


async def test_without_a_scenario_it_says_what_to_do(nothing: Path) -> None:
    app = Studio(nothing, first="evals")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "No scenario here yet" in shown(app))


async def test_a_new_test_is_shown_alone_and_really_run(dental: Path) -> None:
    """The one test here in which a call is made, by a process as in `voicebot eval run`."""
    file = dental / "evals/prices.yaml"
    file.write_text(file.read_text().replace("goal:", "channel: text\ngoal:", 1))
    app = Studio(dental, first="evals")
    async with app.run_test(size=(60, 20)) as pilot:
        here = page(app)
        here.receive(Request(dental / "evals/prices.yaml", about="prices"))
        await until(pilot, lambda: {case.scenario for case in here.sheet.cases} == {"prices"})
        await pilot.press("r")
        await until(pilot, lambda: here.making is None and here.run_ is not None, 120)
        assert here.sheet.count("passed") == 1, shown(app)


# -- the bench ---------------------------------------------------------------------------------------------------------


def bench(app: Studio) -> Bench:
    return next(each for each in app.screen_stack if isinstance(each, Bench))


async def test_two_variants_are_called_by_the_same_callers_and_judged(dental: Path, stage: Stage) -> None:
    app = Studio(dental, first="bench")
    async with app.run_test(size=(190, 50)) as pilot:
        await until(pilot, lambda: bench(app).contest is not None)
        await pilot.press("v")
        await until(pilot, lambda: "In what shall it differ" in shown(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "A variant of ava: voice" in shown(app))
        await pilot.press(*"espeak", "enter")
        await until(pilot, lambda: bench(app).agents["b"].stem == "ava-b")
        assert Agent.load(dental / "agents/ava-b.yaml").voice.tts == ["espeak"]
        scenarios = {case.scenario for case in bench(app).query_one("#a", Matrix).sheet.cases}
        stage.of_agent["ava-b"] = {name: [wrong()] for name in scenarios}
        await pilot.press("r")
        await until(pilot, lambda: "regressed" in shown(app))
        assert runs.newest_first(dental) == []
        bench(app).query_one("#a", Matrix).focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Replay))
        folders = [deck.folder for deck in app.screen.query(Deck)]
        assert len(folders) == 2
        assert len({folder.parent.parent for folder in folders}) == 2


async def test_a_contest_is_stopped(dental: Path, stage: Stage) -> None:
    stage.holds = True
    app = Studio(dental, first="bench")
    async with app.run_test(size=(190, 50)) as pilot:
        await until(pilot, lambda: bench(app).contest is not None)
        await pilot.press("r")
        await until(pilot, lambda: "A: ava is called" in shown(app))
        await pilot.press("ctrl+x")
        await until(pilot, lambda: "It was stopped." in shown(app))


async def test_the_bench_without_an_agent_says_what_to_do(nothing: Path) -> None:
    app = Studio(nothing, first="bench")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "There is nothing to compare here yet." in shown(app))


def test_a_variant_that_is_no_agent_leaves_no_file(dental: Path) -> None:
    with pytest.raises(BadInput, match="esspeak"):
        variants.make(dental, "ava", "voice", "esspeak")
    assert [path.name for path in (dental / "agents").glob("*.yaml")] == ["ava.yaml"]
