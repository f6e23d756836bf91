"""The application: its pages, the way between them, and what is the same on all of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.geometry import Size
from textual.screen import ModalScreen, Screen
from textual.timer import Timer

from voicebot import paths

from .look.broken import Broken
from .look.help import Help
from .look.page import Page, Request
from .look.theme import DARK, LIGHT
from .screens import Entry, available

RESTING_S = 0.25
"""How long a terminal keeps its size before it counts as chosen."""


class Studio(App[None]):
    """`voicebot studio` on the project in `project`.

    What a page does that takes long, it does in a worker; what goes wrong there is told on the page, and the rest of
    the studio goes on.
    """

    TITLE = "voicebot studio"
    CSS_PATH = Path(__file__).parent / "look/studio.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_DISPLAY = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark", "help", "Help", key_display="F1"),
        Binding("ctrl+p", "command_palette", "Commands", key_display="^p", show=False),
        Binding("ctrl+t", "light_or_dark", "Light or dark", show=False),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(self, project: Path, *, light: bool = False, first: str = "") -> None:
        """`first` is the page that opens, by name; else the first there is."""
        super().__init__()
        self.project = project
        self.pages = available()
        self._first = first or self.pages[0].mode
        self._resting: Timer | None = None
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = (LIGHT if light else DARK).name
        for entry in self.pages:
            self.add_mode(entry.mode, self._opener(entry))
            self._bindings.bind(f"{entry.key},alt+{entry.key}", f"app.go('{entry.mode}')", entry.name, show=False)

    @property
    def where(self) -> str:
        """The project, as its user would call it."""
        return paths.shown(self.project) if self.project != Path.cwd() else self.project.name

    def on_mount(self) -> None:
        self.switch_mode(self._first)

    def on_resize(self) -> None:
        """A terminal that is dragged shows frames of sizes that it no longer has: once it rests, all is drawn again."""
        if self._resting:
            self._resting.stop()
        self._resting = self.set_timer(RESTING_S, self._draw_again)

    def _draw_again(self) -> None:
        if not self.screen_stack:  # before the first page, and behind the last one
            return
        terminal = None if self.is_headless else sys.__stderr__  # where Textual writes
        if terminal and (size := Size(*os.get_terminal_size(terminal.fileno()))) != self.size:
            self.post_message(Resize(size, size))  # the terminal's last word of it was lost in the storm
        else:
            self.screen.post_message(Resize(self.size, self.size))
            self.screen.refresh()

    def _opener(self, entry: Entry) -> type[Page]:
        """Textual wants a callable that makes the page; it is imported only then."""

        def opened() -> Page:
            try:
                return entry.open(self.project)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one page, the studio goes on
                self.log.error(error)
                return Broken(self.project, entry.name, error)

        return opened  # type: ignore[return-value]  # textual takes any callable, and its signature says a class

    # -- the way from page to page -----------------------------------------------------------------------------------

    async def go(self, mode: str, request: Request | None = None) -> None:
        """Open the page called `mode` ('talk'), and hand it what it shall show."""
        if mode not in {entry.mode for entry in self.pages}:
            self.notify(f"There is no page '{mode}' in this studio.", severity="warning")
            return
        await self.switch_mode(mode)
        if request is not None and isinstance(self.screen, Page):
            self.screen.receive(request)

    async def action_go(self, mode: str) -> None:
        if not isinstance(self.screen, ModalScreen):
            await self.go(mode)

    def action_leave_field(self) -> None:
        """Out of a text field, so that single keys work again."""
        self.screen.set_focus(None)

    # -- the same everywhere -----------------------------------------------------------------------------------------

    async def action_quit(self) -> None:
        """Close, unless a page has something that its user wants to keep."""
        self._quitting()

    @work(exclusive=True, group="quit")
    async def _quitting(self) -> None:
        for mode, (page, *_) in [*self._screen_stacks.items()]:
            if isinstance(page, Page):
                if page.is_running and (getattr(page, "unsaved", False)):
                    await self.switch_mode(mode)
                if not await page.may_leave():
                    return
        self.exit()

    def action_light_or_dark(self) -> None:
        self.theme = (LIGHT if self.current_theme.dark else DARK).name

    def action_help(self) -> None:
        if isinstance(self.screen, ModalScreen):
            return
        entry = next((each for each in self.pages if each.mode == self.current_mode), None)
        everywhere = [
            (f"1-{len(self.pages)}", f"{', '.join(each.name for each in self.pages)}; esc first in a text field"),
            ("esc", "leave a text field, so that single keys work again"),
            ("ctrl+p", "find a command"), ("ctrl+t", "light or dark"), ("ctrl+q", "quit"),
        ]  # fmt: skip
        keys = {"Here": list(_keys(self.screen)), "Everywhere": everywhere}
        about = getattr(self.screen, "HELP", "") or (entry.about if entry else "")
        self.push_screen(Help(entry.name if entry else self.TITLE or "", about, keys))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for entry in self.pages:
            yield SystemCommand(f"{entry.name}", entry.about, lambda mode=entry.mode: self.run_worker(self.go(mode)))
        yield SystemCommand("Light or dark", "switch between the two themes", self.action_light_or_dark)
        yield SystemCommand("Help", "what can be done on this page", self.action_help)
        yield SystemCommand("Picture", "save this screen as an SVG file", self.deliver_screenshot)
        yield SystemCommand("Quit", "close the studio", self.action_quit)


def _keys(screen: Screen[object]) -> Iterable[tuple[str, str]]:
    """(keys, what they do) for what the page itself binds: single letters, and what works in a text field, too."""
    bound: dict[str, list[Binding]] = {}
    for node, binding, _, _ in screen.active_bindings.values():
        if node is screen and binding.description and not binding.action.startswith(("app.", "screen.")):
            bound.setdefault(binding.action, []).append(binding)
    for bindings in bound.values():
        keys = " ".join(screen.app.get_key_display(each) for each in bindings)
        yield keys, bindings[0].tooltip or bindings[0].description
