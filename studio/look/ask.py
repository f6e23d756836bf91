"""Modal questions with typed answers: `if await self.app.push_screen_wait(Confirm("Leave?")): ...` in a worker."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

Answer = TypeVar("Answer")


class Modal(ModalScreen[Answer | None]):
    """A box in the middle. Escape answers None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Never mind")]
    DEFAULT_CSS = """
    Modal { align: center middle; background: $background 65%; }
    Modal > Vertical { width: 72; max-width: 96%; height: auto; max-height: 92%; background: $surface; padding: 1 2;
                       border: round $primary; border-title-color: $primary; border-title-style: bold;
                       border-subtitle-color: $dim; }
    Modal Label { width: 1fr; height: auto; color: $secondary; }
    Modal .about { margin-bottom: 1; }
    Modal .wrong { color: $error; }
    Modal Input { border: tall $line; background: $background; margin: 0; }
    Modal Input:focus { border: tall $primary; }
    Modal OptionList { height: auto; max-height: 16; border: none; background: $surface; padding: 0; }
    """


class Confirm(Modal[bool]):
    """A yes or a no. `yes` says what happens then: a verb, not 'OK'."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "Yes"),
        Binding("n", "dismiss(False)", "No"),
    ]

    def __init__(self, question: str, about: str = "", *, yes: str = "yes") -> None:
        super().__init__()
        self._question, self._about, self._yes = question, about, yes

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._question
            box.border_subtitle = f"y {self._yes} · n no · esc never mind"
            yield Label(self._about or "Are you sure?", markup=False)


class Ask(Modal[str]):
    """A line of text. `check` gives the sentence that says what is wrong with it, or ''."""

    def __init__(
        self, title: str, about: str = "", value: str = "", *, placeholder: str = "", enter: str = "go on"
    ) -> None:
        super().__init__()
        self._title, self._about, self._value = title, about, value
        self._placeholder, self._enter = placeholder, enter

    def wrong(self, text: str) -> str:
        """What is wrong with an answer; '' when it will do. Subclasses say."""
        return "" if text.strip() else "Nothing was typed."

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._title
            box.border_subtitle = f"enter {self._enter} · esc never mind"
            if self._about:
                yield Label(self._about, classes="about", markup=False)
            yield Input(self._value, placeholder=self._placeholder, select_on_focus=False)
            yield Label("", classes="wrong", markup=False)

    @on(Input.Submitted)
    def _answer(self, submitted: Input.Submitted) -> None:
        if wrong := self.wrong(submitted.value):
            self.query_one(".wrong", Label).update(wrong)
        else:
            self.dismiss(submitted.value.strip())


class Choose(Modal[str]):
    """One of several. `options` is name -> what it is; the answer is the name."""

    def __init__(self, title: str, options: dict[str, str], about: str = "", chosen: str = "") -> None:
        super().__init__()
        self._title, self._about, self._options, self._chosen = title, about, options, chosen

    def compose(self) -> ComposeResult:
        width = max((len(name) for name in self._options), default=0)
        with Vertical() as box:
            box.border_title = self._title
            box.border_subtitle = "enter choose · esc never mind"
            if self._about:
                yield Label(self._about, classes="about", markup=False)
            options = OptionList(*(Option(_line(name, words, width), id=name) for name, words in self._options.items()))
            options.highlighted = next((i for i, name in enumerate(self._options) if name == self._chosen), 0)
            yield options

    @on(OptionList.OptionSelected)
    def _answer(self, selected: OptionList.OptionSelected) -> None:
        self.dismiss(selected.option_id)


def _line(name: str, words: str, width: int) -> Content:
    return Content.assemble((f"{name:<{width}}", "$primary"), "  ", (words, "$secondary"))
