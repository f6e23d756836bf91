"""The replay of a call, or of two beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.css.query import NoMatches

from voicebot import paths
from voicebot.errors import VoicebotError
from voicebot.evals import from_call
from voicebot.evals.kept import runs
from voicebot.studio.look import Ask, Page, Request, TranscriptView, Trouble

from .deck import Deck


class Replay(Page):
    """One deck, or two."""

    HELP = (
        "Space plays, ← and → go two seconds, n and p a turn, a click goes anywhere; + and - look closer. "
        "With two calls, Tab goes from one to the other. **t** makes a test of the call: its caller calls again, "
        "in every later run."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "back", "Back", key_display="esc"),
        Binding("t", "test", "Make a test of it"),
        Binding("tab", "other", "The other call", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    Replay #decks { layout: horizontal; height: 1fr; }
    Replay.-stacked #decks { layout: vertical; }
    """

    def __init__(self, project: Path, folders: Sequence[Path], at_ms: float | None = None) -> None:
        super().__init__(project)
        self._folders = list(folders)
        self._at_ms = at_ms

    def compose_page(self) -> ComposeResult:
        yield Trouble(id="page-trouble")
        with Container(id="decks"):
            for folder in self._folders:
                yield Deck(folder, self._at_ms)

    def on_resize(self) -> None:
        self.set_class(self.size.width < 120, "-stacked")

    def receive(self, request: Request) -> None:
        """Another call takes this one's place."""
        self.app.pop_screen()
        self.app.push_screen(Replay(self.project, [request.path], request.at_ms))

    @property
    def deck(self) -> Deck:
        """The one that has the focus, else the first."""
        decks = list(self.query(Deck))
        return next((deck for deck in decks if deck.has_focus_within), decks[0])

    def on_screen_suspend(self) -> None:
        for deck in self.query(Deck):
            deck.stop()

    def action_back(self) -> None:
        self.app.pop_screen()

    def action_other(self) -> None:
        decks = list(self.query(Deck))
        here = decks.index(self.deck)
        try:
            decks[(here + 1) % len(decks)].query_one(TranscriptView).focus()
        except NoMatches:  # it has just been closed
            return

    @work
    async def action_test(self) -> None:
        """One key turns the call into a test; its name can be changed on the way."""
        folder = self.deck.folder
        about = "The caller of this call will call again, and what the agent did becomes its checks."
        name = await self.app.push_screen_wait(
            Ask("Make a test of this call", about, f"call-{runs.safe(folder.name)}", enter="makes it")
        )
        if name is not None:
            self._make(folder, name)

    @work(thread=True)
    def _make(self, folder: Path, name: str) -> None:
        try:
            written = from_call.make(folder, self.project, name)
        except VoicebotError as error:
            self.call_later(self.query_one("#page-trouble", Trouble).say, str(error))
            return
        self.call_later(self._made, name, written)

    def _made(self, name: str, written: list[Path]) -> None:
        scenario = next(path for path in written if path.stem == name and path.suffix == ".yaml")
        self.query_one("#page-trouble", Trouble).clear()
        self.notify("Read its checks before you trust it.", title=f"{paths.shown(scenario)} is written", timeout=8)
        request = Request(scenario, about=name)
        self.studio.run_worker(self.studio.go("evals", request))
