"""The calls of one worker: each is run from its first sound to its entry in the books.

    ended = await desk.converse(row, agent, leg)

Whatever happens in a call stays there: it is in its record, and nothing is raised. What others ask of a running call
goes through `desk.live[id]`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Literal

from loguru import logger

from voicebot import logs
from voicebot.agent import Agent, Warm
from voicebot.call import Call
from voicebot.call.asides import Aside, Through, Wait
from voicebot.call.telling import Face
from voicebot.errors import BadInput, VoicebotError
from voicebot.events import CallEnded, Event, LineNews
from voicebot.money.prices import prices
from voicebot.observe.metrics import CallFigures, Meters
from voicebot.server.capacity.board import BoardRow
from voicebot.server.goodbye import goodbye
from voicebot.server.settings import Settings
from voicebot.server.state import CallRow, Ledger
from voicebot.server.state.registry import Registry
from voicebot.server.watching import Told, Watching
from voicebot.transports import Line

Parts = Callable[[Agent], dict[str, Any]]
"""What stands in for the providers of an agent: arguments of `Call`. For benches and tests."""
Watch = Callable[[CallRow], Sequence[Face]]
"""Who is to see the events of a call, asked before its first one."""

STOPS = "the server stops"
_GOODBYE_S = 15.0
"""How long a goodbye may take."""
_CLOSE_S = 5.0
_REST = "asked by REST"
"""Why the recording pauses."""


class Live:
    """One running call, for those who are not part of it."""

    def __init__(self, row: CallRow, call: Call) -> None:
        self.row = row
        self.call = call
        self.ended: CallEnded | None = None
        self._watching = Watching(call.folder)
        call.subscribe(self._tell)

    def _tell(self, event: Event) -> None:
        self._watching.tell(event)
        if isinstance(event, CallEnded):
            self.ended = event

    @property
    def begun(self) -> bool:
        """Whether it can be asked for anything; it takes a moment from the answer to that."""
        return self._watching.count > 0

    def say(self, text: str) -> None:
        """The agent says this when it next has the floor. Raises BadInput when too much waits to be said."""
        self.call.interject(Aside(text))

    def transfer(self, to: str, text: str = "", warm: Warm | None = None) -> None:
        """The same, and behind it the caller is handed over to the number `to` (E.164); `warm`: when somebody there
        has said that they take the call. Raises BadInput for a warm one where no telephone network has the call."""
        if warm is None:
            self.call.interject(Aside(text, ("handed_over", to)))
        elif self.call.put_through is None:
            raise BadInput("only the caller of a telephone call can wait until somebody has been asked.")
        else:
            self.call.interject(Aside(text, Through(to, warm)))

    def hold(self, text: str = "") -> None:
        """The same, and behind it the caller waits to music."""
        self.call.interject(Aside(text, Wait()))

    def resume(self, text: str = "") -> None:
        """The agent is back with a caller who waits, and says this."""
        self.call.back("asked", text)

    def record(self, action: Literal["pause", "resume", "twilio"]) -> None:
        """Pause the recording or go on with it; or have Twilio record, too. Raises BadInput where Twilio cannot."""
        if action == "twilio":
            if self.call.put_through is None:
                raise BadInput("only a telephone call can be recorded by Twilio.")
            self.call.put_through.record()
        elif action == "pause":
            self.call.pause_record(_REST)
        else:
            self.call.resume_record(_REST)

    def goodbye(self, text: str, detail: str) -> None:
        """The same, and behind it the agent hangs up; `detail` is for the record."""
        self.call.interject(Aside(text, ("agent_hung_up", detail)))

    async def answered_by(self, who: str, message: str) -> None:
        """Who has taken a call that went out. To a machine the agent says `message` and hangs up; '': it hangs up."""
        self.call.note(LineNews, source="twilio", kind="answered_by", text=who)
        if who == "machine" and message:
            await self.call.take_over(Aside(message, ("agent_hung_up", "a message was left")))
        elif who in ("machine", "fax"):
            self.end(f"a {'fax' if who == 'fax' else 'machine'} answered")

    def end(self, detail: str) -> None:
        """The agent hangs up, now."""
        self.call.end("agent_hung_up", detail)

    def watch(self, after: int = 0) -> AsyncIterator[Told]:
        """The call's events behind the `after`-th, those to come included, until it is over. Raises TooSlow."""
        return self._watching.watch(after)

    def over(self) -> None:
        self._watching.over()


class Desk:
    """One worker's."""

    def __init__(
        self,
        settings: Settings,
        row: BoardRow,
        ledger: Ledger,
        registry: Registry,
        meters: Meters,
        parts: Parts | None = None,
    ) -> None:
        self.live: dict[str, Live] = {}
        """By the call's id."""
        self.watch: Watch = lambda row: ()
        self._settings = settings
        self._row = row
        self._ledger = ledger
        self._registry = registry
        self._meters = meters
        self._parts = parts
        self._empty = asyncio.Event()
        self._empty.set()

    async def converse(
        self,
        row: CallRow,
        agent: Agent,
        leg: Line,
        faces: Sequence[Face] = (),
        traceparent: str = "",
        attach: Callable[[Live], None] = lambda live: None,
    ) -> CallEnded | None:
        """The whole call, the line hung up behind it. None when it could not begin; the books say why. `attach` is
        called with it before it begins."""
        begin = partial(self._open, row, agent, leg, faces, traceparent)
        with logs.inside(logs.InCall(row.id, agent.language)):
            return await self._whole(row, leg, begin, attach)

    async def _whole(
        self, row: CallRow, leg: Line, begin: Callable[[], Live], attach: Callable[[Live], None]
    ) -> CallEnded | None:
        try:
            live = begin()
            attach(live)
        except Exception as error:  # noqa: BLE001 - one call that cannot begin is no reason for the server to fail
            await self._failed(row, leg, error)
            return None
        detail = "it was interrupted"
        try:
            await live.call.run()
        except VoicebotError as error:
            detail = logs.hidden(str(error), live.call.place)
        except Exception as error:  # noqa: BLE001 - whatever breaks in a call, the others go on
            with logs.inside(live.call.place):
                logger.exception(f"call {row.id} broke")
            detail = logs.hidden(f"{type(error).__name__}: {error}", live.call.place)
        finally:
            self._close(live, detail)
            with suppress(Exception):  # the line may be gone in any way, and the call is over
                await leg.hang_up()
        return live.ended

    def _open(self, row: CallRow, agent: Agent, leg: Line, faces: Sequence[Face], traceparent: str) -> Live:
        parts = self._parts(agent) if self._parts else {}
        record = self._settings.calls_dir
        call = Call(agent, leg, record=record, call_id=row.id, traceparent=traceparent, **parts)
        figures = CallFigures(self._meters, row.agent, prices(agent.root))
        watching: tuple[Face, ...] = (figures, *faces, *self.watch(row))
        for face in watching:
            call.subscribe(face)
        live = Live(row, call)
        self.live[row.id] = live
        self._empty.clear()
        self._registry.put(row.id)
        logger.bind(call=row.id).info(f"call {row.id} begins: {row.transport}, {row.agent}")
        return live

    def _close(self, live: Live, detail: str) -> None:
        row, ended = live.row, live.ended
        del self.live[row.id]
        if not self.live:
            self._empty.set()
        live.over()
        self._registry.drop(row.id)
        to = live.call.ended.result()[1] if ended and ended.reason == "handed_over" else ""
        self._book(row, ended.reason if ended else "failed", to or (ended.detail if ended else detail))

    async def _failed(self, row: CallRow, leg: Line, error: Exception) -> None:
        if not isinstance(error, VoicebotError):
            logger.exception(f"call {row.id} could not begin")
        self._book(row, "failed", logs.hidden(str(error)))
        await leg.hang_up()

    def _book(self, row: CallRow, reason: str, detail: str) -> None:
        self._row.count_ended(reason)
        self._ledger.ended(row.id, reason, detail)
        level, why = ("WARNING", f" ({detail})") if reason == "failed" else ("INFO", "")
        logger.bind(call=row.id).log(level, f"call {row.id} is over: {reason.replace('_', ' ')}{why}")

    async def drain(self, within_s: float) -> int:
        """Wait until all calls are over; those that are not by then get a goodbye. Returns how many these were."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._empty.wait()
        late = list(self.live.values())
        for live in late:
            if live.begun:
                live.goodbye(goodbye(live.call.agent.language), STOPS)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await self._empty.wait()
        for live in list(self.live.values()):
            live.end(STOPS)
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._empty.wait()
        return len(late)
