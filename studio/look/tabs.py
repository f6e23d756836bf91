"""The line above every page: where one is, where one can go, and in which project."""

from __future__ import annotations

from textual.app import RenderResult
from textual.content import Content
from textual.style import Style
from textual.widget import Widget

NARROW = 72
"""Below this width only the present page is spelled out."""


class Tabs(Widget):
    """One line. Each name can be clicked, and has its key beside it."""

    DEFAULT_CSS = """
    Tabs { dock: top; height: 1; background: $panel; color: $secondary; padding: 0 1;
           link-style: none; link-style-hover: bold; link-background-hover: $background; }
    """

    def render(self) -> RenderResult:
        from voicebot.studio.app import Studio

        app = self.app
        assert isinstance(app, Studio)
        narrow = self.size.width < NARROW
        line = Content() if narrow else Content.styled("voicebot  ", "$primary bold")
        for entry in app.pages:
            line = line + _tab(entry.key, entry.name, entry.mode, here=app.current_mode == entry.mode, narrow=narrow)
        return _filled(line, app.where, self.size.width - 2)


def _tab(key: str, name: str, mode: str, *, here: bool, narrow: bool) -> Content:
    words = f" {name} " if here or not narrow else " "
    tab = Content.assemble((f" {key}", "$primary bold"), (words, "$foreground bold" if here else "$secondary"))
    if here:
        tab = tab.stylize("on $background")
    return tab.stylize(Style.from_meta({"@click": f"app.go('{mode}')"}))


def _filled(line: Content, where: str, width: int) -> Content:
    """The project at the right edge, where there is room for it."""
    gap = width - line.cell_length - len(where)
    return line + " " * gap + Content.styled(where, "$dim") if gap > 1 else line
