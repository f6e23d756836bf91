"""Twilio's webhooks: a call comes in, its stream is over, news of its stream.

    POST /twilio/voice/{agent}   the webhook of a telephone number: who answers, or where the call goes instead
    POST /twilio/after/{id}      the stream is over: hang up, put the caller through, or make up for what went wrong
    POST /twilio/status/{id}     what became of the stream, and of the call

Twilio reads TwiML only from a 200, so that a caller who cannot be helped is told so with one. What is not signed gets
403. Twilio asks again when an answer was lost: the same question has the same answer, and never begins a second call.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from loguru import logger

from voicebot.errors import Unavailable, VoicebotError
from voicebot.opening import new_id
from voicebot.server.capacity.admission import Refused
from voicebot.server.rest.problems import Problem
from voicebot.server.site import Site
from voicebot.server.state import AlreadyKnown, CallRow
from voicebot.server.state.calls import NOT_OPENED
from voicebot.server.twilio import twiml
from voicebot.server.twilio.sentences import What
from voicebot.server.twilio.signature import Asked, Form, Signatures, Unsigned, websocket_url

_MOST_BYTES: Final = 64 * 1024
_MOST_FIELDS: Final = 200
_SID = re.compile(r"CA[A-Za-z0-9]{1,62}")
_UNREACHED = ("busy", "no-answer", "failed", "canceled")
_OVER = ("completed", "busy", "no-answer", "failed", "canceled")
_SETTLES_S = 3.0
"""How long the end of a call may take to be written down, when its stream is over already."""
_LOOK_S = 0.05


def routes(site: Site) -> APIRouter:
    router = APIRouter(prefix="/twilio", include_in_schema=False)
    webhooks = _Webhooks(site)
    router.post("/voice/{agent}")(webhooks.voice)
    router.post("/after/{call_id}")(webhooks.after)
    router.post("/status/{call_id}")(webhooks.status)
    return router


class _Webhooks:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._signatures = Signatures(site.settings)

    async def voice(self, agent: str, request: Request) -> Response:
        """A call comes in."""
        asked, base = await self._asked(request)
        call_sid = asked.form.get("CallSid", "")
        if not _SID.fullmatch(call_sid):
            raise Problem(400, "Bad request", "Twilio's webhook of a call has a CallSid.")
        try:
            language = (await self._site.agents.get(agent)).language
        except VoicebotError as error:
            logger.error(f"a call for the agent {agent!r} could not be taken: {error}")
            return self._elsewhere("out_of_order", "en")
        if refused := self._site.admission.refusal():
            return self._refused(refused, language)
        try:
            row, ticket = await self._expect(agent, call_sid, asked)
        except Unavailable:
            return self._refused(Refused("state"), language)
        if not ticket:
            logger.warning(f"Twilio asks again what to do with {row.outside_id}, and that call is {row.state}")
            return _twiml(twiml.hang_up())
        return _twiml(
            twiml.connect(
                stream_url=websocket_url(f"{base}/twilio/stream"),
                after_url=f"{base}/twilio/after/{row.id}",
                status_url=f"{base}/twilio/status/{row.id}",
                parameters={"ticket": ticket, "caller": row.caller},
            )
        )

    async def after(self, call_id: str, request: Request) -> Response:
        """The stream is over, or there was none; or the caller was put through, and that is over."""
        asked, base = await self._asked(request)
        try:
            row = await self._settled(call_id, asked.form)
        except Unavailable:
            row = None
        if row is None:
            return _twiml(twiml.hang_up())
        if through := asked.form.get("DialCallStatus"):
            return await self._sorry(row, "nobody_there") if through in _UNREACHED else _twiml(twiml.hang_up())
        if row.state == "expected" or row.reason == NOT_OPENED:
            self._site.ledger.ended(row.id, NOT_OPENED, "Twilio did not open its stream")
            return await self._sorry(row, "busy")
        if row.reason in ("failed", "lost"):
            return await self._sorry(row, "out_of_order")
        if row.reason != "handed_over":
            return _twiml(twiml.hang_up())
        if twiml.can_be_dialled(row.detail):
            return _twiml(twiml.transfer(row.detail, f"{base}/twilio/after/{row.id}"))
        logger.warning(f"call {row.id} was handed over to {row.detail!r}, which is no telephone number")
        return await self._sorry(row, "nobody_there")

    async def status(self, call_id: str, request: Request) -> Response:
        """Late, twice or about a call that nobody knows: it does no harm."""
        asked, _ = await self._asked(request)
        form = asked.form
        broken = twiml.printable(form.get("StreamError", "")) if form.get("StreamEvent") == "stream-error" else ""
        try:
            row = await self._row(call_id, form)
            if row and broken:
                logger.warning(f"call {row.id}: Twilio reports on its stream: {broken}")
            if row and row.state == "expected" and (broken or form.get("CallStatus") in _OVER):
                self._site.ledger.ended(row.id, NOT_OPENED, broken or "the caller hung up before that")
        except Unavailable:
            logger.debug(f"what Twilio says of call {call_id!r} could not be written down")
        return Response(status_code=204)

    # -- what was asked ----------------------------------------------------------------------------------------------

    async def _asked(self, request: Request) -> tuple[Asked, str]:
        """(the request, this server's address as Twilio knows it). Raises Problem."""
        path, query = (request.scope[each].decode("latin-1") for each in ("raw_path", "query_string"))
        target = f"{path}?{query}" if query else path
        asked = Asked(target, request.headers, _form(await request.body()))
        try:
            return asked, self._signatures.base(asked)
        except Unsigned:
            raise Problem(403, "Forbidden", "This request is not signed by Twilio.") from None

    async def _expect(self, agent: str, call_sid: str, asked: Asked) -> tuple[CallRow, str]:
        """The call, and what its stream has to show; '' when it was already taken."""
        calls = self._site.state.calls
        caller, callee = (twiml.printable(asked.form.get(name, "")) for name in ("From", "To"))
        try:
            return await calls.expect(
                id=new_id(),
                agent=agent,
                transport="twilio",
                caller=caller,
                callee=callee,
                outside_id=call_sid,
                parameters=dict(_form(asked.target.partition("?")[2].encode())),
            )
        except AlreadyKnown as known:
            return known.row, await calls.renew(known.row.id) or ""

    async def _row(self, call_id: str, form: Form) -> CallRow | None:
        """The call, when it is the one that Twilio means."""
        row = await self._site.state.calls.get(call_id)
        return row if row and row.outside_id == form.get("CallSid") else None

    async def _settled(self, call_id: str, form: Form) -> CallRow | None:
        """The call when its end is written down, which nobody waits for but this."""
        until = asyncio.get_running_loop().time() + _SETTLES_S
        row = await self._row(call_id, form)
        while row and row.state == "live" and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(_LOOK_S)
            row = await self._row(call_id, form)
        return row

    # -- what is answered --------------------------------------------------------------------------------------------

    def _refused(self, refused: Refused, language: str) -> Response:
        self._site.row.count_refused(refused.why)
        return self._elsewhere("busy", language)

    async def _sorry(self, row: CallRow, what: What) -> Response:
        try:
            language = (await self._site.agents.get(row.agent)).language
        except VoicebotError:
            language = "en"
        return self._elsewhere(what, language)

    def _elsewhere(self, what: What, language: str) -> Response:
        return _twiml(twiml.elsewhere(self._site.settings.overflow, what, language))


def _twiml(xml: str) -> Response:
    return Response(xml, media_type="application/xml")


def _form(body: bytes) -> Form:
    """Empty values stay: they are signed. Raises Problem."""
    if len(body) > _MOST_BYTES:
        raise Problem(413, "Content too large", f"A webhook of Twilio's has {_MOST_BYTES} bytes at most.")
    try:
        return Form(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise Problem(400, "Bad request", "A webhook of Twilio's is a form.") from None
