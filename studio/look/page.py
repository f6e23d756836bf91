"""The frame of every page: the tabs above, the keys below, and what a page may be asked to show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer

from .tabs import Tabs

if TYPE_CHECKING:
    from voicebot.studio.app import Studio


@dataclass(frozen=True)
class Request:
    """What one page asks of another: `app.go("calls", Request(folder, at_ms=8200))`."""

    path: Path
    """An agent's file, a call's folder, a persona's file, a test's file."""
    at_ms: float | None = None
    """Where in a call."""
    about: str = ""
    """Anything else: the name of a suite, of a scenario."""


class Page(Screen[None]):
    """A page of the studio. A subclass composes what is between the tabs and the keys, and says in HELP what it is for.

    Its keys are its BINDINGS; those with a description stand in the footer and in the help (F1).
    """

    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012 - textual declares it no ClassVar
        (0, "-narrow"),
        (72, "-normal"),
        (130, "-wide"),
    ]
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012 - textual declares it no ClassVar
        (0, "-short"),
        (18, "-high"),
        (40, "-tall"),
    ]
    """The page has the class of its width and the one of its height, for the style sheet."""
    HELP: ClassVar[str] = ""
    """What one does here, for F1. **Bold** is for keys."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.leave_field", "Leave the field", show=False),
    ]

    def __init__(self, project: Path) -> None:
        super().__init__()
        self.project = project

    def compose(self) -> ComposeResult:
        yield Tabs()
        yield from self.compose_page()
        yield Footer(show_command_palette=False, compact=True)

    def compose_page(self) -> ComposeResult:
        """What the page is made of."""
        raise NotImplementedError

    @property
    def studio(self) -> Studio:
        """The app, with the way to other pages: `await self.studio.go("talk", Request(path))`."""
        return cast("Studio", self.app)

    async def may_leave(self) -> bool:
        """Asked in a worker before the studio closes; False keeps it open. For pages that hold something unsaved."""
        return True

    def receive(self, request: Request) -> None:
        """Another page asks for something; called when this one is on the screen."""
