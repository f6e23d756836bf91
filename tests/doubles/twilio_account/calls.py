"""A call at Twilio from its first ring to its last status callback: rings, fetches TwiML, obeys it, hangs up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.doubles.twilio_account.obeying import Obeying
from tests.doubles.twilio_account.parameters import Refusal, Sent, one
from tests.doubles.twilio_account.phones import Phone
from tests.doubles.twilio_account.records import BASE, VERSION, now, sid
from tests.doubles.twilio_stream import ACCOUNT_SID, TwilioStream
from voicebot.transports.link import Link

if TYPE_CHECKING:
    from tests.doubles.twilio_account.conferences import Participant
    from tests.doubles.twilio_caller import Verb
    from tests.doubles.twilio_rest import TwilioRest

OVER = ("completed", "busy", "no-answer", "failed", "canceled")


class PhoneCall:
    """One leg. `settings` are the parameters with which it was made, those of its number for one that came in."""

    def __init__(
        self,
        twilio: TwilioRest,
        *,
        to: str,
        caller: str,
        direction: str,
        phone: Phone,
        settings: Sent | None = None,
        parent: PhoneCall | None = None,
    ) -> None:
        self.twilio = twilio
        self.sid = sid("CA")
        self.to, self.caller, self.direction = to, caller, direction
        self.status = "queued"
        self.phone = phone
        self.settings: Sent = settings or {}
        self.parent = parent
        self.answered_by = ""
        self.link = Link(caller, rate_hz=8000)
        """The telephone: what it speaks goes into the stream that is open."""
        self.said: list[str] = []
        """What Twilio has said and played to it: texts, and URLs of sounds."""
        self.obeyed: list[Verb] = []
        """All verbs of TwiML, in the order in which they were begun."""
        self.streams: list[TwilioStream] = []
        self.children: list[PhoneCall] = []
        self.participant: Participant | None = None
        """As what it is in a conference now."""
        self.dial_status = ""
        self.keys_sent = one(self.settings, "SendDigits")
        self.answered = asyncio.Event()
        self.over = asyncio.Event()
        self.hung_up = asyncio.Event()
        """Somebody has: the far end, or whoever asked by REST."""
        self._redirect: Mapping[str, str] | None = None
        self._redirected = asyncio.Event()
        self._count = 0
        self._created, self._answered_s, self._ended_s = now(), 0.0, 0.0
        self._canceled = False

    # -- for tests ---------------------------------------------------------------------------------------------------

    @property
    def stream(self) -> TwilioStream:
        """The one that was opened last."""
        return self.streams[-1]

    def hang_up(self) -> None:
        """The far end does."""
        self.hung_up.set()
        if self.streams:
            self.link.hang_up()

    async def streaming(self, count: int = 1, within_s: float = 20.0) -> TwilioStream:
        """Its `count`-th stream, when that is open."""
        async with asyncio.timeout(within_s):
            while len(self.streams) < count:  # noqa: ASYNC110 - a list tells nobody that it grows
                await asyncio.sleep(0.01)
        return self.streams[count - 1]

    async def ended(self, within_s: float = 30.0) -> str:
        """Its last status."""
        async with asyncio.timeout(within_s):
            await self.over.wait()
        return self.status

    # -- REST --------------------------------------------------------------------------------------------------------

    def change(self, sent: Sent) -> None:
        """Cancel it, end it, or have it obey other TwiML. Raises Refusal."""
        status = one(sent, "Status")
        if status == "completed":
            self.hang_up()
        elif status == "canceled":
            if self.status not in ("queued", "ringing"):
                raise Refusal(400, 21220, "Call is not in a state in which it can be canceled.")
            self._canceled = True
            self.hung_up.set()
        elif one(sent, "Url") or one(sent, "Twiml"):
            if self.status != "in-progress":
                raise Refusal(400, 21220, "Call is not in-progress. Cannot redirect.")
            self._redirect = {name: one(sent, name) for name in ("Url", "Twiml", "Method")}
            self._redirected.set()

    def json(self) -> dict[str, Any]:
        duration = str(round(self._ended_s - self._answered_s)) if self._ended_s and self._answered_s else None
        return {
            "sid": self.sid,
            "account_sid": ACCOUNT_SID,
            "parent_call_sid": self.parent.sid if self.parent else None,
            "to": self.to,
            "to_formatted": self.to,
            "from": self.caller,
            "from_formatted": self.caller,
            "phone_number_sid": "",
            "status": self.status,
            "start_time": self._created if self._answered_s else None,
            "end_time": now() if self._ended_s else None,
            "duration": duration,
            "price": None,
            "price_unit": "USD",
            "direction": self.direction,
            "answered_by": self.answered_by or None,
            "api_version": VERSION,
            "forwarded_from": None,
            "group_sid": None,
            "caller_name": None,
            "queue_time": "0",
            "trunk_sid": None,
            "date_created": self._created,
            "date_updated": now(),
            "uri": f"{BASE}/Calls/{self.sid}.json",
            "subresource_uris": {"recordings": f"{BASE}/Calls/{self.sid}/Recordings.json"},
        }

    # -- what becomes of it ------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """All of it. Every task that it needs ends with it."""
        try:
            await self._tell("initiated")
            if await self._rings():
                await self._converse()
        finally:
            await self._end()

    async def _rings(self) -> bool:
        """Whether it was answered."""
        self.status = "ringing"
        await self._tell("ringing")
        if self.direction == "inbound":  # it is Twilio that answers
            self._answer()
            return True
        limit_s = float(one(self.settings, "Timeout", "60"))
        waits_s = limit_s if self.phone.answer == "no-answer" else min(self.phone.ring_s, limit_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(waits_s * self.twilio.second_s):
                await self.hung_up.wait()
        if self._canceled or self.hung_up.is_set():
            self.status = "canceled"
        elif self.phone.answer in ("busy", "failed"):
            self.status = self.phone.answer
        elif self.phone.answer == "no-answer" or self.phone.ring_s > limit_s:
            self.status = "no-answer"
        else:
            self._answer()
            await self._tell("answered")
            return True
        return False

    def _answer(self) -> None:
        self.status, self._answered_s = "in-progress", time.monotonic()
        self.answered.set()

    async def _converse(self) -> None:
        """The person at the telephone, what Twilio is told to do with the call, and what ends it, side by side."""
        talking = [asyncio.create_task(self._talk())] if self.phone.talk else []
        detecting = asyncio.create_task(self._detect())
        obeying = asyncio.create_task(self._obey())
        hanging_up = asyncio.create_task(self.hung_up.wait())
        try:
            await asyncio.wait({obeying, hanging_up}, return_when=asyncio.FIRST_COMPLETED)
            if not obeying.done():
                await asyncio.wait({obeying}, timeout=2.0)  # a stream says goodbye
        finally:
            for task in (obeying, hanging_up, detecting, *talking):
                task.cancel()
            came_of_it = await asyncio.gather(obeying, detecting, *talking, return_exceptions=True)
        for broken in came_of_it:
            if isinstance(broken, Exception):
                self.twilio.broken.append(broken)

    async def _talk(self) -> None:
        assert self.phone.talk
        await self.phone.talk(self)
        self.hang_up()

    async def _detect(self) -> None:
        """Whether it is a machine; whoever asked to be told while the call goes on is."""
        detection = one(self.settings, "MachineDetection")
        if not detection or one(self.settings, "AsyncAmd") != "true":
            return
        await asyncio.sleep(self.phone.detection_s * self.twilio.second_s)
        self.answered_by = self.phone.found(detection)
        about = {"AnsweredBy": self.answered_by, "MachineDetectionDuration": str(int(1000 * self.phone.detection_s))}
        form = {"AccountSid": ACCOUNT_SID, "CallSid": self.sid, **about}
        await self.twilio.callback(one(self.settings, "AsyncAmdStatusCallback"), form)

    async def _obey(self) -> None:
        """TwiML after TwiML, until there is nothing more to do."""
        detection = one(self.settings, "MachineDetection")
        if detection and one(self.settings, "AsyncAmd", "false") == "false":  # Twilio waits for what it finds
            await asyncio.sleep(self.phone.detection_s * self.twilio.second_s)
            self.answered_by = self.phone.found(detection)
        source: Mapping[str, str] | None = {
            name: one(self.settings, name) for name in ("Url", "Twiml", "Method", "FallbackUrl", "FallbackMethod")
        }
        while source and not self.hung_up.is_set():
            obeying = asyncio.create_task(Obeying(self).run(source))
            redirected = asyncio.create_task(self._redirected.wait())
            try:
                await asyncio.wait({obeying, redirected}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (obeying, redirected):
                    task.cancel()
                await asyncio.gather(obeying, redirected, return_exceptions=True)
            if self._redirected.is_set():
                self._redirected.clear()
                source = self._redirect
                continue
            obeying.result()
            return

    async def _end(self) -> None:
        if self.status not in OVER:
            self.status = "completed"
        self._ended_s = time.monotonic()
        for child in self.children:
            child.hang_up()
        self.twilio.recordings.call_is_over(self)
        self.over.set()
        await self._tell("completed")

    # -- what is told ------------------------------------------------------------------------------------------------

    def about(self, **more: str) -> dict[str, str]:
        """What every request about it says."""
        form = {
            "AccountSid": ACCOUNT_SID,
            "ApiVersion": VERSION,
            "CallSid": self.sid,
            "CallStatus": self.status,
            "Called": self.to,
            "Caller": self.caller,
            "Direction": self.direction,
            "From": self.caller,
            "To": self.to,
        }
        if self.parent:
            form["ParentCallSid"] = self.parent.sid
        if self.answered_by:
            form["AnsweredBy"] = self.answered_by
        return {**form, **more}

    async def _tell(self, event: str) -> None:
        """A status callback, for the events that were asked for."""
        url = one(self.settings, "StatusCallback")
        wanted = self.settings.get("StatusCallbackEvent", ["completed"])
        wanted = [each for value in wanted for each in value.split()]
        if not url or event not in wanted:
            return
        form = self.about(SequenceNumber=str(self._count), Timestamp=now(), CallbackSource="call-progress-events")
        self._count += 1
        if event == "initiated":
            form["CallStatus"] = "initiated"
        if event == "completed":
            seconds = round(self._ended_s - self._answered_s) if self._answered_s else 0
            form |= {"CallDuration": str(seconds), "Duration": "1" if self._answered_s else "0"}
            form["SipResponseCode"] = {"busy": "486", "no-answer": "487", "failed": "404"}.get(self.status, "200")
        await self.twilio.callback(url, form)
