"""A list of any length, of which only the rows on the screen are drawn: five thousand cost what fifty do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

Item = TypeVar("Item")
_GAP = 2


@dataclass(frozen=True)
class Column(Generic[Item]):
    title: str
    cell: Callable[[Item], Content | str]
    width: int = 0
    """In cells; 0 takes what the others leave."""
    right: bool = False
    wide: int = 0
    """Left out where the list is narrower than this."""


class Rows(ScrollView, Generic[Item], can_focus=True):
    """A line of headings, and a line an item. It posts `Moved` when another row is under the cursor, and `Picked` for
    Enter or a double click; both have the item."""

    class Moved(Message):
        """Another row is under the cursor; None when the list is empty."""

        def __init__(self, rows: Rows[Any], item: Any) -> None:
            super().__init__()
            self.rows = rows
            self.item = item

        @property
        def control(self) -> Rows[Any]:
            return self.rows

    class Picked(Moved):
        """This row is meant."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "Up", show=False),
        Binding("down,j", "step(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "first", "First", show=False),
        Binding("end", "last", "Last", show=False),
        Binding("enter", "pick", "Open", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--head", "rows--cursor", "rows--row"}
    DEFAULT_CSS = """
    Rows { height: 1fr; width: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; }
    Rows > .rows--head { color: $dim; }
    Rows > .rows--row { color: $foreground; }
    Rows > .rows--cursor { background: $block-cursor-blurred-background; }
    Rows:focus > .rows--cursor { background: $block-cursor-background; }
    """
    cursor = reactive(0)

    def __init__(
        self, *columns: Column[Item], key: Callable[[Item], object] = lambda item: item, id: str | None = None
    ) -> None:
        """`key` tells items apart, so that the cursor stays where it was when the list is shown anew."""
        super().__init__(id=id)
        self.columns = columns
        self.items: Sequence[Item] = ()
        self._key = key

    @property
    def item(self) -> Item | None:
        """What is under the cursor."""
        return self.items[self.cursor] if self.cursor < len(self.items) else None

    def show(self, items: Sequence[Item]) -> None:
        """These from now on. The cursor stays on its item while that is among them."""
        before = self.item
        self.items = items
        self.virtual_size = Size(self.size.width, len(items) + 1)
        place = self._place(before) if before is not None else None
        self.cursor = min(self.cursor, max(len(items) - 1, 0)) if place is None else place
        if place is None or self.item != before:
            self.post_message(self.Moved(self, self.item))
        self._into_view()
        self.refresh()

    def to(self, key: object) -> bool:
        """Put the cursor on the item with this key; False when there is none."""
        place = next((n for n, item in enumerate(self.items) if self._key(item) == key), None)
        if place is not None:
            self.cursor = place
        return place is not None

    def _place(self, wanted: Item) -> int | None:
        key = self._key(wanted)
        if self.cursor < len(self.items) and self._key(self.items[self.cursor]) == key:
            return self.cursor
        return next((n for n, item in enumerate(self.items) if self._key(item) == key), None)

    # -- drawing -----------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if y == 0:
            return self._strip(self._head(width), width, "rows--head")
        number = self.scroll_offset.y + y - 1
        if number >= len(self.items):
            return Strip.blank(width, self.rich_style)
        return self._strip(
            self._line(self.items[number], width), width, "rows--cursor" if number == self.cursor else "rows--row"
        )

    def _strip(self, line: Content, width: int, look: str) -> Strip:
        return Visual.to_strips(self, line, width, 1, self.get_visual_style(look), pad=True)[0]

    def _head(self, width: int) -> Content:
        return self._laid_out([Content(column.title) for column in self._shown(width)], width)

    def _line(self, item: Item, width: int) -> Content:
        found = [column.cell(item) for column in self._shown(width)]
        return self._laid_out([Content(each) if isinstance(each, str) else each for each in found], width)

    def _shown(self, width: int) -> list[Column[Item]]:
        return [column for column in self.columns if width >= column.wide]

    def _laid_out(self, cells: Sequence[Content], width: int) -> Content:
        columns = self._shown(width)
        given = sum(column.width for column in columns) + _GAP * (len(columns) - 1) + 2
        loose = sum(not column.width for column in columns)
        rest = max(width - given, 4 * loose) // max(loose, 1)
        line = Content(" ")
        for number, (column, cell) in enumerate(zip(columns, cells, strict=True)):
            room = column.width or rest
            cut = cell.truncate(room, ellipsis=True) if cell.cell_length > room else cell
            gap = " " * (room - cut.cell_length)
            line = line + (gap + cut if column.right else cut + gap)
            line = line + " " * _GAP if number < len(columns) - 1 else line
        return line

    # -- moving ------------------------------------------------------------------------------------------------------

    def watch_cursor(self, before: int, now: int) -> None:
        if before != now:
            self._into_view()
            self.refresh()
            self.post_message(self.Moved(self, self.item))

    def validate_cursor(self, cursor: int) -> int:
        return min(max(cursor, 0), max(len(self.items) - 1, 0))

    def _into_view(self) -> None:
        height = max(self.scrollable_content_region.height - 1, 1)
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.items) + 1)
        self.call_after_refresh(self._into_view)

    def action_step(self, by: int) -> None:
        self.cursor += by

    def action_page(self, by: int) -> None:
        self.cursor += by * max(self.scrollable_content_region.height - 2, 1)

    def action_first(self) -> None:
        self.cursor = 0

    def action_last(self) -> None:
        self.cursor = len(self.items) - 1

    def action_pick(self) -> None:
        if self.item is not None:
            self.post_message(self.Picked(self, self.item))

    def on_click(self, event: events.Click) -> None:
        number = self.scroll_offset.y + event.y - 1
        if event.y == 0 or number >= len(self.items):
            return
        self.cursor = number
        if event.chain == 2:
            self.action_pick()
