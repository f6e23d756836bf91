"""What each operation of Twilio's REST interface does with an account."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tests.doubles.twilio_account.calls import PhoneCall
from tests.doubles.twilio_account.parameters import Refusal, Sent, check, is_number, one
from tests.doubles.twilio_account.records import BASE, page

if TYPE_CHECKING:
    from tests.doubles.twilio_rest import TwilioRest

Answer = tuple[int, Any]
_PRICES = {"US": [("local", "1.15"), ("toll free", "2.15")], "DE": [("local", "1.15"), ("mobile", "15.00")]}
_COUNTRIES = {"US": ("Local", "TollFree"), "DE": ("Local", "Mobile")}


class Operations:
    def __init__(self, twilio: TwilioRest) -> None:
        self._twilio = twilio

    async def answer(self, method: str, path: str, sent: Sent) -> Answer:
        """Raises Refusal."""
        for operation, (wanted, pattern) in _ROUTES.items():
            if wanted == method and (match := re.fullmatch(pattern, path)):
                handle: Callable[..., Awaitable[Answer]] = getattr(self, f"_{operation}")
                return await handle(sent, *match.groups())
        raise Refusal(404, 20404, f"The requested resource {path} was not found")

    # -- numbers -----------------------------------------------------------------------------------------------------

    async def _list_numbers(self, sent: Sent) -> Answer:
        check("ListIncomingPhoneNumber", sent)
        rows = [
            dict(each) for each in self._twilio.numbers.values() if one(sent, "PhoneNumber") in each["phone_number"]
        ]
        return 200, page("incoming_phone_numbers", rows, sent, f"{BASE}/IncomingPhoneNumbers.json")

    async def _create_number(self, sent: Sent) -> Answer:
        check("CreateIncomingPhoneNumber", sent)
        wanted = one(sent, "PhoneNumber")
        if not wanted and not one(sent, "AreaCode"):
            raise Refusal(400, 21421, "PhoneNumber or AreaCode is required")
        if wanted and not is_number(wanted):
            raise Refusal(400, 21421, f"{wanted} is not a valid phone number")
        for each in self._twilio.for_sale:
            if each["phone_number"] == wanted or (not wanted and each["phone_number"][2:5] == one(sent, "AreaCode")):
                self._twilio.for_sale.remove(each)
                number = self._twilio.add_number(each["phone_number"])
                number.change(
                    {name: values for name, values in sent.items() if name not in ("PhoneNumber", "AreaCode")}
                )
                return 201, dict(number)
        raise Refusal(400, 21422, f"{wanted} is not available")

    def _number(self, sid: str, path: str = "IncomingPhoneNumbers") -> Any:
        if number := self._twilio.numbers.get(sid):
            return number
        raise Refusal(404, 20404, f"The requested resource {BASE}/{path}/{sid}.json was not found")

    async def _fetch_number(self, sent: Sent, sid: str) -> Answer:
        return 200, dict(self._number(sid))

    async def _update_number(self, sent: Sent, sid: str) -> Answer:
        check("UpdateIncomingPhoneNumber", sent)
        number = self._number(sid)
        number.change(sent)
        return 200, dict(number)

    async def _delete_number(self, sent: Sent, sid: str) -> Answer:
        del self._twilio.numbers[self._number(sid)["sid"]]
        return 204, None

    async def _list_available(self, sent: Sent, country: str, kind: str) -> Answer:
        check("ListAvailablePhoneNumber", sent)
        if kind not in _COUNTRIES.get(country, ()):
            path = f"{BASE}/AvailablePhoneNumbers/{country}/{kind}.json"
            raise Refusal(404, 20404, f"The requested resource {path} was not found")
        rows = [each for each in self._twilio.for_sale if _fits(each, sent)] if country == "US" else []
        return 200, page("available_phone_numbers", rows, sent, f"{BASE}/AvailablePhoneNumbers/{country}/{kind}.json")

    async def _fetch_prices(self, sent: Sent, country: str) -> Answer:
        if country not in _PRICES:
            raise Refusal(404, 20404, f"The requested resource /PhoneNumbers/Countries/{country} was not found")
        prices = [
            {"number_type": kind, "base_price": price, "current_price": price} for kind, price in _PRICES[country]
        ]
        url = f"https://pricing.twilio.com/v1/PhoneNumbers/Countries/{country}"
        facts = {"country": country, "iso_country": country, "price_unit": "USD", "url": url}
        return 200, {**facts, "phone_number_prices": prices}

    # -- calls -------------------------------------------------------------------------------------------------------

    async def _create_call(self, sent: Sent) -> Answer:
        check("CreateCall", sent)
        self._check_call(sent)
        phone = self._twilio.phone(one(sent, "To"))
        call = PhoneCall(
            self._twilio,
            to=one(sent, "To"),
            caller=one(sent, "From"),
            direction="outbound-api",
            phone=phone,
            settings=sent,
        )
        queued = call.json()
        self._twilio.begin(call)
        return 201, queued

    def _check_call(self, sent: Sent) -> None:
        to, caller = one(sent, "To"), one(sent, "From")
        if not is_number(to) and not to.startswith(("sip:", "client:")):
            raise Refusal(400, 21211, f"Invalid 'To' Phone Number: {to}")
        if not is_number(caller):
            raise Refusal(400, 21212, f"Invalid From Number (caller ID): {caller}")
        if caller not in (each["phone_number"] for each in self._twilio.numbers.values()):
            raise Refusal(
                400, 21210, f"The source phone number provided, {caller}, is not yet verified for your account."
            )
        if not (one(sent, "Url") or one(sent, "Twiml") or one(sent, "ApplicationSid")):
            raise Refusal(400, 21205, "Url parameter is required.")

    def _call(self, sid: str) -> PhoneCall:
        if call := self._twilio.calls.get(sid):
            return call
        raise Refusal(404, 20404, f"The requested resource {BASE}/Calls/{sid}.json was not found")

    async def _list_calls(self, sent: Sent) -> Answer:
        check("ListCall", sent)
        rows = [call.json() for call in reversed(self._twilio.calls.values())]
        for name, key in (("To", "to"), ("From", "from"), ("Status", "status"), ("ParentCallSid", "parent_call_sid")):
            rows = [row for row in rows if name not in sent or row[key] == one(sent, name)]
        return 200, page("calls", rows, sent, f"{BASE}/Calls.json")

    async def _fetch_call(self, sent: Sent, sid: str) -> Answer:
        return 200, self._call(sid).json()

    async def _update_call(self, sent: Sent, sid: str) -> Answer:
        check("UpdateCall", sent)
        self._call(sid).change(sent)
        return 200, self._call(sid).json()

    async def _list_events(self, sent: Sent, sid: str) -> Answer:
        self._call(sid)
        rows = [
            {"request": {"url": url, "method": "POST", "parameters": form}, "response": {"response_code": 200}}
            for call, url, form in self._twilio.events
            if call == sid
        ]
        return 200, page("events", rows, sent, f"{BASE}/Calls/{sid}/Events.json")

    # -- recordings --------------------------------------------------------------------------------------------------

    async def _create_recording(self, sent: Sent, sid: str) -> Answer:
        check("CreateCallRecording", sent)
        return 201, self._twilio.recordings.create(self._call(sid), sent).json()

    async def _update_recording(self, sent: Sent, sid: str, name: str) -> Answer:
        check("UpdateCallRecording", sent)
        return 200, self._twilio.recordings.change(self._call(sid), name, sent).json()

    async def _list_call_recordings(self, sent: Sent, sid: str) -> Answer:
        return await self._list_recordings({**sent, "CallSid": [sid]})

    async def _list_recordings(self, sent: Sent) -> Answer:
        check("ListRecording", sent)
        rows = [each.json() for each in self._twilio.recordings.values()]
        rows = [row for row in rows if "CallSid" not in sent or row["call_sid"] == one(sent, "CallSid")]
        return 200, page("recordings", rows, sent, f"{BASE}/Recordings.json")

    async def _delete_recording(self, sent: Sent, sid: str) -> Answer:
        if self._twilio.recordings.pop(sid, None) is None:
            raise Refusal(404, 20404, f"The requested resource {BASE}/Recordings/{sid}.json was not found")
        return 204, None

    # -- conferences -------------------------------------------------------------------------------------------------

    async def _list_conferences(self, sent: Sent) -> Answer:
        check("ListConference", sent)
        rows = [room.json() for room in self._twilio.conferences.values()]
        for name, key in (("FriendlyName", "friendly_name"), ("Status", "status")):
            rows = [row for row in rows if name not in sent or row[key] == one(sent, name)]
        return 200, page("conferences", rows, sent, f"{BASE}/Conferences.json")

    async def _fetch_conference(self, sent: Sent, name: str) -> Answer:
        return 200, self._twilio.conferences.find(name).json()

    async def _update_conference(self, sent: Sent, name: str) -> Answer:
        check("UpdateConference", sent)
        room = self._twilio.conferences.find(name)
        if one(sent, "Status") == "completed":
            await room.end()
        return 200, room.json()

    async def _list_participants(self, sent: Sent, name: str) -> Answer:
        check("ListParticipant", sent)
        rows = [who.json() for who in self._twilio.conferences.find(name).participants.values()]
        return 200, page("participants", rows, sent, f"{BASE}/Conferences/{name}/Participants.json")

    async def _create_participant(self, sent: Sent, name: str) -> Answer:
        """A call to somebody who is put into the room when they answer."""
        check("CreateParticipant", sent)
        self._check_call({**sent, "Twiml": ["<Response/>"]})
        room = self._twilio.conferences.open(name)
        inside = "".join(f' {_ATTRIBUTES[each]}="{one(sent, each)}"' for each in _ATTRIBUTES if each in sent)
        twiml = f"<Response><Dial><Conference{inside}>{room.name}</Conference></Dial></Response>"
        caller, to = one(sent, "From"), one(sent, "To")
        kept = {each: sent[each] for each in ("StatusCallback", "StatusCallbackEvent", "Timeout") if each in sent}
        call = PhoneCall(
            self._twilio,
            to=to,
            caller=caller,
            direction="outbound-api",
            phone=self._twilio.phone(to),
            settings={**kept, "Twiml": [twiml]},
        )
        self._twilio.begin(call)
        return 201, {
            **_DIALLED,
            "account_sid": BASE.rsplit("/", 1)[1],
            "call_sid": call.sid,
            "conference_sid": room.sid,
        }

    async def _fetch_participant(self, sent: Sent, name: str, call: str) -> Answer:
        return 200, self._twilio.conferences.participant(name, call).json()

    async def _update_participant(self, sent: Sent, name: str, call: str) -> Answer:
        check("UpdateParticipant", sent)
        who = self._twilio.conferences.participant(name, call)
        await self._twilio.conferences.change(who, self._twilio.conferences.find(name), sent)
        return 200, who.json()

    async def _delete_participant(self, sent: Sent, name: str, call: str) -> Answer:
        self._twilio.conferences.participant(name, call).left.set()
        return 204, None


def _fits(offered: dict[str, Any], sent: Sent) -> bool:
    number = offered["phone_number"]
    contains = one(sent, "Contains").replace("*", ".").replace("+", r"\+")
    region = one(sent, "InRegion")
    return (
        number[2:].startswith(one(sent, "AreaCode"))
        and re.search(contains, number) is not None
        and region in ("", offered["region"])
        and one(sent, "InLocality") in ("", offered["locality"])
    )


_ATTRIBUTES = {
    "Label": "participantLabel",
    "Muted": "muted",
    "StartConferenceOnEnter": "startConferenceOnEnter",
    "EndConferenceOnExit": "endConferenceOnExit",
    "WaitUrl": "waitUrl",
    "ConferenceStatusCallback": "statusCallback",
}
_DIALLED = {
    "label": None,
    "call_sid_to_coach": None,
    "coaching": False,
    "date_created": None,
    "date_updated": None,
    "end_conference_on_exit": False,
    "muted": False,
    "hold": False,
    "start_conference_on_enter": True,
    "status": "queued",
    "queue_time": "0",
    "uri": None,
}
_ONE = r"([\w. -]+)"
_ROUTES = {
    "list_numbers": ("GET", rf"{BASE}/IncomingPhoneNumbers\.json"),
    "create_number": ("POST", rf"{BASE}/IncomingPhoneNumbers\.json"),
    "fetch_number": ("GET", rf"{BASE}/IncomingPhoneNumbers/{_ONE}\.json"),
    "update_number": ("POST", rf"{BASE}/IncomingPhoneNumbers/{_ONE}\.json"),
    "delete_number": ("DELETE", rf"{BASE}/IncomingPhoneNumbers/{_ONE}\.json"),
    "list_available": ("GET", rf"{BASE}/AvailablePhoneNumbers/(\w\w)/(\w+)\.json"),
    "fetch_prices": ("GET", r"/v1/PhoneNumbers/Countries/(\w\w)"),
    "create_call": ("POST", rf"{BASE}/Calls\.json"),
    "list_calls": ("GET", rf"{BASE}/Calls\.json"),
    "list_events": ("GET", rf"{BASE}/Calls/{_ONE}/Events\.json"),
    "create_recording": ("POST", rf"{BASE}/Calls/{_ONE}/Recordings\.json"),
    "update_recording": ("POST", rf"{BASE}/Calls/{_ONE}/Recordings/{_ONE}\.json"),
    "list_call_recordings": ("GET", rf"{BASE}/Calls/{_ONE}/Recordings\.json"),
    "fetch_call": ("GET", rf"{BASE}/Calls/{_ONE}\.json"),
    "update_call": ("POST", rf"{BASE}/Calls/{_ONE}\.json"),
    "list_recordings": ("GET", rf"{BASE}/Recordings\.json"),
    "delete_recording": ("DELETE", rf"{BASE}/Recordings/{_ONE}\.json"),
    "list_conferences": ("GET", rf"{BASE}/Conferences\.json"),
    "fetch_conference": ("GET", rf"{BASE}/Conferences/{_ONE}\.json"),
    "update_conference": ("POST", rf"{BASE}/Conferences/{_ONE}\.json"),
    "list_participants": ("GET", rf"{BASE}/Conferences/{_ONE}/Participants\.json"),
    "create_participant": ("POST", rf"{BASE}/Conferences/{_ONE}/Participants\.json"),
    "fetch_participant": ("GET", rf"{BASE}/Conferences/{_ONE}/Participants/{_ONE}\.json"),
    "update_participant": ("POST", rf"{BASE}/Conferences/{_ONE}/Participants/{_ONE}\.json"),
    "delete_participant": ("DELETE", rf"{BASE}/Conferences/{_ONE}/Participants/{_ONE}\.json"),
}
