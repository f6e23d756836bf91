"""A page that could not be opened says why; the others go on."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult

from .empty import Empty
from .page import Page


class Broken(Page):
    def __init__(self, project: Path, name: str, why: BaseException) -> None:
        super().__init__(project)
        self._name_of, self._why = name, why

    def compose_page(self) -> ComposeResult:
        said = f"{type(self._why).__name__}: {self._why}"
        yield Empty(f"{self._name_of} cannot be opened.", ("why", said), ("1-7", "the other pages work"))
