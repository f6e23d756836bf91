"""What a comparison of two runs says: the sentence, its reasons, and every figure that was compared."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from voicebot.evals.compare import Comparison, Reason, Trend, table

_LOOKS = {"regressed": ("▼", "$error"), "improved": ("▲", "$success"), "no evidence": ("•", "$secondary")}


def told(comparison: Comparison, width: int = 100) -> Content:
    """All of it, a line each; figures in columns."""
    sign, style = _LOOKS[comparison.verdict]
    lines = [Content.styled(f"{sign} {comparison.says}", f"{style} bold")]
    for reason in comparison.reasons:
        lines += _reason(reason)
    figures = [trend for trend in comparison.trends if trend.n]
    if figures:
        lines += [Content(), _figures_head(width), *(_figure(trend, width) for trend in figures)]
    lines += [Content(), *(Content.styled(text, "$dim") for text in table.left_out(comparison))]
    return Content("\n").join(lines)


def _reason(reason: Reason) -> list[Content]:
    sign, style = _LOOKS[reason.verdict]
    lines = [Content.assemble((f"  {sign} {reason.stage}: ", style), reason.says)]
    if reason.cases:
        lines.append(Content.styled(f"      {table.named(reason.cases)}", "$dim"))
    return lines


def _figures_head(width: int) -> Content:
    interval = f"{'95 % of the change':>24}" if width >= 96 else ""
    return Content.styled(f"{'figure':<26}{'A':>10}{'B':>10}{'change':>11}{interval}{'n':>5}  verdict", "$dim")


def _figure(trend: Trend, width: int) -> Content:
    return Content.assemble(
        f"{trend.metric:<26}",
        (f"{table.figure(trend.a, trend.unit):>10}{table.figure(trend.b, trend.unit):>10}", "$secondary"),
        f"{table.change(trend):>11}",
        (f"{table.interval(trend):>24}" if width >= 96 else "", "$dim"),
        (f"{trend.n:>5}  ", "$dim"),
        (trend.verdict, _LOOKS[trend.verdict][1]),
    )


class Verdict(ModalScreen[None]):
    """The comparison in a box that scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "Close")]
    DEFAULT_CSS = """
    Verdict { align: center middle; background: $background 65%; }
    Verdict > VerticalScroll { width: 110; max-width: 96%; height: auto; max-height: 92%; background: $surface;
                               padding: 1 2; border: round $primary; border-title-color: $primary;
                               border-subtitle-color: $dim; }
    """

    def __init__(self, title: str, comparison: Comparison, remark: str = "") -> None:
        """`remark`: what else is to be known, such as that latencies were left out."""
        super().__init__()
        self._title, self._comparison, self._remark = title, comparison, remark

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title, box.border_subtitle = self._title, "esc closes"
            yield Static(id="told")

    def on_resize(self) -> None:
        words = told(self._comparison, min(self.size.width - 10, 104))
        if self._remark:
            words = words + "\n" + Content.styled(self._remark, "$warning")
        self.query_one("#told", Static).update(words)
