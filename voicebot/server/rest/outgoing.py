"""POST /v1/calls with `to`: the call is made, or a problem says why it is not."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

from voicebot.server.outbound import NotAllowed, Outbound, Wish
from voicebot.server.rest.problems import Problem
from voicebot.server.site import Site
from voicebot.server.state import CallRow
from voicebot.telephony.e164 import e164

TITLES: Final = {
    "off": "No outbound calls",
    "from": "Not your number",
    "country": "Country not allowed",
    "do_not_call": "Do not call",
    "quiet": "Quiet hours",
    "refused": "Refused by Twilio",
}
"""Of a problem, by why a call is not made."""


async def dialled(site: Site, wish: Wish, call_id: str) -> CallRow:
    """Raises Problem, BadInput, Unavailable."""
    try:
        row = await Outbound(site).dial(wish, call_id)
    except NotAllowed as error:
        raise Problem(409, TITLES[error.kind], str(error), _retry_after(error.until)) from None
    if (row.direction, row.agent, row.callee) != ("outbound", wish.agent, e164(wish.to)):
        raise Problem(409, "Another call", f"The id '{call_id}' is that of another call.")
    return row


def _retry_after(until: datetime | None) -> dict[str, str]:
    if until is None:
        return {}
    return {"Retry-After": str(max(1, math.ceil((until - datetime.now(UTC)).total_seconds())))}
