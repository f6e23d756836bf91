"""Where there is nothing yet: what this place is for, and the key that fills it."""

from __future__ import annotations

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget


class Empty(Widget):
    """`title` says what is missing; `steps` are (key or command, what it does), the likeliest first."""

    DEFAULT_CSS = """
    Empty { content-align: center middle; width: 1fr; height: 1fr; color: $secondary; padding: 1 2; }
    """

    def __init__(self, title: str, *steps: tuple[str, str], id: str | None = None) -> None:
        super().__init__(id=id)
        self.title = title
        self.steps = steps

    def tell(self, title: str, *steps: tuple[str, str]) -> None:
        """Say this instead."""
        self.title, self.steps = title, steps
        self.refresh()

    def render(self) -> RenderResult:
        width = max((len(key) for key, _ in self.steps), default=0)
        lines = [Content.styled(self.title, "$foreground bold")]
        for key, words in self.steps:
            step = Content.assemble((f"{key:>{width}}", "$primary bold"), "  ", (words, "$secondary"))
            lines += [Content(), step] if len(lines) == 1 else [step]
        return Content("\n").join(lines)
