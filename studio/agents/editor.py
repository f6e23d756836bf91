"""The editor of an agent file: YAML in colours, and a mark at every line that something is wrong with."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text
from textual.color import Color
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from .problems import Problem

_THEME = "voicebot"
_SYNTAX = {
    "yaml.field": "primary",
    "string": "foreground",
    "number": "warning",
    "boolean": "warning",
    "constant.builtin": "warning",
    "comment": "dim",
    "type": "stage-brain",
    "punctuation.delimiter": "dim",
    "punctuation.bracket": "dim",
    "punctuation.special": "dim",
}
"""What the highlighter calls a piece of YAML -> the theme's colour for it."""


class Editor(TextArea):
    """`mark` shows problems; undo and redo are ctrl+z and ctrl+y."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(
            "", language="yaml", show_line_numbers=True, tab_behavior="indent", soft_wrap=False, id=id,
            highlight_cursor_line=True,
        )  # fmt: skip
        self.indent_width = 2
        self._problems: dict[int, Problem] = {}
        self._wrong = Style(underline=True)

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._colour())
        self._colour()

    def _colour(self) -> None:
        colours = self.app.theme_variables
        syntax = {name: Style(color=colours[colour][:7]) for name, colour in _SYNTAX.items()}
        self.register_theme(TextAreaTheme(_THEME, syntax_styles=syntax))
        ground, red = Color.parse(colours["background"]), Color.parse(colours["error"])
        self._wrong = Style(underline=True, bgcolor=ground.blend(red, 0.25).rich_color)
        self.theme = _THEME
        self._set_theme(_THEME)

    def mark(self, problems: Sequence[Problem]) -> None:
        """Show these, and no others."""
        marks = {problem.line - 1: problem for problem in reversed(problems) if problem.line}
        if marks != self._problems:
            self._problems = marks
            self.notify_style_update()
            self.refresh()

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        if problem := self._problems.get(line_index):
            begins = min(problem.column - 1, max(len(line) - 1, 0))
            length = len(line.plain[begins:].partition(" #")[0].rstrip())
            line.stylize(self._wrong, begins, begins + max(length, 1))
        return line
