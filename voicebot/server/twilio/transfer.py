"""A caller is put through while their call goes on: somebody is called, told who calls, and asked.

    POST /twilio/transfer/{id}/{token}/answered    they have answered: who calls, and the question
    POST /twilio/transfer/{id}/{token}/choice      they have pressed a key, said something, or nothing
    POST /twilio/transfer/{id}/{token}/over        their part in the conference is over
    POST /twilio/transfer/{id}/{token}/status      their telephone: busy, nobody there, hung up

The caller waits to music, on the agent's line. Yes: the call ends as handed over, and both are sent into a conference.
All else: the agent is back, in the same call. The caller does not have to wait either: a key brings the agent back.
"""

from __future__ import annotations

import hmac
from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response

from voicebot.errors import Unavailable
from voicebot.server.rest.forward import Forward
from voicebot.server.twilio import conference, twiml
from voicebot.server.twilio.asking import Asking
from voicebot.server.twilio.operator import operator_of
from voicebot.server.twilio.signature import Form
from voicebot.server.twilio.webhook import Webhook, twiml_answer

_STEPS: Final = ("answered", "choice", "over", "status")


def routes(webhook: Webhook) -> APIRouter:
    router = APIRouter()
    transfers = _Transfers(webhook)
    for step in _STEPS:
        router.post(f"/transfer/{{call_id}}/{{token}}/{step}")(partial(transfers.at, step))
    return router


class _Transfers:
    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook
        self._site = webhook.site

    async def at(self, step: str, call_id: str, token: str, request: Request) -> Response:
        """Late, twice, or when nobody waits any more: it does no harm."""
        asked, _ = await self._webhook.asked(request)
        live = self._site.desk.live.get(call_id)
        if live is None and (elsewhere := await self._elsewhere(call_id, request)):
            return elsewhere
        operator = operator_of(live) if live else None
        asking = operator.asking if operator else None
        if asking is None or not hmac.compare_digest(asking.token.encode(), token.encode()):
            return _nobody_waits(step)
        return _answer(step, asking, asked.form)

    async def _elsewhere(self, call_id: str, request: Request) -> Response | None:
        """The answer of the worker that has the call; None when there is none."""
        forward: Forward = request.app.state.forward
        try:
            row = await self._site.state.calls.get(call_id)
        except Unavailable:
            return None
        if row is None or row.state != "live" or not forward.elsewhere(row, request):
            return None
        return await forward.request(row, request)


def _answer(step: str, asking: Asking, form: Form) -> Response:
    if step == "answered":
        return twiml_answer(asking.answered())
    if step == "choice":
        return twiml_answer(asking.chosen(form.get("Digits", ""), form.get("SpeechResult", "")))
    if step == "status":
        asking.ended(form.get("CallStatus", ""))
        return Response(status_code=204)
    return twiml_answer(twiml.hang_up())


def _nobody_waits(step: str) -> Response:
    if step == "status":
        return Response(status_code=204)
    return twiml_answer(twiml.hang_up() if step == "over" else conference.goodbye("gone", "en"))
