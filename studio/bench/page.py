"""The page on which two variants of an agent meet the same callers, side by side, with a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from voicebot import paths
from voicebot.errors import VoicebotError
from voicebot.evals import suite as suites
from voicebot.evals.case import Case
from voicebot.evals.compare import Comparison
from voicebot.evals.kept.arguments import suite_of
from voicebot.evals.result import Result
from voicebot.evals.running.estimate import spoken
from voicebot.studio.calls.replay import Replay
from voicebot.studio.evals.matrix import Matrix
from voicebot.studio.evals.sheet import Sheet
from voicebot.studio.evals.verdict import told
from voicebot.studio.look import Ask, Choose, Empty, Page, Request, Trouble, Working

from . import variants
from .contest import Contest, Side
from .variants import What

_REFRESH_S = 0.25
_SIDES: tuple[Side, Side] = ("a", "b")


class Bench(Page):
    """A left, B right, the verdict beneath."""

    HELP = (
        "**v** makes a variant of A: another voice, model, recogniser, or a sentence more in the prompt. **a** and "
        "**b** choose who plays, **s** on which suite, **r** lets both be called. The cursor moves in both tables; "
        "Enter replays both calls of a cell beside each other."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run", "Run both"),
        Binding("v", "variant", "New variant"),
        Binding("a", "agent('a')", "A"),
        Binding("b", "agent('b')", "B"),
        Binding("s", "suite", "Suite"),
        Binding("ctrl+x", "stop", "Stop"),
    ]
    DEFAULT_CSS = """
    Bench #tables { height: 1fr; }
    Bench .side { width: 1fr; height: 1fr; border: round $line; border-title-color: $secondary; padding: 0 1;
                  border-subtitle-color: $dim; }
    Bench .side:focus-within { border: round $primary; border-title-color: $primary; }
    Bench #verdict { height: auto; max-height: 50%; border-top: solid $line; padding: 0 1; scrollbar-size-vertical: 1; }
    """

    def __init__(self, project: Path) -> None:
        super().__init__(project)
        self.agents: dict[Side, Path] = {}
        self.suite = ""
        self.contest: Contest | None = None
        self._going_on: Side | None = None
        self._comparison: Comparison | None = None

    def compose_page(self) -> ComposeResult:
        yield Trouble()
        yield Working()
        with Horizontal(id="tables"):
            for side in _SIDES:
                with Vertical(id=f"side-{side}", classes="side"):
                    yield Matrix(id=side)
        with VerticalScroll(id="verdict"):
            yield Static(id="says")
        yield Empty(
            "There is nothing to compare here yet.",
            ("1", "make an agent from a template that has scenarios"),
            ("v", "then a variant of it: another voice, model or prompt"),
            id="none",
        )

    def on_mount(self) -> None:
        self.query_one("#none").display = False
        self.query_one("#a", Matrix).focus()
        self._ticking = self.set_interval(_REFRESH_S, self._tick, pause=True)
        self._choose_at_first()

    def on_screen_resume(self) -> None:
        if self.contest is None or self._going_on is None:
            self._choose_at_first()

    def on_unmount(self) -> None:
        if self.contest is not None:
            self.contest.stop()

    # -- who plays, and on what --------------------------------------------------------------------------------------

    def _choose_at_first(self) -> None:
        files = paths.agent_files(self.project)
        self.query_one("#none").display = not files
        self.query_one("#tables").display = bool(files)
        if not files:
            return
        self.agents = {side: path for side, path in self.agents.items() if path in files}
        first = self.agents.setdefault("a", files[0])
        self.agents.setdefault("b", next((path for path in files if path.stem.startswith(f"{first.stem}-")), first))
        if not self.suite:
            try:
                self.suite = suite_of(self.project)
            except VoicebotError:  # there are several; any will do until one is chosen
                self.suite = sorted(suites.files(self.project))[0]
        self._heads()
        if self.contest is None:
            self._advise()
            self._plan()

    def _heads(self) -> None:
        for side, path in self.agents.items():
            box = self.query_one(f"#side-{side}")
            box.border_title = f"{side.upper()} · {path.stem}"
            box.border_subtitle = self.suite

    def _advise(self) -> None:
        same = self.agents["a"] == self.agents["b"]
        words = (
            "v makes a variant to compare with. The same agent twice shows what chance alone does."
            if same
            else "r lets both be called by the same callers, and says whether B is worse, better, or neither."
        )
        self.query_one("#says", Static).update(Content.styled(words, "$dim"))

    @work(thread=True, exclusive=True, group="plan")
    def _plan(self) -> None:
        worker = get_current_worker()
        contest = Contest(self.project, self.suite, dict(self.agents), self._one_ended, self._side_began)
        try:
            plans = contest.plan()
        except VoicebotError as error:
            self.call_later(self.query_one(Trouble).say, str(error))
            return
        if not worker.is_cancelled:
            self.call_later(self._show, contest, plans)

    def _show(self, contest: Contest, plans: dict[Side, list[Case]]) -> None:
        self.contest, self._comparison = contest, None
        self.query_one(Trouble).clear()
        for side, cases in plans.items():
            self.query_one(f"#{side}", Matrix).show(Sheet(cases))

    @work
    async def action_agent(self, side: str) -> None:
        if self._going_on:
            return
        files = {path.stem: path for path in paths.agent_files(self.project)}
        if name := await self.app.push_screen_wait(Choose(f"Who is {side.upper()}?", dict.fromkeys(files, ""))):
            self._plays(cast(Side, side), files[name])

    def _plays(self, side: Side, agent: Path) -> None:
        self.agents[side] = agent
        self._heads()
        self._advise()
        self._plan()

    @work
    async def action_suite(self) -> None:
        if self._going_on:
            return
        known = dict.fromkeys([*suites.files(self.project), suites.EVERYTHING], "")
        if name := await self.app.push_screen_wait(Choose("Which suite?", known, chosen=self.suite)):
            self.suite = name
            self._heads()
            self._plan()

    @work
    async def action_variant(self) -> None:
        if self._going_on or "a" not in self.agents:
            return
        agent = self.agents["a"].stem
        options = {str(what): words for what, words in variants.WHATS.items()}
        what = await self.app.push_screen_wait(Choose(f"In what shall it differ from {agent}?", options))
        if what is None:
            return
        value: str | None = ""
        if what != "nothing":
            value = await self.app.push_screen_wait(Ask(f"A variant of {agent}: {what}", options[what]))
        if value is not None:
            self._make_variant(agent, cast(What, what), value)

    @work(thread=True, group="variant")
    def _make_variant(self, agent: str, what: What, value: str) -> None:
        try:
            path = variants.make(self.project, agent, what, value)
        except VoicebotError as error:
            self.call_later(self.query_one(Trouble).say, str(error))
            return
        self.call_later(self._plays, "b", path)
        self.call_later(self.notify, f"{paths.shown(path)} is B now.")

    # -- running -----------------------------------------------------------------------------------------------------

    def action_run(self) -> None:
        if self._going_on or self.contest is None:
            return
        self._going_on = "a"
        self._ticking.resume()
        self.query_one("#says", Static).update("")
        self._hold(Contest(self.project, self.suite, dict(self.agents), self._one_ended, self._side_began))

    @work(thread=True, group="hold")
    def _hold(self, contest: Contest) -> None:
        why, comparison = "", None
        try:
            self.call_later(self._show, contest, contest.plan())
            comparison = contest.hold()
        except (VoicebotError, OSError) as error:
            why = str(error)
        finally:
            if self.is_attached:
                self.call_later(self._over, comparison, why)

    def _side_began(self, side: Side, calls: int) -> None:
        if self.is_attached:
            self.call_later(self._side, side, calls)

    def _side(self, side: Side, calls: int) -> None:
        self._going_on = side
        self.query_one(Working).begin(f"{side.upper()}: {self.agents[side].stem} is called", calls)

    def _one_ended(self, side: Side, result: Result, folder: Path) -> None:
        if self.is_attached:
            self.call_later(self._add, side, result, folder)

    def _add(self, side: Side, result: Result, folder: Path) -> None:
        matrix = self.query_one(f"#{side}", Matrix)
        matrix.sheet.add(result, folder)
        matrix.refresh()

    def _tick(self) -> None:
        if self.contest is None or self._going_on is None:
            return
        making = self.contest.makings.get(self._going_on)
        if making is None:
            return
        matrix = self.query_one(f"#{self._going_on}", Matrix)
        matrix.sheet.under_way = making.under_way
        matrix.refresh()
        if making.board:
            self.query_one(Working).step(making.board.done, f"{spoken(making.board.left_s)} left")

    def _over(self, comparison: Comparison | None, why: str) -> None:
        self._going_on = None
        self._ticking.pause()
        self.query_one(Working).done()
        for side in _SIDES:
            matrix = self.query_one(f"#{side}", Matrix)
            matrix.sheet.under_way = {}
            matrix.refresh()
        if why:
            self.query_one(Trouble).say(why)
        self._comparison = comparison
        self._tell()

    def _tell(self) -> None:
        if self._comparison is not None:
            self.query_one("#says", Static).update(told(self._comparison, self.size.width - 4))
        elif self._going_on is None and not self.query_one(Trouble).sentence:
            self.query_one("#says", Static).update(Content.styled("It was stopped. r runs both again.", "$dim"))

    def on_resize(self) -> None:
        if self._comparison is not None:
            self._tell()

    def action_stop(self) -> None:
        if self.contest is not None and self._going_on:
            self.contest.stop()
            self.query_one(Working).begin("stopping")

    on_working_cancelled = action_stop

    # -- both tables as one ------------------------------------------------------------------------------------------

    @on(Matrix.Moved)
    def _moved(self) -> None:
        """The cursor of the table that has the focus leads; the other one follows."""
        tables = [self.query_one(f"#{side}", Matrix) for side in _SIDES]
        leader = next((table for table in tables if table.has_focus), tables[0])
        for table in tables:
            if table is not leader:
                table.row, table.column = leader.row, leader.column

    @on(Matrix.Picked)
    def _picked(self) -> None:
        folders = [self._folder(self.query_one(f"#{side}", Matrix)) for side in _SIDES]
        there = [folder for folder in folders if folder is not None and folder.is_dir()]
        if there:
            self.app.push_screen(Replay(self.project, there))
        else:
            self.notify("These calls were not made yet, or their records are gone: r makes them.", severity="warning")

    @staticmethod
    def _folder(matrix: Matrix) -> Path | None:
        sheet = matrix.sheet
        wrong = [entry.folder for entry in sheet.entries(matrix.cases) if entry.finding]
        return next(iter([*wrong, *(sheet.folders.get(case.id) for case in matrix.cases)]), None)

    def receive(self, request: Request) -> None:
        """An agent's file becomes B."""
        self._plays("b", request.path)
