"""News of a telephone number: Twilio tells at the number's status callback when one of its calls is over.

POST /twilio/status    what became of a call to one of our numbers

A call whose stream never came would otherwise be waited for as long as its ticket is good.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from loguru import logger

from voicebot.errors import Unavailable
from voicebot.server.state.calls import NOT_OPENED
from voicebot.server.twilio.webhook import Webhook

_OVER = ("completed", "busy", "no-answer", "failed", "canceled")


def routes(webhook: Webhook) -> APIRouter:
    router = APIRouter()

    @router.post("/status")
    async def over(request: Request) -> Response:
        """Late, twice or about a call that nobody knows: it does no harm."""
        asked, _ = await webhook.asked(request)
        if asked.form.get("CallStatus") in _OVER:
            try:
                row = await webhook.site.state.calls.known_outside(asked.form.get("CallSid", ""))
                if row and row.state == "expected":
                    webhook.site.ledger.ended(row.id, NOT_OPENED, "the caller hung up before that")
            except Unavailable:
                logger.debug("what Twilio says of a call could not be written down")
        return Response(status_code=204)

    return router
