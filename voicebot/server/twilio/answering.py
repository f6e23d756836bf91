"""A call comes in: which agent answers, or where the call goes instead.

POST /twilio/voice/{agent}     the number names the agent
POST /twilio/voice             phone.yaml does, by its rules
POST /twilio/voicemail/{id}    what a caller has left there
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from loguru import logger

from voicebot.call.opening import new_id
from voicebot.errors import BadInput, Unavailable, VoicebotError
from voicebot.server.capacity.admission import Refused
from voicebot.server.rest.problems import Problem
from voicebot.server.state import AlreadyKnown, CallRow
from voicebot.server.state.outgoing import VOICEMAIL
from voicebot.server.twilio import twiml
from voicebot.server.twilio.signature import Asked
from voicebot.server.twilio.webhook import Webhook, query_of, twiml_answer
from voicebot.telephony import e164, routing
from voicebot.telephony.phonebook import FILE
from voicebot.telephony.routing import Route

ROUTE = "route"
"""The parameter of a call that says which rule of phone.yaml it came by."""
FORWARDED = "forwarded"
"""The reason of a call that phone.yaml sent to another number."""
_SID = re.compile(r"CA[A-Za-z0-9]{1,62}")


def routes(webhook: Webhook) -> APIRouter:
    router = APIRouter()
    answering = _Answering(webhook)
    router.post("/voice")(answering.routed)
    router.post("/voice/{agent}")(answering.named)
    router.post("/voicemail/{call_id}")(answering.message)
    return router


class _Answering:
    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook
        self._site = webhook.site

    async def named(self, agent: str, request: Request) -> Response:
        """The agent stands in the URL."""
        asked, base = await self._webhook.asked(request)
        _check_sid(asked)
        return await self._by_agent(agent, asked, base)

    async def routed(self, request: Request) -> Response:
        """phone.yaml says who answers."""
        asked, base = await self._webhook.asked(request)
        _check_sid(asked)
        try:
            route = await self._route(asked)
        except (BadInput, Unavailable) as error:
            logger.error(f"a call could not be routed: {error}")
            return self._webhook.elsewhere("out_of_order", _language(asked))
        logger.info(f"a call for {asked.form.get('To', '')} goes to {route.agent or route.kind}: {route.rule}")
        if route.kind == "agent":
            return await self._by_agent(route.target, asked, base, route.rule)
        if route.kind == "nobody":
            return self._webhook.elsewhere("nobody_there", _language(asked))
        return await self._without_agent(route, asked, base)

    async def message(self, call_id: str, request: Request) -> Response:
        """A caller has left a message, or hung up."""
        asked, _ = await self._webhook.asked(request)
        seconds, url = (twiml.printable(asked.form.get(name, "")) for name in ("RecordingDuration", "RecordingUrl"))
        try:
            row = await self._webhook.row(call_id, asked.form)
            if row and url:
                await self._site.state.outgoing.message(row.id, f"{url} ({seconds or '?'} s)")
        except Unavailable:
            logger.error(f"the message {url} of call {call_id!r} could not be written down")
        return twiml_answer(twiml.hang_up())

    # -- who answers -------------------------------------------------------------------------------------------------

    async def _route(self, asked: Asked) -> Route:
        """Raises BadInput, Unavailable."""
        book = await self._site.phones.book()
        if book is None:
            raise BadInput(f"there is no {FILE}: write one, or point the number at /twilio/voice/<agent>.")
        form = asked.form
        about = routing.Asked(form.get("To", ""), form.get("From", ""), query_of(asked))
        load = await self._site.state.outgoing.load(routing.agents_counted(book, about.to))
        return routing.choose(book, about, datetime.now(UTC), load)

    async def _by_agent(self, agent: str, asked: Asked, base: str, rule: str = "") -> Response:
        try:
            language = (await self._site.agents.get(agent)).language
        except VoicebotError as error:
            logger.error(f"a call for the agent {agent!r} could not be taken: {error}")
            return self._webhook.elsewhere("out_of_order", "en")
        if refused := self._site.admission.refusal():
            return self._webhook.refused(refused, language)
        try:
            row, ticket = await self._expect(agent, asked, rule)
        except Unavailable:
            return self._webhook.refused(Refused("state"), language)
        if not ticket:
            logger.warning(f"Twilio asks again what to do with {row.outside_id}, and that call is {row.state}")
            return twiml_answer(twiml.hang_up())
        return self._webhook.connected(row, ticket, base, row.caller)

    async def _without_agent(self, route: Route, asked: Asked, base: str) -> Response:
        """Another number, or voicemail; the call is in the books all the same."""
        reason = VOICEMAIL if route.kind == "voicemail" else FORWARDED
        detail = "no message" if route.kind == "voicemail" else route.target
        try:
            row, ticket = await self._expect("", asked, route.rule)
            if ticket:
                await self._site.state.calls.ended(row.id, reason, detail)
        except Unavailable as error:
            logger.error(f"a call could not be written down: {error}")
            return self._webhook.refused(Refused("state"), _language(asked))
        if route.kind == "number":
            return twiml_answer(twiml.transfer(route.target, f"{base}/twilio/after/{row.id}"))
        message_url = f"{base}/twilio/voicemail/{row.id}"
        return twiml_answer(twiml.record(route.target, route.language, message_url))

    async def _expect(self, agent: str, asked: Asked, rule: str) -> tuple[CallRow, str]:
        """The call, and what its stream has to show; '' when it was already taken. Raises Unavailable."""
        calls = self._site.state.calls
        caller, callee = (twiml.printable(asked.form.get(name, "")) for name in ("From", "To"))
        parameters = query_of(asked)
        try:
            return await calls.expect(
                id=new_id(),
                agent=agent,
                transport="twilio",
                caller=caller,
                callee=callee,
                outside_id=asked.form["CallSid"],
                parameters={**parameters, ROUTE: rule} if rule else parameters,
            )
        except AlreadyKnown as known:
            return known.row, await calls.renew(known.row.id) or ""


def _check_sid(asked: Asked) -> None:
    if not _SID.fullmatch(asked.form.get("CallSid", "")):
        raise Problem(400, "Bad request", "Twilio's webhook of a call has a CallSid.")


def _language(asked: Asked) -> str:
    """The first that is known of the caller: nobody else is there whose language it could be."""
    spoken = e164.languages_of(asked.form.get("From", ""))
    return query_of(asked).get("language", "") or (spoken[0] if spoken else "en")
