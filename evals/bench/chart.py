"""Bars with a target beside them, as an SVG file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LABEL, _BAR, _GAP, _ROW = 900, 300, 500, 60, 24
_GOOD, _POOR, _INK, _FAINT = "#2e8b57", "#d2691e", "#222222", "#999999"


@dataclass(frozen=True)
class Panel:
    """One measure of all rows."""

    title: str
    values: Sequence[float]
    shown: Sequence[str]
    """The values as they are written beside the bars."""
    target: float
    """Below it a bar is green."""
    target_shown: str


def svg(title: str, labels: Sequence[str], panels: Sequence[Panel]) -> str:
    """The panels one beneath the other, each with a bar for every label."""
    height = 50 + len(panels) * (_GAP + _ROW * len(labels))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"',
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        _text(20, 30, title, size=17),
    ]
    for number, panel in enumerate(panels):
        parts += _panel(50 + number * (_GAP + _ROW * len(labels)), labels, panel)
    return "\n".join([*parts, "</svg>", ""])


def _panel(top: int, labels: Sequence[str], panel: Panel) -> list[str]:
    most = max(*panel.values, panel.target * 1.25)
    bottom = top + 30 + _ROW * len(labels)
    parts = [_text(20, top + 18, f"{panel.title}, target {panel.target_shown}", size=14)]
    for row, (label, value, shown) in enumerate(zip(labels, panel.values, panel.shown, strict=True)):
        y = top + 30 + row * _ROW
        length = max(1.0, _BAR * value / most)
        colour = _GOOD if value < panel.target else _POOR
        parts += [
            _text(_LABEL - 10, y + 15, label, anchor="end"),
            f'<rect x="{_LABEL}" y="{y + 3}" width="{length:.1f}" height="{_ROW - 8}" fill="{colour}"/>',
            _text(_LABEL + length + 6, y + 15, shown),
        ]
    x = _LABEL + _BAR * panel.target / most
    line = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top + 26}" y2="{bottom}" stroke="{_FAINT}" stroke-dasharray="4 3"/>'
    return [*parts, line]


def _text(x: float, y: float, text: str, *, size: int = 13, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{_INK}">{escape(text)}</text>'
    )
