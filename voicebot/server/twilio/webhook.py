"""What all of Twilio's webhooks have in common: the signature first, then the call they are about, then an answer.

webhook = Webhook(site)
asked, base = await webhook.asked(request)       # raises Problem 403 for what is not Twilio's
row = await webhook.row(call_id, asked.form)     # None for another call's
return webhook.elsewhere("busy", "en")
"""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request, Response

from voicebot.errors import VoicebotError
from voicebot.server.capacity.admission import Refused
from voicebot.server.rest.problems import Problem
from voicebot.server.site import Site
from voicebot.server.state import CallRow
from voicebot.server.twilio import twiml
from voicebot.server.twilio.sentences import What
from voicebot.server.twilio.signature import Asked, Form, Signatures, Unsigned, websocket_url

_MOST_BYTES: Final = 64 * 1024
_MOST_FIELDS: Final = 200
_SETTLES_S = 3.0
"""How long the end of a call may take to be written down, when its stream is over already."""
_LOOK_S = 0.05


class Webhook:
    """One worker's, for all that Twilio asks."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._signatures = Signatures(site.settings, site.address)

    # -- what was asked ----------------------------------------------------------------------------------------------

    async def asked(self, request: Request) -> tuple[Asked, str]:
        """(the request, this server's address as Twilio knows it). Raises Problem."""
        path, query = (request.scope[each].decode("latin-1") for each in ("raw_path", "query_string"))
        target = f"{path}?{query}" if query else path
        asked = Asked(target, request.headers, form_of(await request.body()))
        try:
            return asked, self._signatures.base(asked)
        except Unsigned:
            raise Problem(403, "Forbidden", "This request is not signed by Twilio.") from None

    async def row(self, call_id: str, form: Form) -> CallRow | None:
        """The call, when it is the one that Twilio means. Raises Unavailable."""
        row = await self.site.state.calls.get(call_id)
        return row if row and row.outside_id == form.get("CallSid") else None

    async def settled(self, call_id: str, form: Form) -> CallRow | None:
        """The call when its end is written down, which nobody waits for but this. Raises Unavailable."""
        until = asyncio.get_running_loop().time() + _SETTLES_S
        row = await self.row(call_id, form)
        while row and row.state == "live" and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(_LOOK_S)
            row = await self.row(call_id, form)
        return row

    # -- what is answered --------------------------------------------------------------------------------------------

    def connected(self, row: CallRow, ticket: str, base: str, caller: str) -> Response:
        """Twilio opens the stream of a call; `caller` is the human's number."""
        return twiml_answer(
            twiml.connect(
                stream_url=websocket_url(f"{base}/twilio/stream"),
                after_url=f"{base}/twilio/after/{row.id}",
                status_url=f"{base}/twilio/status/{row.id}",
                parameters={"ticket": ticket, "caller": caller},
            )
        )

    def refused(self, refused: Refused, language: str) -> Response:
        self.site.row.count_refused(refused.why)
        return self.elsewhere("busy", language)

    async def sorry(self, row: CallRow, what: What) -> Response:
        """In the language of the call's agent. Whom we have called is not called on elsewhere."""
        if row.direction == "outbound":
            return twiml_answer(twiml.hang_up())
        try:
            language = (await self.site.agents.get(row.agent)).language
        except VoicebotError:
            language = "en"
        return self.elsewhere(what, language)

    def elsewhere(self, what: What, language: str) -> Response:
        return twiml_answer(twiml.elsewhere(self.site.settings.overflow, what, language))


def twiml_answer(xml: str) -> Response:
    return Response(xml, media_type="application/xml")


def form_of(body: bytes) -> Form:
    """Empty values stay: they are signed. Raises Problem."""
    if len(body) > _MOST_BYTES:
        raise Problem(413, "Content too large", f"A webhook of Twilio's has {_MOST_BYTES} bytes at most.")
    try:
        return Form(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise Problem(400, "Bad request", "A webhook of Twilio's is a form.") from None


def query_of(asked: Asked) -> dict[str, str]:
    """What stands in the query of a webhook's URL, as whoever has pointed the number there wrote it. Raises Problem."""
    return dict(form_of(asked.target.partition("?")[2].encode()))
