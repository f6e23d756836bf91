"""Long work: what is being done, how far it is, and that it can be stopped."""

from __future__ import annotations

from textual.app import RenderResult
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

_CELLS = 24
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Working(Widget):
    """One line, hidden while nothing is done. Whoever does the work calls `begin`, `step` and `done`.

    A click on its end posts `Working.Cancelled`; a page binds a key to the same.
    """

    class Cancelled(Message):
        """The user wants it stopped."""

    DEFAULT_CSS = """
    Working { display: none; height: 1; width: 1fr; padding: 0 1; background: $surface; }
    Working.-shown { display: block; }
    """

    def __init__(self, key: str = "ctrl+x", id: str | None = None) -> None:
        """`key` is what the page has bound to cancelling, to be named."""
        super().__init__(id=id)
        self._key = key
        self._what = self._detail = ""
        self._at = self._of = 0
        self._frame = 0

    @property
    def busy(self) -> bool:
        return bool(self._what)

    def on_mount(self) -> None:
        self._ticking = self.set_interval(1 / 10, self._tick, pause=True)

    def begin(self, what: str, of: int = 0) -> None:
        """`of`: how many steps there are; 0 when nobody knows."""
        self._what, self._detail, self._at, self._of = what, "", 0, of
        self.add_class("-shown")
        self._ticking.resume()
        self.refresh()

    def step(self, at: int, detail: str = "") -> None:
        """`at` steps are done."""
        self._at, self._detail = at, detail
        self.refresh()

    def done(self) -> None:
        self._what = ""
        self._ticking.pause()
        self.remove_class("-shown")

    def _tick(self) -> None:
        self._frame += 1
        self.refresh()

    def on_click(self) -> None:
        self.post_message(self.Cancelled())

    def render(self) -> RenderResult:
        spinner = _FRAMES[self._frame % len(_FRAMES)]
        parts: list[str | Content | tuple[str, str]] = [(f"{spinner} ", "$primary"), (self._what, "$foreground")]
        if self._of:
            full = min(self._at * _CELLS // self._of, _CELLS)
            parts += ["  ", ("━" * full, "$primary"), ("━" * (_CELLS - full), "$line"), f"  {self._at}/{self._of}"]
        if self._detail:
            parts.append((f"  {self._detail}", "$dim"))
        return Content.assemble(*parts, (f"   {self._key} stops it", "$dim"))
