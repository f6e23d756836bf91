"""The page of suites: run one, open a failure at its second, hold the run against the baseline."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from voicebot import paths
from voicebot.errors import VoicebotError
from voicebot.evals import suite as suites
from voicebot.evals.case import Case
from voicebot.evals.compare import compare
from voicebot.evals.kept import baselines, runs
from voicebot.evals.kept.arguments import Arguments
from voicebot.evals.kept.runs import Run
from voicebot.evals.planned import Planned
from voicebot.evals.report.call import LEAD_MS
from voicebot.evals.result import Result
from voicebot.evals.running.estimate import spoken
from voicebot.studio.look import Choose, Confirm, Empty, Page, Request, Trouble, Working
from voicebot.studio.look.rows import Rows

from . import cell, reading
from .making import Making, exactly
from .matrix import SIGNS, Matrix
from .reading import Reading
from .sheet import Entry, Look, Sheet
from .verdict import Verdict

_REFRESH_S = 0.25
_COUNTED: dict[Look, str] = {"passed": "passed", "failed": "failed", "invalid": "invalid", "waits": "not called"}


class Evals(Page):
    """The matrix of the chosen suite, and what there is to say about the cell under the cursor."""

    HELP = (
        "**r** runs the suite, **R** the cell under the cursor alone, **ctrl+x** stops and keeps what is done. Enter "
        "opens the failing call two seconds before it goes wrong. **c** holds the run against the baseline, **B** "
        "makes it the baseline. Faint signs are of the run before."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run", "Run"),
        Binding("R", "run_cell", "Run this cell"),
        Binding("s", "suite", "Suite"),
        Binding("o", "older", "Other runs"),
        Binding("c", "compare", "Compare"),
        Binding("B", "baseline", "Make it the baseline", show=False),
        Binding("ctrl+x", "stop", "Stop"),
    ]
    DEFAULT_CSS = """
    Evals #title { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    Evals #body { height: 1fr; layout: vertical; }
    Evals.-roomy #body { layout: horizontal; }
    Evals #matrix { padding: 1 1 0 1; height: 2fr; width: 1fr; }
    Evals #entries { height: 1fr; width: 1fr; border-top: solid $line; }
    Evals.-roomy #matrix { height: 1fr; width: 3fr; }
    Evals.-roomy #entries { width: 2fr; border-top: none; border-left: solid $line; }
    """

    def __init__(self, project: Path) -> None:
        super().__init__(project)
        self.sheet = Sheet([])
        self.run_: Run | None = None
        """The one that is shown."""
        self.making: Making | None = None
        self._arguments = Arguments()
        self._plan: list[Planned] = []
        self._opened = False

    def compose_page(self) -> ComposeResult:
        yield Trouble()
        yield Static(id="title")
        yield Working()
        with Container(id="body"):
            yield Matrix(id="matrix")
            yield Rows[Entry](*cell.COLUMNS, key=cell.key, id="entries")
        yield Empty(
            "No scenario here yet: nobody can be called on to judge the agent.",
            ("3", "open a recorded call; t makes a test of it"),
            ("voicebot new clinic", "in a shell: a project that comes with scenarios and suites"),
            id="none",
        )

    def on_mount(self) -> None:
        self.query_one("#none").display = False
        self.query_one(Matrix).focus()
        self._ticking = self.set_interval(_REFRESH_S, self._tick, pause=True)
        if not self._opened:
            self._open(None)

    def on_unmount(self) -> None:
        if self.making is not None:
            self.making.stop()

    def on_resize(self) -> None:
        self.set_class(self.size.width >= 104, "-roomy")

    def receive(self, request: Request) -> None:
        """A scenario that has just been made: it alone is shown, ready to be run."""
        self._opened = True
        if self.making is not None:
            self.notify("A run goes on; stop it with ctrl+x first.", severity="warning")
            return
        self._open(Arguments(suite=suites.EVERYTHING, scenarios=[exactly(request.about)]), with_last=False)

    # -- which suite, which run --------------------------------------------------------------------------------------

    @work(thread=True, exclusive=True, group="read")
    def _open(self, arguments: Arguments | None, with_last: bool = True) -> None:
        """The suite that is meant when none is named. What was asked for last is shown, however long each takes."""
        worker = get_current_worker()
        try:
            asked = arguments or Arguments(suite=reading.meant(self.project))
            found = reading.of_suite(self.project, asked, with_last=with_last)
        except VoicebotError as error:
            if not worker.is_cancelled:
                self.call_later(self._nothing, str(error))
            return
        if not worker.is_cancelled:
            self.call_later(self._show, found)

    def _nothing(self, why: str) -> None:
        has_some = bool(paths.yaml_files(paths.evals_dir(self.project)))
        self.query_one("#none").display = not has_some
        self.query_one("#body").display = has_some
        self.query_one(Trouble).say(why if has_some else "")

    def _show(self, found: Reading) -> None:
        self._arguments, self._plan, self.sheet, self.run_ = found.arguments, found.plan, found.sheet, found.run
        self.query_one("#none").display = False
        self.query_one("#body").display = True
        self.query_one(Trouble).clear()
        self.query_one(Matrix).show(found.sheet)
        self._refresh()

    @work
    async def action_suite(self) -> None:
        if self.making is not None:
            self.notify("A run goes on; stop it with ctrl+x first.", severity="warning")
            return
        known = {name: reading.about(path) for name, path in suites.files(self.project).items()}
        known.setdefault(suites.EVERYTHING, "every scenario, with its own callers")
        if name := await self.app.push_screen_wait(Choose("Which suite?", known, chosen=self._arguments.suite)):
            self._open(Arguments(suite=name))

    @work
    async def action_older(self) -> None:
        if self.making is not None:
            return
        folders = runs.newest_first(self.project)[:40]
        if not folders:
            self.notify("No run was made yet: r makes one.", severity="warning")
            return
        known = {folder.name: "" for folder in folders}
        if name := await self.app.push_screen_wait(Choose("Which run?", known)):
            self._show_run(name)

    @work(thread=True, exclusive=True, group="read")
    def _show_run(self, name: str) -> None:
        try:
            found = reading.of_run(self.project, name)
        except VoicebotError as error:
            self.call_later(self.query_one(Trouble).say, str(error))
            return
        self.call_later(self._show, found)

    # -- running -----------------------------------------------------------------------------------------------------

    def action_run(self) -> None:
        self._begin(self._arguments, self.sheet.cases)

    def action_run_cell(self) -> None:
        cases = self.query_one(Matrix).cases
        if cases:
            one = cases[0]
            only = {
                "scenarios": [exactly(one.scenario)],
                "personas": [exactly(one.persona)],
                "lines": [exactly(one.line)],
            }
            self._begin(self._arguments.model_copy(update=only), cases)

    def _begin(self, arguments: Arguments, cases: list[Case]) -> None:
        if self.making is not None or not cases:
            return
        self.query_one(Trouble).clear()
        wanted = {case.id for case in cases}
        self.sheet.again(cases)
        plan = [planned for planned in self._plan if planned.case.id in wanted]
        self.making = Making(self.project, arguments, plan, self._one_ended)
        self.query_one(Working).begin(f"{arguments.suite}: calling", len(cases))
        self._ticking.resume()
        self._make(self.making)

    @work(thread=True, group="make")
    def _make(self, making: Making) -> None:
        """What the run cannot survive is told; everything it made until then is kept."""
        why = ""
        try:
            making.make()
        except (VoicebotError, OSError) as error:
            why = str(error)
        finally:
            if self.is_attached:
                self.call_later(self._over, making, why)

    def _one_ended(self, result: Result, folder: Path) -> None:
        if self.is_attached:
            self.call_later(self._add, result, folder)

    def _add(self, result: Result, folder: Path) -> None:
        self.sheet.add(result, folder)
        self._refresh()

    def _tick(self) -> None:
        if self.making is None:
            return
        self.sheet.under_way = self.making.under_way
        if board := self.making.board:
            speed = f"{board.speed:.0f} times real time, " if board.speed else ""
            self.query_one(Working).step(board.done, f"{speed}{spoken(board.left_s)} left")
        self._refresh()

    def _over(self, making: Making, why: str) -> None:
        self.making = None
        self._ticking.pause()
        self.query_one(Working).done()
        self.sheet.under_way = {}
        self.run_ = making.run or self.run_
        state = making.run.meta.state if making.run else ""
        if why:
            self.query_one(Trouble).say(why, "What was done is kept.")
        elif state == "interrupted":
            self.notify("Stopped. What was done is kept.")
        self._refresh()

    def action_stop(self) -> None:
        if self.making is not None:
            self.making.stop()
            self.query_one(Working).begin("stopping")

    on_working_cancelled = action_stop

    # -- the cell under the cursor -----------------------------------------------------------------------------------

    def _refresh(self) -> None:
        matrix = self.query_one(Matrix)
        matrix.refresh()
        self._tell_cell(matrix.cases)
        self.query_one("#title", Static).update(self._title())

    def _title(self) -> Content:
        sheet, name = self.sheet, self._arguments.suite
        counts = [
            Content.assemble((f"{SIGNS[look][0]} {number} ", SIGNS[look][1]), (word, "$dim"))
            for look, word in _COUNTED.items()
            if (number := sheet.count(look))
        ]
        run = f"run {self.run_.id}" if self.run_ and self.making is None else ""
        return Content.assemble((f"{name}  ", "$primary bold"), Content("   ").join(counts), (f"   {run}", "$dim"))

    def _tell_cell(self, cases: list[Case]) -> None:
        self.query_one("#entries", Rows).show(self.sheet.entries(cases))

    @on(Matrix.Moved)
    def _moved(self, moved: Matrix.Moved) -> None:
        self._tell_cell(moved.cases)

    @on(Matrix.Picked)
    def _picked(self, picked: Matrix.Picked) -> None:
        """The first thing that failed in it, else its first call."""
        entries = self.sheet.entries(picked.cases)
        found = [entry for entry in entries if entry.finding] or [entry for entry in entries if entry.folder]
        if found:
            self._replay(found[0])

    @on(Rows.Picked, "#entries")
    def _chosen(self, picked: Rows.Picked) -> None:
        self._replay(picked.item)

    def _replay(self, entry: Entry) -> None:
        if entry.folder is None or not entry.folder.is_dir():
            gone = "The record of this call is not there any more." if entry.folder else "This call was not made yet."
            self.query_one(Trouble).say(gone, "R makes the call again.")
            return
        at_ms = entry.finding.at_ms if entry.finding else None
        request = Request(entry.folder, at_ms=None if at_ms is None else max(at_ms - LEAD_MS, 0.0))
        self.run_worker(self.studio.go("calls", request))

    # -- the baseline ------------------------------------------------------------------------------------------------

    @work(thread=True, exclusive=True, group="compare")
    def action_compare(self) -> None:
        run = self.run_
        if run is None:
            self.call_later(self.notify, "Nothing to compare yet: r makes a run.", severity="warning")
            return
        try:
            other = baselines.side(baselines.BASELINE, self.project, run.meta.suite)
            before, now, remark = baselines.comparable(other, run)
        except VoicebotError as error:
            self.call_later(self.query_one(Trouble).say, str(error), "B makes the run shown the baseline.")
            return
        made = {case.id for case in run.meta.planned}
        found = compare([result for result in before if result.case.id in made], now)
        title = f"{baselines.title(other)} → {run.id}"
        self.call_later(self.app.push_screen, Verdict(title, found, remark))

    @work
    async def action_baseline(self) -> None:
        run = self.run_
        if run is None:
            return
        if len(run.meta.planned) < len(self.sheet.cases):
            self.query_one(Trouble).say("This run is of some cells only, so it is no baseline.", "r runs all of them.")
            return
        about = f"Later runs of '{run.meta.suite}' will be held against {run.id}."
        if await self.app.push_screen_wait(Confirm("Make this run the baseline?", about, yes="makes it the baseline")):
            try:
                baselines.set_(run, self.project)
            except VoicebotError as error:
                self.query_one(Trouble).say(str(error))
                return
            self.notify(f"{run.id} is the baseline of '{run.meta.suite}' now.")
