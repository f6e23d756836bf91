"""Agents: write one, and see while typing what is wrong with it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import ContentSwitcher, OptionList, TextArea
from textual.widgets.option_list import Option

from voicebot import paths, project, templates
from voicebot.errors import BadInput
from voicebot.studio.look import Choose, Empty, Page, Request, Trouble

from . import file, problems, ran
from .creating import Name
from .diff import Difference
from .editor import Editor
from .problems import Problem, Reading

TYPING_S = 0.25
"""Pause in the typing after which the text is checked."""
WATCHING_S = 2.0
"""How often the folder is looked at for what others change in it."""
LEAVE = {"save": "keep what you wrote", "discard": "the file stays as it is", "stay": "go on writing"}


class Agents(Page):
    """The project's agents at the left, one of them at the right, and its problems below."""

    HELP = (
        "The agents of this project. What is wrong with the file stands below it while you type, with the same "
        "sentences as everywhere; enter on one goes to its line. Saving never writes half a file. "
        "A talk that is going on takes the saved file into its next turn with l, on page 2."
    )
    DEFAULT_CSS = """
    Agents #agents { height: 1fr; }
    Agents #list { width: 26; }
    Agents #names { height: 1fr; }
    Agents #right { width: 1fr; }
    Agents #paper { height: 1fr; padding: 0 0 0 1; }
    Agents #problems { height: auto; max-height: 7; display: none; }
    Agents.-wrong #problems { display: block; }
    Agents #problems:focus { background: $background; }
    Agents.-wide #list { width: 34; }
    Agents.-narrow #agents { layout: vertical; }
    Agents.-narrow #list { width: 1fr; height: 4; padding: 0; }
    Agents.-short #list { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,ctrl+n", "new", "New", tooltip="an agent from a template"),
        Binding("ctrl+s", "save", "Save"),
        Binding("d,ctrl+g", "diff", "Diff", tooltip="what has changed since it ran last"),
        Binding("t,ctrl+r", "talk", "Talk", tooltip="save, and talk to it"),
        Binding("ctrl+z", "undo", "Undo", show=False),
        Binding("e", "edit", "Edit", show=False),
        Binding("l", "names", "List", show=False),
    ]

    def __init__(self, project: Path) -> None:
        super().__init__(project)
        self.opened: file.Opened | None = None
        self.reading = Reading(None)
        self._due: Timer | None = None
        self._known: tuple[Path, ...] = ()

    def compose_page(self) -> ComposeResult:
        steps = (("n", "make one from a template"), ("voicebot new", "or a whole project, in a shell"))
        with ContentSwitcher(initial="nobody", id="agents-or-none"):
            yield Empty("No agents in this project yet.", *steps, id="nobody")
            with Horizontal(id="agents"):
                with Vertical(id="list", classes="panel") as panel:
                    panel.border_title = "Agents"
                    yield OptionList(id="names")
                with Vertical(id="right"):
                    with Vertical(id="paper", classes="panel"):
                        yield Editor(id="editor")
                    yield OptionList(id="problems")
        yield Trouble()

    # -- coming and going --------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.look()
        self.set_interval(WATCHING_S, self.look)

    def on_screen_resume(self) -> None:
        self.look()

    def receive(self, request: Request) -> None:
        self.open_file(request.path)

    @property
    def unsaved(self) -> bool:
        return self.opened is not None and self.query_one(Editor).text != self.opened.text

    @work(exclusive=True, group="look")
    async def look(self) -> None:
        """See which agents there are, and whether somebody else has changed the one that is open."""
        files = tuple(await asyncio.to_thread(paths.agent_files, self.project))
        if files != self._known:
            self._known = files
            self._list()
        self.query_one("#agents-or-none", ContentSwitcher).current = "agents" if files or self.opened else "nobody"
        if files and self.opened is None:
            self.open_file(files[0])
        elif opened := self.opened:
            changed: bool = await asyncio.to_thread(file.is_changed, opened)
            if changed:
                self._changed_outside()

    def _changed_outside(self) -> None:
        assert self.opened
        name = paths.shown(self.opened.path)
        if not self.opened.path.exists():
            self.query_one(Trouble).say(f"{name} is gone from the disk.", "ctrl+s writes it again")
        elif self.unsaved:
            self.query_one(Trouble).say(f"{name} was changed by somebody else, too.", "ctrl+s keeps what stands here")
        else:
            self.open_file(self.opened.path)

    # -- one file ----------------------------------------------------------------------------------------------------

    @work(exclusive=True, group="file")
    async def open_file(self, path: Path) -> None:
        """Show this agent; what was written and not saved is asked about first."""
        if self.opened and path != self.opened.path and not await self.may_leave():
            return
        try:
            self.opened = await asyncio.to_thread(file.read, path)
        except BadInput as error:
            self.query_one(Trouble).say(str(error))
            return
        editor = self.query_one(Editor)
        row = editor.cursor_location
        editor.load_text(self.opened.text)
        editor.move_cursor(editor.clamp_visitable(row))
        self.query_one(Trouble).clear()
        self._list()
        await self._check()

    async def may_leave(self) -> bool:
        """Ask about what is not saved. False: stay. To be awaited in a worker."""
        if not self.unsaved or self.opened is None:
            return True
        answer = await self.app.push_screen_wait(Choose(f"{self.opened.path.name} is not saved", LEAVE, chosen="save"))
        if answer == "save":
            return await self._save()
        return answer == "discard"

    async def _save(self) -> bool:
        assert self.opened
        try:
            self.opened = await asyncio.to_thread(file.write, self.opened.path, self.query_one(Editor).text)
        except BadInput as error:
            self.query_one(Trouble).say(str(error), "nothing was changed on the disk")
            return False
        self.query_one(Trouble).clear()
        self._titles()
        return True

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self._titles()
        if self._due:
            self._due.stop()
        self._due = self.set_timer(TYPING_S, self._check)

    async def _check(self) -> None:
        self.run_worker(self._checked(self.query_one(Editor).text), exclusive=True, group="check")

    async def _checked(self, text: str) -> None:
        """In a thread, so that a large file does not hold up the typing."""
        self.reading = await asyncio.to_thread(problems.read, text, self.project)
        self.query_one(Editor).mark(self.reading.problems)
        found = self.query_one("#problems", OptionList)
        found.clear_options()
        found.add_options(Option(_told(each), id=str(i)) for i, each in enumerate(self.reading.problems))
        found.highlighted = 0 if self.reading.problems else None
        self.set_class(bool(self.reading.problems), "-wrong")
        self._titles()

    def _titles(self) -> None:
        """The file's name with a dot while it is not saved, and how it does."""
        if self.opened is None:
            return
        paper = self.query_one("#paper")
        paper.border_title = f"{paths.shown(self.opened.path)}{' ●' if self.unsaved else ''}"
        count = len(self.reading.problems)
        good = "" if self.reading.agent is None else f"{self.reading.agent.name} · all is well"
        paper.border_subtitle = f"{count} {'problem' if count == 1 else 'problems'}" if count else good

    def _list(self) -> None:
        names = self.query_one("#names", OptionList)
        here = self.opened.path if self.opened else None
        names.clear_options()
        names.add_options(Option(path.stem, id=str(path)) for path in self._known)
        names.highlighted = self._known.index(here) if here in self._known else None

    # -- what the user does ------------------------------------------------------------------------------------------

    @on(OptionList.OptionSelected, "#names")
    def _chosen(self, selected: OptionList.OptionSelected) -> None:
        self.open_file(Path(selected.option_id or ""))
        self.query_one(Editor).focus()

    @on(OptionList.OptionSelected, "#problems")
    def _to_problem(self, selected: OptionList.OptionSelected) -> None:
        problem = self.reading.problems[selected.option_index]
        editor = self.query_one(Editor)
        if problem.line:
            editor.move_cursor(editor.clamp_visitable((problem.line - 1, problem.column - 1)), center=True)
        editor.focus()

    def action_edit(self) -> None:
        self.query_one(Editor).focus()

    def action_names(self) -> None:
        self.query_one("#names").focus()

    def action_undo(self) -> None:
        self.query_one(Editor).undo()

    @work(exclusive=True, group="save")
    async def action_save(self) -> None:
        if self.opened and await self._save():
            said = "saved" if self.reading.agent else "saved, and it cannot answer a call as it is"
            self.notify(said, severity="information" if self.reading.agent else "warning", timeout=3)

    @work(exclusive=True, group="ask")
    async def action_talk(self) -> None:
        if self.opened is None or (self.unsaved and not await self._save()):
            return
        if self.reading.problems:
            self.notify("It cannot answer a call as it is: see the problems below.", severity="warning")
            return
        await self.studio.go("talk", Request(self.opened.path))

    @work(exclusive=True, group="ask")
    async def action_diff(self) -> None:
        """Between what ran last and what stands here, saved or not."""
        if self.opened is None:
            return
        name = self.reading.agent.name if self.reading.agent else ""
        found = await asyncio.to_thread(ran.last, self.project, name) if name else None
        if found is None:
            self.notify("It has not run yet, as far as the recorded calls tell.")
            return
        lines = ran.difference(found, self.query_one(Editor).text, paths.shown(self.opened.path))
        if lines:
            await self.app.push_screen_wait(Difference(f"since call {found.call}", lines))
        else:
            self.notify(f"Nothing has changed since call {found.call}.")

    @work(exclusive=True, group="ask")
    async def action_new(self) -> None:
        """From a template, under a name of its own."""
        known = await asyncio.to_thread(templates.summaries)
        template = await self.app.push_screen_wait(Choose("What shall it be like?", known, chosen="blank"))
        if not template:
            return
        name = await self.app.push_screen_wait(Name(self.project, template))
        if not name:
            return
        try:
            made = await asyncio.to_thread(project.add_agent, self.project, name, template)
        except BadInput as error:
            self.query_one(Trouble).say(str(error))
            return
        self.notify(f"{len(made)} files made. Change what it says, then t talks to it.", title=name)
        self._known = ()
        self.look()
        self.open_file(self.project / paths.AGENTS / f"{name}.yaml")
        self.query_one(Editor).focus()


def _told(problem: Problem) -> Content:
    place = f"{problem.line}:{problem.column}" if problem.line else "file"
    return Content.assemble((f"{place} ", "$error"), problem.sentence)
