"""The page of recorded calls: find one, see at a glance how it went, replay it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from voicebot.errors import BadInput, VoicebotError
from voicebot.store import calls
from voicebot.store.calls import CallRecord
from voicebot.studio.look import Empty, Page, Request, TranscriptView, Trouble, WaterfallView
from voicebot.studio.look.rows import Column, Rows
from voicebot.studio.look.theme import grade

from . import query
from .replay import Replay
from .shelf import Card, Shelf, counted

_LOOK_AGAIN_S = 3.0
_OUTCOMES = {"contained": "$success", "failed": "$error", "abandoned": "$warning", "transferred": "$tool"}


class Calls(Page):
    """The list, and beside it the call under the cursor."""

    HELP = (
        "Type words that were said, or `agent:` `caller:` `end:` `via:` `on:` `slower:` and a value; all of it has to "
        "fit. Enter replays a call. Mark one with **m** and open another one with **b** to hear both beside each other."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "Find", key_display="/"),
        Binding("m", "mark", "Mark"),
        Binding("b", "beside", "Beside the marked"),
        Binding("t", "test", "Make a test of it"),
        Binding("escape", "clear", "Leave or clear the field", show=False),
    ]
    DEFAULT_CSS = """
    Calls #find { height: 3; }
    Calls #count { height: 1; padding: 0 2; color: $dim; }
    Calls #body { height: 1fr; }
    Calls #list { width: 3fr; }
    Calls #glance { width: 2fr; border-left: solid $line; padding: 0 1; display: none; }
    Calls.-roomy #glance { display: block; }
    Calls #glance Static { height: auto; margin-bottom: 1; }
    Calls #glance WaterfallView { height: auto; max-height: 14; border-top: solid $line; }
    Calls.-low #find { height: 1; border: none !important; padding: 0 2; }
    Calls.-low #count { display: none; }
    """

    def __init__(self, project: Path) -> None:
        super().__init__(project)
        self.shelf = Shelf(project)
        self._cards: list[Card] = []
        self._marked: str | None = None
        self.searchable = False
        """What was said in the calls is read."""
        self.answers = 0
        """How often the list was filled."""

    def compose_page(self) -> ComposeResult:
        yield Trouble()
        yield Input(placeholder="find words, or agent: caller: end: on: slower:", id="find")
        yield Static(id="count")
        with Horizontal(id="body"):
            yield Rows[Card](*_columns(self), key=lambda card: card.call, id="list")
            with Vertical(id="glance"):
                yield Static(id="facts")
                yield TranscriptView("caller")
                yield WaterfallView(most=8)
        yield Empty(
            "No call was recorded here yet.",
            ("2", "talk to an agent: every call is kept"),
            ("5", "let a persona call one"),
            ("voicebot demo", "in a shell: a call in this folder, at once"),
            id="none",
        )

    def on_mount(self) -> None:
        self.query_one("#none").display = False
        self.query_one(Rows).focus()
        self._load()
        self.set_interval(_LOOK_AGAIN_S, self._look_again)

    def on_resize(self) -> None:
        self.set_class(self.size.width >= 104, "-roomy")
        self.set_class(self.size.height < 16, "-low")

    def on_screen_resume(self) -> None:
        if self.searchable:
            self._load()

    def receive(self, request: Request) -> None:
        self.app.push_screen(Replay(self.project, [request.path], request.at_ms))

    # -- reading, off the screen's thread ----------------------------------------------------------------------------

    @work(thread=True, exclusive=True, group="again")
    def _look_again(self) -> None:
        if self.is_current and self.searchable and self.shelf.changed():
            self.call_later(self._load)

    @work(thread=True, exclusive=True, group="load")
    def _load(self) -> None:
        """First which calls there are, then what is known of them, then what was said in them."""
        worker = get_current_worker()
        try:
            if not self.searchable:
                self.call_later(self._show, self.shelf.names())
            self.shelf.load()
            if not worker.is_cancelled:
                self.call_later(self._search)
            self.shelf.read_words()
        except (VoicebotError, OSError) as error:
            self.call_later(self.query_one(Trouble).say, str(error))
            return
        if not self.searchable and not worker.is_cancelled:
            self.searchable = True
            self.call_later(self._search)

    @on(Input.Changed, "#find")
    def _typed(self) -> None:
        self._search()

    @work(thread=True, exclusive=True, group="search")
    def _search(self) -> None:
        worker = get_current_worker()
        try:
            found = self.shelf.search(query.parse(self.query_one("#find", Input).value))
        except BadInput as error:
            self.call_later(self.query_one(Trouble).say, str(error))
            return
        if not worker.is_cancelled:
            self.call_later(self._show, found, True)

    def _show(self, cards: list[Card], clear: bool = False) -> None:
        self.answers += 1
        if clear:
            self.query_one(Trouble).clear()
        whole = self.shelf.count or len(cards)
        self._cards = cards
        self.query_one(Rows).show(cards)
        self.query_one("#none").display = not whole
        self.query_one("#body").display = bool(whole)
        reading = "" if self.searchable else "  ·  reading what was said ..."
        self.query_one("#count", Static).update(counted(cards, whole) + reading if whole else "")

    # -- the call under the cursor -----------------------------------------------------------------------------------

    @on(Rows.Moved, "#list")
    def _moved(self, moved: Rows.Moved) -> None:
        if moved.item is not None:
            self._glance(moved.item)

    @work(thread=True, exclusive=True, group="glance")
    def _glance(self, card: Card) -> None:
        worker = get_current_worker()
        try:
            record = calls.read(self.shelf.folder / card.call)
        except BadInput as error:
            self.call_later(self._cannot, card, str(error))
            return
        if not worker.is_cancelled:
            self.call_later(self._look_at, card, record)

    def _cannot(self, card: Card, why: str) -> None:
        self.query_one("#facts", Static).update(Content.styled(why, "$error"))
        self.query_one("#glance TranscriptView", TranscriptView).clear()
        self.query_one(WaterfallView).show([])

    def _look_at(self, card: Card, record: CallRecord) -> None:
        self.query_one("#facts", Static).update(_facts(card, record))
        self.query_one("#glance TranscriptView", TranscriptView).load(record.events)
        self.query_one(WaterfallView).show(record.waterfalls)

    # -- keys --------------------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> Path | None:
        card = self.query_one(Rows).item
        return self.shelf.folder / card.call if card else None

    def action_find(self) -> None:
        self.query_one("#find", Input).focus()

    def action_clear(self) -> None:
        field = self.query_one("#find", Input)
        if field.has_focus or not field.value:
            self.query_one(Rows).focus()
        else:
            field.value = ""

    @on(Input.Submitted, "#find")
    def _to_list(self) -> None:
        self.query_one(Rows).focus()

    @on(Rows.Picked, "#list")
    def _open(self, picked: Rows.Picked) -> None:
        self.app.push_screen(Replay(self.project, [self.shelf.folder / picked.item.call]))

    def action_mark(self) -> None:
        card = self.query_one(Rows).item
        self._marked = None if card is None or card.call == self._marked else card.call
        self.query_one(Rows).refresh()

    def action_beside(self) -> None:
        if self._marked is None:
            self.notify("Mark the first of the two with m.", severity="warning")
        elif self.chosen is not None:
            self.app.push_screen(Replay(self.project, [self.shelf.folder / self._marked, self.chosen]))

    def action_test(self) -> None:
        """By way of the replay, where one sees of what."""
        if self.chosen is not None:
            replay = Replay(self.project, [self.chosen])
            self.app.push_screen(replay)
            self.call_after_refresh(replay.action_test)

    def is_marked(self, card: Card) -> bool:
        return card.call == self._marked


def _columns(page: Calls) -> list[Column[Card]]:
    return [
        Column("", lambda card: Content.styled("●", "$primary") if page.is_marked(card) else " ", 1),
        Column("when", _when, 12),
        Column("agent", lambda card: card.agent if card.readable else "cannot be read", 18, wide=92),
        Column("caller", lambda card: card.caller or card.transport, 12, wide=30),
        Column("what", _what),
        Column("length", lambda card: _length(card.duration_s), 6, right=True, wide=78),
        Column("turns", lambda card: str(card.turns), 5, right=True, wide=112),
        Column("v2v p50", _p50, 8, right=True, wide=52),
        Column("end", _end, 11, wide=62),
    ]


def _when(card: Card) -> Content:
    if not card.started_at:
        return Content.styled(card.call[:12], "$dim")
    when = datetime.fromisoformat(card.started_at).astimezone()
    return Content.styled(f"{when:%b %d %H:%M}", "$secondary")


def _what(card: Card) -> Content:
    return Content.styled(card.found or card.call, "$foreground" if card.found else "$dim")


def _length(seconds: float | None) -> str:
    return "" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _p50(card: Card) -> Content:
    if card.p50_ms is None:
        return Content.styled("-" if card.agent else "", "$dim")
    return Content.styled(f"{card.p50_ms:.0f} ms", grade(card.p50_ms))


def _end(card: Card) -> Content:
    if not card.readable:
        return Content.styled("damaged", "$error")
    if not card.agent:
        return Content("")
    word = card.outcome or (card.ended or "no end").replace("_", " ")
    return Content.styled(word, _OUTCOMES.get(word, "$secondary"))


def _facts(card: Card, record: CallRecord) -> Content:
    started, latency = record.started, record.latency
    caller = started.caller or started.transport
    lines = [
        Content.assemble((started.agent, "$foreground bold"), ("  called by ", "$dim"), caller),
        Content.styled(" · ".join(each for each in (started.stt, started.brain, started.tts) if each), "$dim"),
        Content.assemble((record.how_it_ended, "$secondary"), (f"  {record.folder.name}", "$dim")),
    ]
    if card.cost_usd:
        lines.append(Content.styled(f"${card.cost_usd:.4f}", "$secondary"))
    if latency:
        lines.append(Content.assemble(("p95 ", "$dim"), (f"{latency.p95:.0f} ms", grade(latency.p95))))
    if record.broken:
        lines.append(Content.styled(f"{len(record.broken)} lines of its record cannot be read", "$warning"))
    return Content("\n").join(lines)
