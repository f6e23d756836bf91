"""How Twilio writes down what an account holds: the fields of its public OpenAPI description."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from secrets import token_hex
from typing import Any

from tests.doubles.twilio_account.parameters import Sent, one
from tests.doubles.twilio_stream import ACCOUNT_SID

VERSION = "2010-04-01"
BASE = f"/{VERSION}/Accounts/{ACCOUNT_SID}"


def sid(kind: str) -> str:
    return kind + token_hex(16)


def now() -> str:
    return format_datetime(datetime.now(UTC))


def snake(name: str) -> str:
    """'VoiceUrl' -> 'voice_url'."""
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name).lstrip("_")


class Number(dict[str, Any]):
    """An incoming phone number, as its JSON."""

    def __init__(self, number: str, **fields: Any) -> None:
        itself = sid("PN")
        super().__init__(
            sid=itself,
            account_sid=ACCOUNT_SID,
            friendly_name=f"({number[2:5]}) {number[5:8]}-{number[8:]}",
            phone_number=number,
            voice_url="https://demo.twilio.com/welcome/voice/",
            voice_method="POST",
            voice_fallback_url="",
            voice_fallback_method="POST",
            voice_caller_id_lookup=False,
            voice_application_sid="",
            voice_receive_mode="voice",
            status_callback="",
            status_callback_method="POST",
            sms_url="",
            sms_method="POST",
            sms_fallback_url="",
            sms_fallback_method="POST",
            sms_application_sid="",
            trunk_sid=None,
            emergency_status="Active",
            emergency_address_sid=None,
            emergency_address_status="unregistered",
            address_sid=None,
            address_requirements="none",
            identity_sid=None,
            bundle_sid=None,
            capabilities={"voice": True, "sms": True, "mms": True, "fax": False},
            beta=False,
            origin="twilio",
            status="in-use",
            type="local",
            api_version=VERSION,
            date_created=now(),
            date_updated=now(),
            uri=f"{BASE}/IncomingPhoneNumbers/{itself}.json",
        )
        self.update(fields)

    def change(self, sent: Sent) -> None:
        """As an update does: what is not sent stays."""
        for name in sent:
            value: Any = one(sent, name)
            self[snake(name)] = value == "true" if name == "VoiceCallerIdLookup" else value
        self["date_updated"] = now()


def available(number: str, locality: str, region: str, country: str) -> dict[str, Any]:
    return {
        "friendly_name": f"({number[2:5]}) {number[5:8]}-{number[8:]}",
        "phone_number": number,
        "lata": "722",
        "locality": locality,
        "rate_center": locality.upper(),
        "latitude": "37.774900",
        "longitude": "-122.419400",
        "region": region,
        "postal_code": "94103",
        "iso_country": country,
        "address_requirements": "none",
        "beta": False,
        "capabilities": {"voice": True, "SMS": True, "MMS": True},
    }


def page(key: str, rows: list[dict[str, Any]], sent: Sent, path: str) -> dict[str, Any]:
    """One page of a list, with the address of the next one."""
    size, number = int(one(sent, "PageSize", "50")), int(one(sent, "Page", "0"))
    begin = size * number
    following = f"{path}?PageSize={size}&Page={number + 1}&PageToken=PA{number + 1}"
    shown = rows[begin : begin + size]
    return {
        key: shown,
        "page": number,
        "page_size": size,
        "start": begin,
        "end": begin + max(len(shown) - 1, 0),
        "uri": f"{path}?PageSize={size}&Page={number}",
        "first_page_uri": f"{path}?PageSize={size}&Page=0",
        "previous_page_uri": None,
        "next_page_uri": following if begin + size < len(rows) else None,
    }
