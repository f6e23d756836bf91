"""The page of a running server: who talks with whom now, each call as it happens, and a hand on it where need be."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from voicebot.errors import BadInput, VoicebotError
from voicebot.events import Event
from voicebot.latency import waterfalls
from voicebot.studio.look import Ask, Confirm, Empty, Page, TranscriptView, Trouble, WaterfallView, Working
from voicebot.studio.look.rows import Column, Rows

from .client import Client, Figures, LiveCall
from .listening import Listening

_POLL_S = 1.0
_AGAIN_S = 3.0
_SETTLED_S = 0.25
"""A call is followed once the cursor has rested on it for so long."""


class Server(Page):
    """A form until it is connected; then the calls at the left, and the one under the cursor at the right."""

    HELP = (
        "Connect with the address of a `voicebot serve` and a key with `calls:read`; to end a call or speak in it "
        "the key needs `calls:write`, to drain the server `server:drain`, for the figures above `metrics:read`. The "
        "key is kept in memory only."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "listen", "Listen in"),
        Binding("w", "say", "Say something"),
        Binding("e", "end", "End the call"),
        Binding("d", "drain", "Drain"),
        Binding("x", "disconnect", "Disconnect"),
    ]
    DEFAULT_CSS = """
    Server #form { align: center middle; height: 1fr; }
    Server #form Vertical { width: 64; max-width: 96%; height: auto; border: round $line; padding: 1 2;
                            border-title-color: $primary; border-subtitle-color: $dim; }
    Server #form Label { color: $secondary; }
    Server #status { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    Server #body { height: 1fr; display: none; }
    Server #status { display: none; }
    Server.-connected #body { display: block; }
    Server.-connected #status { display: block; }
    Server.-connected #form { display: none; }
    Server #left { width: 2fr; }
    Server #calls { height: 1fr; }
    Server #right { width: 3fr; border-left: solid $line; }
    Server.-close #right { width: 2fr; }
    Server.-tiny #right { display: none; }
    Server #call-title { height: 1; padding: 0 1; color: $secondary; text-wrap: nowrap; text-overflow: ellipsis; }
    Server WaterfallView { height: auto; max-height: 12; border-top: solid $line; padding: 0 1; }
    Server.-low WaterfallView { display: none; }
    """

    def __init__(self, project: Path) -> None:
        super().__init__(project)
        self.client: Client | None = None
        self.listening: Listening | None = None
        self._followed = ""
        self._happened: list[Event] = []

    def compose_page(self) -> ComposeResult:
        yield Trouble()
        yield Working("l")
        with Vertical(id="form"), Vertical() as box:
            box.border_title, box.border_subtitle = "Connect to a server", "enter connects"
            yield Label("Address")
            yield Input("http://localhost:8080", id="url")
            yield Label("API key (voicebot keys create watcher --scope calls:read)")
            yield Input(password=True, placeholder="vb_...", id="key")
        yield Static(id="status")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield Rows[LiveCall](*_COLUMNS, key=lambda call: call.id, id="calls")
                yield Empty("Nobody is talking at the moment.", ("", "calls appear here as they begin"), id="quiet")
            with Vertical(id="right"):
                yield Static(id="call-title")
                yield TranscriptView("caller")
                yield WaterfallView(most=8)

    def on_mount(self) -> None:
        self.query_one("#key", Input).focus()

    async def on_unmount(self) -> None:
        if self.listening is not None:
            self.listening.stop()
        if self.client is not None:
            await self.client.close()

    def on_resize(self) -> None:
        self.set_class(self.size.width < 110, "-close")
        self.set_class(self.size.width < 70, "-tiny")
        self.set_class(self.size.height < 24, "-low")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What needs a server is not offered without one."""
        return self.client is not None or action not in ("listen", "say", "end", "drain", "disconnect")

    # -- connecting --------------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    def _submitted(self, submitted: Input.Submitted) -> None:
        key = self.query_one("#key", Input)
        if submitted.input.id == "url" and not key.value:
            key.focus()
        else:
            self._connect(self.query_one("#url", Input).value, key.value)

    @work(exclusive=True, group="connect")
    async def _connect(self, url: str, key: str) -> None:
        trouble, working = self.query_one(Trouble), self.query_one(Working)
        trouble.clear()
        client: Client | None = None
        working.begin("connecting")
        try:
            client = Client(url, key)
            calls = await client.live()
        except VoicebotError as error:
            if client is not None:
                await client.close()
            trouble.say(str(error))
            return
        finally:
            working.done()
        self.query_one("#key", Input).value = ""
        self.client = client
        self.add_class("-connected")
        self.query_one("#calls").focus()
        self.refresh_bindings()
        self._show(calls)
        self._watch(client)

    @work(exclusive=True, group="watch")
    async def _watch(self, client: Client) -> None:
        """Asks again and again. A server that is gone may come back."""
        while client is self.client:
            try:
                calls, figures = await asyncio.gather(client.live(), client.figures())
            except VoicebotError as error:
                self.query_one(Trouble).say(str(error), "What is shown is from before; it is tried again.")
                await asyncio.sleep(_AGAIN_S)
                continue
            self.query_one(Trouble).clear()
            self._show(calls)
            self.query_one("#status", Static).update(_status(client.url, figures, len(calls)))
            await asyncio.sleep(_POLL_S)

    def _show(self, calls: list[LiveCall]) -> None:
        self.query_one("#calls", Rows).show(calls)
        self.query_one("#calls", Rows).display = bool(calls)
        self.query_one("#quiet").display = not calls

    async def action_disconnect(self) -> None:
        client, self.client = self.client, None
        self._stop_listening()
        self.workers.cancel_group(self, "watch")
        self.workers.cancel_group(self, "follow")
        if client is not None:
            await client.close()
        self._followed = ""
        self.remove_class("-connected")
        self.query_one(Trouble).clear()
        self.query_one("#key", Input).focus()
        self.refresh_bindings()

    # -- one call ----------------------------------------------------------------------------------------------------

    @on(Rows.Moved, "#calls")
    def _moved(self, moved: Rows.Moved) -> None:
        """A call that is over stays on the screen until another one is under the cursor."""
        if moved.item is not None and moved.item.id != self._followed:
            self._followed = moved.item.id
            self._follow(moved.item)

    @work(exclusive=True, group="follow")
    async def _follow(self, call: LiveCall) -> None:
        await asyncio.sleep(_SETTLED_S)
        self._begin(call)
        after = 0
        while (client := self.client) is not None:
            try:
                async for number, event in client.events(call.id, after):
                    after = number
                    self._feed(event)
                return
            except BadInput:  # it has ended, and its record is not to be had
                return
            except VoicebotError:  # `_watch` says so; it goes on behind the last event that came
                await asyncio.sleep(_AGAIN_S)

    def _begin(self, call: LiveCall) -> None:
        self._happened = []
        self.query_one(TranscriptView).clear()
        self.query_one(WaterfallView).show([])
        title = Content.assemble((call.agent, "$foreground bold"), ("  with ", "$dim"), call.caller or call.transport)
        self.query_one("#call-title", Static).update(title + Content.styled(f"  {call.id}", "$dim"))

    def _feed(self, event: Event) -> None:
        self._happened.append(event)
        self.query_one(TranscriptView).feed(event)
        if event.type in ("agent_speech_started", "agent_saying"):
            self.query_one(WaterfallView).show(waterfalls(self._happened))

    @property
    def call(self) -> LiveCall | None:
        found: LiveCall | None = self.query_one("#calls", Rows).item
        return found

    @work
    async def action_end(self) -> None:
        call, client = self.call, self.client
        if call is None or client is None:
            return
        about = f"{call.agent} hangs up on {call.caller or 'the caller'} at once."
        if await self.app.push_screen_wait(Confirm("End this call?", about, yes="ends it")):
            await self._ask(client.end(call.id), "The call is ended.")

    @work
    async def action_say(self) -> None:
        call, client = self.call, self.client
        if call is None or client is None:
            return
        about = f"{call.agent} says it to the caller when it next has the floor."
        if text := await self.app.push_screen_wait(Ask("Say something in this call", about, enter="says it")):
            await self._ask(client.say(call.id, text), "It will be said.")

    async def _ask(self, asked: object, done: str) -> None:
        try:
            await asked  # type: ignore[misc]  # a coroutine of the client's
        except VoicebotError as error:
            self.query_one(Trouble).say(str(error))
        else:
            self.notify(done)

    @work
    async def action_drain(self) -> None:
        client = self.client
        if client is None:
            return
        about = "It takes no new calls, lets the running ones finish, and stops. Nobody can call it back from that."
        if await self.app.push_screen_wait(Confirm("Drain this server?", about, yes="drains it")):
            await self._ask(client.drain(), "The server takes no new calls, and stops when the running ones are over.")

    # -- listening in ------------------------------------------------------------------------------------------------

    def action_listen(self) -> None:
        """Once to begin, once more to stop."""
        if self.listening is not None:
            self._stop_listening()
        elif self.call is not None and self.client is not None:
            self._listen(self.client, self.call)

    @work(exclusive=True, group="listen")
    async def _listen(self, client: Client, call: LiveCall) -> None:
        self.listening = listening = Listening()
        working = self.query_one(Working)
        working.begin(f"listening to {call.caller or call.id}")
        try:
            await asyncio.to_thread(listening.open)
            await listening.play(client.sound(call.id))
        except VoicebotError as error:
            self.query_one(Trouble).say(f"Nothing is to be heard: {error}")
        finally:
            listening.stop()
            self.listening = None
            working.done()

    def _stop_listening(self) -> None:
        if self.listening is not None:
            self.workers.cancel_group(self, "listen")

    def on_working_cancelled(self) -> None:
        self._stop_listening()


def _status(url: str, figures: Figures, shown: int) -> Content:
    state = ("● takes calls", "$success") if figures.ready else ("● takes no new calls: full, or stopping", "$warning")
    active = figures.active if figures.active is not None else shown
    of = f" of {figures.limit}" if figures.limit else ""
    workers = f"  ·  {figures.workers} workers" if figures.workers else ""
    return Content.assemble((f"{url}  ", "$primary bold"), state, (f"  ·  {active}{of} calls{workers}", "$secondary"))


def _since(call: LiveCall) -> str:
    began = call.started_at or call.created_at
    began = began if began.tzinfo else began.replace(tzinfo=UTC)
    seconds = max(int((datetime.now(UTC) - began).total_seconds()), 0)
    return f"{seconds // 60}:{seconds % 60:02d}"


_COLUMNS = (
    Column[LiveCall]("for", lambda call: Content.styled(_since(call), "$success"), 6, right=True),
    Column[LiveCall]("agent", lambda call: Content.styled(call.agent, "$foreground bold"), 12),
    Column[LiveCall]("caller", lambda call: call.caller or "-"),
    Column[LiveCall]("via", lambda call: Content.styled(call.transport, "$dim"), 9, wide=50),
)
