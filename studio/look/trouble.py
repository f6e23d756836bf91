"""What went wrong, on the page where it happened: in a sentence, and with what can be done now."""

from __future__ import annotations

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget


class Trouble(Widget):
    """Hidden until `say`. Takes as much room as it needs, and can be dismissed with a click."""

    DEFAULT_CSS = """
    Trouble { display: none; height: auto; max-height: 8; width: 1fr; padding: 0 1; background: $error 12%;
              border-left: thick $error; color: $foreground; }
    Trouble.-shown { display: block; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sentence = self._remedy = ""

    @property
    def sentence(self) -> str:
        """What is said now; '' while all is well."""
        return self._sentence

    def say(self, sentence: str, remedy: str = "") -> None:
        """Show what happened, and what to do about it."""
        self._sentence, self._remedy = sentence.strip(), remedy
        self.set_class(bool(self._sentence), "-shown")
        self.refresh(layout=True)

    def clear(self) -> None:
        """All is well again."""
        self.say("")

    def on_click(self) -> None:
        self.clear()

    def render(self) -> RenderResult:
        words = Content.assemble(("✗ ", "$error bold"), self._sentence)
        return words + Content.styled(f"  {self._remedy}", "$dim") if self._remedy else words
