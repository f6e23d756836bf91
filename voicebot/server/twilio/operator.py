"""What the telephone network does for one running call: it asks colleagues, records, and hangs up for good.

operator = Operator(site, base)
await desk.converse(row, agent, line, attach=operator.attach)
await operator.close()
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

from loguru import logger

from voicebot import events
from voicebot.call.asides import Through
from voicebot.errors import VoicebotError
from voicebot.server.desk import Live
from voicebot.server.site import Site
from voicebot.server.twilio import conference, twiml
from voicebot.server.twilio.asking import Asking, State, brief_of
from voicebot.telephony.account import Account

CURRENT: Final = "Twilio.CURRENT"
"""Twilio's name of the recording that is being made of a call."""
_THINKS_S: Final = 60.0
"""How long an answer may take from the answer of their telephone on, before nobody is taken to be there."""
_LONGEST_BRIEF: Final = 1000
_MOST_NEWS: Final = 50
_SURE_S: Final = 3.0
"""How long Twilio may take to hang up by itself, when our side has closed the stream."""
_JOINS_S: Final = 8.0
"""How long a caller may take into the room where they are waited for."""
_OVER: Final = ("completed", "busy", "no-answer", "failed", "canceled")


def operator_of(live: Live) -> Operator | None:
    """That of a telephone call."""
    return live.call.put_through if isinstance(live.call.put_through, Operator) else None


class Operator:
    """One call's, for its `voicebot.call.Call` a `PutsThrough`. Whatever fails here, the call goes on."""

    def __init__(self, site: Site, base: str) -> None:
        """`base`: this server's address as Twilio knows it."""
        self.asking: Asking | None = None
        self._site = site
        self._base = base
        self._live: Live
        self._tasks: set[asyncio.Task[None]] = set()
        self._recording = asyncio.Lock()
        self._records = False
        self._signed_in: Account | None = None
        self._known: dict[str, Any] = {}
        self._told: set[tuple[str, ...]] = set()
        self._ended: events.CallEnded | None = None

    def attach(self, live: Live) -> None:
        """Before the call begins."""
        self._live = live
        self._known = {"caller": live.call.transport.caller}
        live.call.put_through = self
        live.call.subscribe(self._hear)

    def _hear(self, event: events.Event) -> None:
        match event:
            case events.CallStarted() if self._live.call.agent.recording.twilio:
                self.record()
            case events.TurnEnded():
                self._known["said"] = event.text
            case events.BrainMoved():
                self._known |= event.slots
            case events.CallerBack():
                self._give_up()
            case events.CallEnded():
                self._ended = event
                self._give_up()
            case events.RecordingChanged() if event.by == "us" and self._records:
                self._own(self._change_recording(event.state))

    def news(self, form: Mapping[str, str]) -> None:
        """What Twilio reports of the call or its stream; the same is told once."""
        kind = form.get("StreamEvent") or form.get("CallStatus", "")
        text = form.get("StreamError", "")
        which = kind, text, form.get("StreamSid", "")
        if kind and which not in self._told and len(self._told) < _MOST_NEWS and self._live.begun:
            self._told.add(which)
            self._note(events.LineNews, source="twilio", kind=twiml.printable(kind), text=twiml.printable(text))

    # -- asking whether somebody takes the call ------------------------------------------------------------------------

    def reaches(self, to: str) -> bool:
        return twiml.can_be_dialled(to)

    def ask(self, through: Through) -> None:
        self._give_up()
        agent = self._live.call.agent
        brief = brief_of(through, agent.name, agent.language, self._known)
        brief = "".join(each for each in brief if each.isprintable())[:_LONGEST_BRIEF]
        url = f"{self._base}/twilio/transfer"
        self.asking = asking = Asking(self._live.row.id, through, brief, agent.language, url, self._moved)
        self._tell(asking, "ringing")
        self._own(self._ring(asking))

    async def _ring(self, asking: Asking) -> None:
        warm, to = asking.through.warm, asking.through.to
        row = self._live.row
        ours = row.callee if row.direction == "inbound" else row.caller
        make = partial(
            _made,
            to=to if ":" in to else re.sub(r"[^+0-9]", "", to),
            from_=ours,
            url=f"{asking.url}/answered",
            timeout=round(warm.ring),
            status_callback=f"{asking.url}/status",
            status_callback_event=["completed"],
        )
        try:
            sid = await (await self._account()).ask(make, f"call {to}")
        except VoicebotError as error:
            logger.error(f"call {row.id}: nobody was asked whether they take it: {error}")
            asking.give_up("failed", str(error))
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(warm.ring + _THINKS_S):
                await asking.over.wait()
        asking.give_up("no_answer")
        if asking.state in ("no_answer", "cancelled"):
            await self._end_call(sid)

    def _moved(self, state: State, detail: str) -> None:
        """Of the one who is asked now."""
        asking, call = self.asking, self._live.call
        if asking is None:
            return
        self._tell(asking, state, detail)
        if state == "accepted":
            call.note(events.HandedOver, to=asking.through.to, reason=asking.through.reason)
            call.end("handed_over", conference.joined(asking.through.to))
        elif state not in ("answered", "cancelled"):
            call.back("not_taken", asking.through.warm.sorry)

    def _tell(self, asking: Asking, state: State, detail: str = "") -> None:
        self._note(events.TransferMoved, to=asking.through.to, state=state, detail=detail)

    def _give_up(self) -> None:
        """The caller does not wait any more, or for somebody else."""
        if self.asking:
            self.asking.give_up("cancelled")

    def _note(self, kind: type[events.Event], /, **fields: Any) -> None:
        """In the record, unless that is closed."""
        if not self._ended:
            self._live.call.note(kind, **fields)

    # -- Twilio's own recording --------------------------------------------------------------------------------------

    def record(self) -> None:
        """Twilio records the call from now on."""
        if not self._records:
            self._records = True
            self._own(self._begin_recording())

    async def _begin_recording(self) -> None:
        sid = self._live.row.outside_id
        async with self._recording:
            await self._asked(
                lambda client: client.calls(sid).recordings.create(recording_channels="dual"), "record it", "started"
            )

    async def _change_recording(self, state: str) -> None:
        sid = self._live.row.outside_id
        how = {"status": "paused", "pause_behavior": "silence"} if state == "paused" else {"status": "in-progress"}
        async with self._recording:
            await self._asked(
                lambda client: client.calls(sid).recordings(CURRENT).update(**how), f"have it {state}", state
            )

    async def _asked(self, what: Callable[[Any], Any], doing: str, state: str) -> None:
        """Of Twilio, and whether it has done it stands in the record."""
        try:
            await (await self._account()).ask(what, doing)
        except VoicebotError as error:
            logger.warning(f"call {self._live.row.id}: {error}")
            self._note(events.RecordingChanged, state="failed", by="twilio", why=str(error))
        else:
            self._note(events.RecordingChanged, state=state, by="twilio")

    # -- the end -----------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """The call is over. Returns when the network knows it, too."""
        with suppress(VoicebotError):
            if self._ended and self._ended.reason == "agent_hung_up":
                await self._account()
                await asyncio.sleep(_SURE_S)
                await self._end_call(self._live.row.outside_id)
            elif self.asking and self.asking.state == "accepted":
                await asyncio.sleep(_JOINS_S)
                await self._let_go()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _let_go(self) -> None:
        """Whoever has said yes is not left alone in a room to which the caller does not come: they have hung up."""
        row = self._live.row
        account = await self._account()
        if (await account.ask(lambda client: client.calls(row.outside_id).fetch().status, "see a call")) in _OVER:
            await account.ask(partial(_emptied, name=conference.room_of(row.id)), "empty a room")

    async def _end_call(self, sid: str) -> None:
        """Whatever it is at. One that is over already stays so."""
        with suppress(VoicebotError):
            await (await self._account()).ask(lambda client: client.calls(sid).update(status="completed"), "hang up")

    async def _account(self) -> Account:
        """Raises BadInput without one."""
        if self._signed_in is None:
            self._signed_in = await asyncio.to_thread(Account.from_settings, self._site.settings)
        return self._signed_in

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _made(client: Any, **how: Any) -> str:
    """The SID of a call that goes out."""
    return str(client.calls.create(**how).sid)


def _emptied(client: Any, *, name: str) -> None:
    for room in client.conferences.list(friendly_name=name, status="in-progress", limit=1):
        room.update(status="completed")
