"""Calls that go out, as Twilio tells of them.

    POST /twilio/answered/{id}    somebody has answered: their agent speaks
    POST /twilio/dialled/{id}     how it goes: ringing, answered, busy, nobody, over
    POST /twilio/amd/{id}         who has answered: a human, or a machine that may be left a message

Each of them knows a call by our id in its address and by Twilio's SID in its form; the first to come makes the SID
known, should Twilio's answer to our request have been lost.
"""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from loguru import logger

from voicebot.errors import BadInput, Unavailable
from voicebot.server.desk import Live
from voicebot.server.rest.forward import Forward
from voicebot.server.state import CallRow
from voicebot.server.state.calls import IN_DOUBT, NOT_OPENED
from voicebot.server.twilio import twiml
from voicebot.server.twilio.signature import Form
from voicebot.server.twilio.webhook import Webhook, twiml_answer
from voicebot.telephony import outbound

_BEGINS_S = 10.0
"""How long a call that was answered may take to begin, before nobody can be told who has answered it."""
_LOOK_S = 0.05


def routes(webhook: Webhook) -> APIRouter:
    router = APIRouter()
    dialling = _Dialling(webhook)
    router.post(f"{_below(outbound.ANSWERED)}/{{call_id}}")(dialling.answered)
    router.post(f"{_below(outbound.DIALLED)}/{{call_id}}")(dialling.dialled)
    router.post(f"{_below(outbound.MACHINE)}/{{call_id}}")(dialling.machine)
    return router


def _below(path: str) -> str:
    return path.removeprefix("/twilio")


class _Dialling:
    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook
        self._site = webhook.site

    async def answered(self, call_id: str, request: Request) -> Response:
        """Twilio asks what to do with the call, and perhaps once more."""
        asked, base = await self._webhook.asked(request)
        try:
            row = await self._ours(call_id, asked.form)
            ticket = await self._site.state.calls.renew(row.id) if row else None
        except Unavailable as error:
            logger.error(f"call {call_id!r} was answered, and cannot be begun: {error}")
            return twiml_answer(twiml.hang_up())
        if row is None or ticket is None:
            return twiml_answer(twiml.hang_up())
        if refused := self._site.admission.refusal():
            self._site.row.count_refused(refused.why)
            self._site.ledger.ended(row.id, NOT_OPENED, "there was no room when it was answered")
            return await self._webhook.sorry(row, "busy")
        return self._webhook.connected(row, ticket, base, row.callee)

    async def dialled(self, call_id: str, request: Request) -> Response:
        """Late, twice or about a call that nobody knows: it does no harm."""
        asked, _ = await self._webhook.asked(request)
        status = asked.form.get("CallStatus", "")
        try:
            row = await self._ours(call_id, asked.form)
            if row and (reason := outbound.UNREACHED.get(status)):
                await self._unreached(row, reason, _detail(asked.form))
            elif row and status == "completed" and row.state == "expected":
                self._site.ledger.ended(row.id, NOT_OPENED, "it was answered, and over before the agent could speak")
        except Unavailable:
            logger.warning(f"what Twilio says of call {call_id!r} ({status}) could not be written down")
        return _noted()

    async def machine(self, call_id: str, request: Request) -> Response:
        """Who has answered; with a machine, it is done what phone.yaml says."""
        asked, _ = await self._webhook.asked(request)
        forward: Forward = request.app.state.forward
        who = outbound.who(asked.form.get("AnsweredBy", ""))
        try:
            row = await self._begun(call_id, asked.form)
            if row is None or (row.state == "live" and row.id not in self._site.desk.live):
                return await forward.request(row, request) if row and forward.elsewhere(row, request) else _noted()
            live = self._site.desk.live.get(row.id)
            if await self._site.state.outgoing.answered_by(row.id, who) and live:
                await self._tell(live, row, who)
        except Unavailable:
            logger.warning(f"who has answered call {call_id!r} could not be written down")
        return _noted()

    # -- the call ----------------------------------------------------------------------------------------------------

    async def _ours(self, call_id: str, form: Form) -> CallRow | None:
        """The call that goes out under this id, and at Twilio under that of the form. Raises Unavailable."""
        sid = form.get("CallSid", "")
        row = await self._site.state.calls.get(call_id)
        if row is None or row.direction != "outbound" or not sid:
            return None
        if row.outside_id in ("", sid) and await self._site.state.outgoing.dialled(row.id, sid):
            return row
        return None

    async def _unreached(self, row: CallRow, reason: str, detail: str) -> None:
        if row.reason == IN_DOUBT:
            await self._site.state.outgoing.no_doubt(row.id, reason, detail)
        elif row.state == "expected":
            self._site.ledger.ended(row.id, reason, detail)

    async def _begun(self, call_id: str, form: Form) -> CallRow | None:
        """The call when its stream is open: a machine may be found out before that."""
        until = asyncio.get_running_loop().time() + _BEGINS_S
        while row := await self._ours(call_id, form):
            live = self._site.desk.live.get(row.id)
            if row.state not in ("expected", "live") or (live and live.begun):
                return row
            if (row.state == "live" and live is None) or asyncio.get_running_loop().time() > until:
                return row
            await asyncio.sleep(_LOOK_S)
        return None

    async def _tell(self, live: Live, row: CallRow, who: outbound.Who) -> None:
        message = await self._message(row) if who == "machine" else ""
        await live.answered_by(who, message)

    async def _message(self, row: CallRow) -> str:
        """What is said to an answering machine; '' when nothing is."""
        try:
            book = await self._site.phones.book()
            wanted = book.outbound.voicemail if book and book.outbound else None
            return outbound.filled(wanted or "", row.parameters)
        except BadInput as error:
            logger.warning(f"call {row.id}: no message is left: {error}")
            return ""


def _noted() -> Response:
    return Response(status_code=204)


def _detail(form: Form) -> str:
    """Why nobody was reached, in the words of the telephone network."""
    code = twiml.printable(form.get("SipResponseCode", ""))
    return f"SIP {code}" if code else ""
