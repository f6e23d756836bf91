"""A level meter: how loud somebody is right now."""

from __future__ import annotations

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

QUIET_DB, WARM_DB, HOT_DB = -60.0, -12.0, -3.0
_EIGHTHS = " ▏▎▍▌▋▊▉█"


class Level(Widget):
    """One line: a name, and a bar from -60 dB to full scale. `level_db` moves it, `muted` crosses it out."""

    DEFAULT_CSS = "Level { height: 1; }"
    level_db = reactive(QUIET_DB)
    muted = reactive(False)

    def __init__(self, name: str, colour: str, id: str | None = None) -> None:
        super().__init__(id=id)
        self.named = name
        self.colour = colour

    def render(self) -> RenderResult:
        cells = max(self.size.width - len(self.named) - 1, 4)
        if self.muted:
            return Content.assemble((f"{self.named} ", "$dim"), ("muted".ljust(cells), "$error"))
        return Content.assemble((f"{self.named} ", "$dim"), bar(self.level_db, cells, self.colour))


def bar(level_db: float, cells: int, colour: str) -> Content:
    """An eighth of a cell exact; amber near full scale, red where it clips."""
    eighths = round(cells * 8 * min(1.0, max(0.0, 1 - level_db / QUIET_DB)))
    full, rest = divmod(eighths, 8)
    filled = "█" * full + (_EIGHTHS[rest] if rest else "")
    style = "$error" if level_db > HOT_DB else "$warning" if level_db > WARM_DB else colour
    return Content.assemble((filled, f"{style} on $panel"), (" " * (cells - len(filled)), "on $panel"))
