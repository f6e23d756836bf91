"""Conference rooms: who is in one, who waits, and what is told about it. Sound is not mixed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from tests.doubles.twilio_account.parameters import Refusal, Sent, one
from tests.doubles.twilio_account.records import BASE, VERSION, now, sid
from tests.doubles.twilio_caller import verbs_of
from tests.doubles.twilio_stream import ACCOUNT_SID

if TYPE_CHECKING:
    from tests.doubles.twilio_account.calls import PhoneCall
    from tests.doubles.twilio_rest import TwilioRest


class Participant:
    """A call in a room."""

    def __init__(self, room: Conference, call: PhoneCall, attributes: Mapping[str, str]) -> None:
        self.call = call
        self.label = attributes.get("participantLabel", "")
        self.muted = attributes.get("muted") == "true"
        self.hold = False
        self.starts = attributes.get("startConferenceOnEnter", "true") != "false"
        self.ends = attributes.get("endConferenceOnExit") == "true"
        self.wait_url = attributes.get("waitUrl", "")
        self.left = asyncio.Event()
        self._room = room

    def json(self) -> dict[str, Any]:
        return {
            "account_sid": ACCOUNT_SID,
            "call_sid": self.call.sid,
            "label": self.label or None,
            "call_sid_to_coach": None,
            "coaching": False,
            "conference_sid": self._room.sid,
            "date_created": now(),
            "date_updated": now(),
            "end_conference_on_exit": self.ends,
            "muted": self.muted,
            "hold": self.hold,
            "start_conference_on_enter": self.starts,
            "status": "complete" if self.left.is_set() else "connected",
            "queue_time": "0",
            "uri": f"{BASE}/Conferences/{self._room.sid}/Participants/{self.call.sid}.json",
        }


class Conference:
    """One room. It begins with the first who may begin it, and is over when the last has left."""

    def __init__(self, twilio: TwilioRest, name: str) -> None:
        self.sid = sid("CF")
        self.name = name
        self.status = "init"
        self.participants: dict[str, Participant] = {}
        """Those who are in it, by their call's SID."""
        self.were: list[Participant] = []
        """All that have ever been."""
        self.callback, self.events = "", "start end join leave"
        self._twilio = twilio
        self._count = 0

    def json(self) -> dict[str, Any]:
        return {
            "account_sid": ACCOUNT_SID,
            "api_version": VERSION,
            "date_created": now(),
            "date_updated": now(),
            "friendly_name": self.name,
            "region": "us1",
            "sid": self.sid,
            "status": self.status,
            "uri": f"{BASE}/Conferences/{self.sid}.json",
            "subresource_uris": {"participants": f"{BASE}/Conferences/{self.sid}/Participants.json"},
            "reason_conference_ended": None,
            "call_sid_ending_conference": None,
        }

    async def enter(self, call: PhoneCall, attributes: Mapping[str, str], base: str) -> None:
        """Until the call leaves it."""
        if callback := attributes.get("statusCallback"):
            self.callback = urljoin(base, callback)
            self.events = attributes.get("statusCallbackEvent", "start end")
        who = Participant(self, call, attributes)
        self.participants[call.sid] = call.participant = who
        self.were.append(who)
        await self._tell("join", "participant-join", who)
        if self.status == "init" and who.starts:
            self.status = "in-progress"
            await self._tell("start", "conference-start", who)
        elif self.status == "init" and who.wait_url:
            await self.music(who, urljoin(base, who.wait_url))
        try:
            await self._until_left(who)
        finally:
            call.participant = None
            await self._leave(who)

    async def _until_left(self, who: Participant) -> None:
        gone = asyncio.create_task(who.call.hung_up.wait())
        left = asyncio.create_task(who.left.wait())
        try:
            await asyncio.wait({gone, left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (gone, left):
                task.cancel()
            await asyncio.gather(gone, left, return_exceptions=True)

    async def _leave(self, who: Participant) -> None:
        who.left.set()
        if self.participants.pop(who.call.sid, None) is None:
            return
        await self._tell("leave", "participant-leave", who)
        if who.ends or not self.participants:
            await self.end(who)

    async def end(self, because: Participant | None = None) -> None:
        if self.status == "completed":
            return
        self.status = "completed"
        for each in list(self.participants.values()):
            each.left.set()
        await self._tell("end", "conference-end", because)

    async def music(self, who: Participant, url: str) -> None:
        """What whoever waits or is on hold hears: TwiML, or the sound itself."""
        answer = await self._twilio.webhook(url, who.call.about(ConferenceSid=self.sid), "POST")
        if answer.status_code == 200 and "xml" in answer.headers.get("content-type", ""):
            who.call.said += [verb.text for verb in verbs_of(answer.text) if verb.name in ("Say", "Play")]
        else:
            who.call.said.append(url)

    async def _tell(self, wanted: str, event: str, who: Participant | None) -> None:
        if not self.callback or wanted not in self.events.split():
            return
        self._count += 1
        form = {
            "AccountSid": ACCOUNT_SID,
            "ConferenceSid": self.sid,
            "FriendlyName": self.name,
            "SequenceNumber": str(self._count),
            "StatusCallbackEvent": event,
            "Timestamp": now(),
        }
        if who:
            form |= {"CallSid": who.call.sid, "Muted": str(who.muted).lower(), "Hold": str(who.hold).lower()}
        await self._twilio.callback(self.callback, form)


class Conferences(dict[str, Conference]):
    """All rooms, by SID."""

    def __init__(self, twilio: TwilioRest) -> None:
        super().__init__()
        self._twilio = twilio

    def open(self, name: str) -> Conference:
        """The room of that name, a new one when there is none that still goes on."""
        for room in self.values():
            if room.name == name and room.status != "completed":
                return room
        room = Conference(self._twilio, name)
        self[room.sid] = room
        return room

    async def join(self, call: PhoneCall, name: str, attributes: Mapping[str, str], base: str) -> None:
        await self.open(name).enter(call, attributes, base)

    def find(self, name: str) -> Conference:
        """By SID or name. Raises Refusal."""
        named = next((room for room in self.values() if room.name == name and room.status != "completed"), None)
        if room := self.get(name) or named:
            return room
        raise Refusal(404, 20404, f"The requested resource {BASE}/Conferences/{name}.json was not found")

    def participant(self, name: str, call: str) -> Participant:
        """Raises Refusal."""
        room = self.find(name)
        for who in room.participants.values():
            if call in (who.call.sid, who.label):
                return who
        path = f"{BASE}/Conferences/{name}/Participants/{call}.json"
        raise Refusal(404, 20404, f"The requested resource {path} was not found")

    async def change(self, who: Participant, room: Conference, sent: Sent) -> None:
        """Hold, mute, announce. Raises Refusal."""
        if "Hold" in sent:
            who.hold = one(sent, "Hold") == "true"
            if who.hold and (url := one(sent, "HoldUrl")):
                await room.music(who, url)
        if "Muted" in sent:
            who.muted = one(sent, "Muted") == "true"
        if "EndConferenceOnExit" in sent:
            who.ends = one(sent, "EndConferenceOnExit") == "true"
        if url := one(sent, "AnnounceUrl"):
            await room.music(who, url)
