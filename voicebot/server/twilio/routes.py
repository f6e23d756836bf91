"""Twilio's webhooks: a call comes in, its stream is over, news of its stream.

    POST /twilio/voice, /twilio/voice/{agent}    the webhook of a telephone number: answering.py
    POST /twilio/answered/{id} ...               calls that go out: dialling.py
    POST /twilio/after/{id}      the stream is over: hang up, put the caller through, or make up for what went wrong
    POST /twilio/status/{id}     what became of the stream, and of the call
    POST /twilio/status          what became of a call to one of our numbers: news.py

Twilio reads TwiML only from a 200, so that a caller who cannot be helped is told so with one. What is not signed gets
403. Twilio asks again when an answer was lost: the same question has the same answer, and never begins a second call.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from loguru import logger

from voicebot.errors import Unavailable
from voicebot.server.rest.forward import Forward
from voicebot.server.site import Site
from voicebot.server.state.calls import NOT_OPENED
from voicebot.server.twilio import answering, conference, dialling, news, transfer, twiml
from voicebot.server.twilio.operator import operator_of
from voicebot.server.twilio.webhook import Webhook, twiml_answer

_UNREACHED = ("busy", "no-answer", "failed", "canceled")
_OVER = ("completed", "busy", "no-answer", "failed", "canceled")


def routes(site: Site) -> APIRouter:
    router = APIRouter(prefix="/twilio", include_in_schema=False)
    webhook = Webhook(site)
    ends = _Ends(webhook)
    router.include_router(answering.routes(webhook))
    router.include_router(dialling.routes(webhook))
    router.include_router(transfer.routes(webhook))
    router.include_router(news.routes(webhook))
    router.post("/after/{call_id}")(ends.after)
    router.post("/status/{call_id}")(ends.status)
    return router


class _Ends:
    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook
        self._site = webhook.site

    async def after(self, call_id: str, request: Request) -> Response:
        """The stream is over, or there was none; or the caller was put through, and that is over."""
        asked, base = await self._webhook.asked(request)
        try:
            row = await self._webhook.settled(call_id, asked.form)
        except Unavailable:
            row = None
        if row is None:
            return twiml_answer(twiml.hang_up())
        if through := asked.form.get("DialCallStatus"):
            return (
                await self._webhook.sorry(row, "nobody_there")
                if through in _UNREACHED
                else twiml_answer(twiml.hang_up())
            )
        if row.state == "expected" or row.reason == NOT_OPENED:
            self._site.ledger.ended(row.id, NOT_OPENED, "Twilio did not open its stream")
            return await self._webhook.sorry(row, "busy")
        if row.reason in ("failed", "lost"):
            return await self._webhook.sorry(row, "out_of_order")
        if row.reason != "handed_over":
            return twiml_answer(twiml.hang_up())
        if conference.is_joined(row):
            return twiml_answer(conference.room(row.id, f"{base}/twilio/after/{row.id}"))
        if twiml.can_be_dialled(row.detail):
            return twiml_answer(twiml.transfer(row.detail, f"{base}/twilio/after/{row.id}"))
        logger.warning(f"call {row.id} was handed over to {row.detail!r}, which is no telephone number")
        return await self._webhook.sorry(row, "nobody_there")

    async def status(self, call_id: str, request: Request) -> Response:
        """Late, twice or about a call that nobody knows: it does no harm. What comes while the call goes on is one of
        its events."""
        asked, _ = await self._webhook.asked(request)
        form, forward = asked.form, request.app.state.forward
        assert isinstance(forward, Forward)
        broken = twiml.printable(form.get("StreamError", "")) if form.get("StreamEvent") == "stream-error" else ""
        try:
            row = await self._webhook.row(call_id, form)
            if row and broken:
                logger.warning(f"call {row.id}: Twilio reports on its stream: {broken}")
            if row and row.state == "expected" and (broken or form.get("CallStatus") in _OVER):
                self._site.ledger.ended(row.id, NOT_OPENED, broken or "the caller hung up before that")
            elif row and (live := self._site.desk.live.get(row.id)) and (operator := operator_of(live)):
                operator.news(form)
            elif row and row.state == "live" and forward.elsewhere(row, request):
                return await forward.request(row, request)
        except Unavailable:
            logger.debug(f"what Twilio says of call {call_id!r} could not be written down")
        return Response(status_code=204)
