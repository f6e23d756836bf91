"""A call that goes out, as Twilio is asked for it: made once, found again, and who took it.

    sid = await account.ask(lambda client: dial(client, wanted), "call +12025550123")

The id that we gave the call stands in the addresses that Twilio is told to ask, so that it can be found again when no
answer came. https://www.twilio.com/docs/voice/api/call-resource,
https://www.twilio.com/docs/voice/answering-machine-detection
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from voicebot.errors import BadInput

ANSWERED, DIALLED, MACHINE = "/twilio/answered", "/twilio/dialled", "/twilio/amd"
"""Where Twilio asks what to do with a call that was answered, tells how it goes, and tells who has answered."""
UNREACHED: Final = {"busy": "busy", "no-answer": "no_answer", "failed": "failed", "canceled": "canceled"}
"""Twilio's states of a call that nobody answered, and how a call ends with them here."""
_MACHINE_TIMEOUT_S = 30
_EARLIER = timedelta(minutes=2)
"""How much Twilio's clock may be behind ours."""
_MOST_CALLS = 50
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")

Who = Literal["human", "machine", "fax", "unknown"]


@dataclass(frozen=True)
class Wanted:
    """A call that is to be made."""

    call_id: str
    """Ours."""
    to: str
    from_: str
    base: str
    """This server's address, as Twilio reaches it."""
    ring_s: float = 30.0
    detect_machines: bool = False


def dial(client: Any, wanted: Wanted) -> str:
    """Have it made; Twilio's SID of it. It blocks, and raises what the SDK raises."""
    listening = {
        "machine_detection": "DetectMessageEnd",
        "machine_detection_timeout": _MACHINE_TIMEOUT_S,
        "async_amd": "true",
        "async_amd_status_callback": f"{wanted.base}{MACHINE}/{wanted.call_id}",
        "async_amd_status_callback_method": "POST",
    }
    call = client.calls.create(
        to=wanted.to,
        from_=wanted.from_,
        url=f"{wanted.base}{ANSWERED}/{wanted.call_id}",
        method="POST",
        status_callback=f"{wanted.base}{DIALLED}/{wanted.call_id}",
        status_callback_method="POST",
        status_callback_event=["initiated", "ringing", "answered", "completed"],
        timeout=round(wanted.ring_s),
        **(listening if wanted.detect_machines else {}),
    )
    return str(call.sid)


@dataclass(frozen=True)
class Found:
    """A call of ours that Twilio has."""

    sid: str
    status: str
    """Twilio's: queued, ringing, in-progress, completed, busy, ..."""


def find(client: Any, call_id: str, to: str, since: datetime) -> Found | None:
    """The call `call_id` to a number, if Twilio knows it: the one whose webhooks have our id in their addresses.

    It blocks, and raises what the SDK raises. None is no proof that there is none: Twilio lists a call some time after
    it has begun, and its webhooks later.
    """
    for call in client.calls.list(to=to, limit=_MOST_CALLS):  # the latest first
        if call.date_created and call.date_created < since - _EARLIER:
            break
        if any(url.partition("?")[0].endswith(f"/{call_id}") for url in _asked(client, call.sid)):
            return Found(str(call.sid), str(call.status))
    return None


def status_of(client: Any, sid: str) -> Found:
    """How a call goes that Twilio knows as `sid`. It blocks, and raises what the SDK raises."""
    return Found(sid, str(client.calls(sid).fetch().status))


def _asked(client: Any, sid: str) -> Iterator[str]:
    """The addresses that Twilio has asked about a call."""
    for event in client.calls(sid).events.list(limit=_MOST_CALLS):
        yield str((event.request or {}).get("url", ""))


def who(answered_by: str) -> Who:
    """Twilio's `AnsweredBy`, in a word."""
    if answered_by.startswith("machine"):
        return "machine"
    return "human" if answered_by == "human" else "fax" if answered_by == "fax" else "unknown"


def variables_of(text: str) -> set[str]:
    """The names that stand in a text as `{{name}}`."""
    return set(_VARIABLE.findall(text))


def filled(text: str, variables: Mapping[str, str]) -> str:
    """The text with the variables of one call in it. Raises BadInput for one that the call does not have."""
    missing = sorted(variables_of(text) - set(variables))
    if missing:
        raise BadInput(
            f"the call has no variable '{missing[0]}', which stands as {{{{{missing[0]}}}}} in what is said."
        )
    return _VARIABLE.sub(lambda found: variables[found[1]], text)
