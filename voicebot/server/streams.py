"""How calls arrive: the websockets of telephone networks and of all other clients.

    uvicorn.Config(app, ws=upgrades(route(site)))

Whoever opens one shows first that they may, then there has to be room, and only then is the websocket accepted: until
there they are refused with an HTTP status. What goes wrong behind that ends in a close code and, where the call has a
row, in how it ended.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import parse_qs, urlsplit

from loguru import logger

from voicebot.call.opening import new_id
from voicebot.call.telling import Face
from voicebot.errors import Unavailable, VoicebotError
from voicebot.server.agents import NoAgent
from voicebot.server.capacity.admission import Refused, Seat
from voicebot.server.desk import Live
from voicebot.server.outbound import spoken_for
from voicebot.server.proxied import client_of
from voicebot.server.rest.guard import Guard
from voicebot.server.rest.problems import MEDIA_TYPE, Problem, not_found
from voicebot.server.site import Site
from voicebot.server.state import CallRow, Key
from voicebot.server.twilio import Asked, Operator, Signatures, Unsigned
from voicebot.transports import twilio, websocket
from voicebot.transports.dialect import VIOLATION, LineLost, ProtocolError, SocketClosed
from voicebot.transports.leg import Leg
from voicebot.transports.served import Handler, Route, Upgrade

TWILIO = "/twilio/stream"
_AGENT = re.compile(r"/v1/agents/([^/]+)/stream")
_SCOPE = "calls:stream"
_MOST_FIELDS = 16
_TRY_AGAIN_LATER = 1013
"""Close code, from the registry of IANA that RFC 6455 has begun."""


def route(site: Site) -> Route:
    """Who answers at a path; None for one that is no stream."""
    streams = _Streams(site)

    def find(path: str) -> Handler | None:
        if path == TWILIO:
            return partial(_refusing, streams.of_twilio)
        agent = _AGENT.fullmatch(path)
        return partial(_refusing, partial(streams.of_client, agent[1])) if agent else None

    return find


async def _refusing(answer: Handler, upgrade: Upgrade) -> None:
    """Nothing of this is raised behind `accept`."""
    try:
        await answer(upgrade)
    except Problem as problem:
        _refuse(upgrade, problem)
    except Unavailable as error:
        _refuse(upgrade, Problem(503, "Unavailable", str(error), {"Retry-After": "5"}))
    except SocketClosed as closed:
        logger.debug(f"a stream was gone before it was accepted ({closed})")


def _refuse(upgrade: Upgrade, problem: Problem) -> None:
    headers = {**(problem.headers or {}), "Content-Type": MEDIA_TYPE}
    upgrade.refuse(problem.status_code, json.dumps(problem.body), headers)


class _Streams:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._guard = Guard(site)
        self._signatures = Signatures(site.settings, site.address)

    # -- Twilio's ----------------------------------------------------------------------------------------------------

    async def of_twilio(self, upgrade: Upgrade) -> None:
        """The signature says that it is Twilio, the ticket in its `start` which call it is."""
        try:
            base = self._signatures.base_of_upgrade(Asked(upgrade.path, upgrade.headers))
        except Unsigned:
            raise Problem(403, "Forbidden", "This request is not signed by Twilio.") from None
        operator = Operator(self._site, base)
        await self._with_operator(upgrade, operator)
        await operator.close()

    async def _with_operator(self, upgrade: Upgrade, operator: Operator) -> None:
        with self._seat():
            socket = upgrade.accept()
            try:
                line = await twilio.answer(socket)
                row = await self._claim(line.start.parameters.get("ticket", ""))
            except Unavailable as error:
                logger.info(f"a stream of Twilio's did not become a call: {error}")
                await socket.close(_TRY_AGAIN_LATER)
            except ProtocolError as error:
                logger.info(f"a stream of Twilio's did not become a call: {error}")
            else:
                if row and row.outside_id == line.start.call_sid:
                    await self._converse(row, line, attach=operator.attach)
                    return
                await socket.close(VIOLATION)
                self._ended(row, "the stream of another call had its ticket")

    # -- every other client's ----------------------------------------------------------------------------------------

    async def of_client(self, agent: str, upgrade: Upgrade) -> None:
        try:
            query = parse_qs(urlsplit(upgrade.path).query, max_num_fields=_MOST_FIELDS)
        except ValueError:
            raise Problem(400, "Bad request", "The query of this URL is not readable.") from None
        if tickets := query.get("ticket"):
            await self._with_ticket(agent, tickets[0], upgrade)
        else:
            await self._with_key(agent, upgrade)

    async def _with_ticket(self, agent: str, ticket: str, upgrade: Upgrade) -> None:
        """Whoever has a ticket may be a web page of anybody's: it was made for them."""
        with self._seat():
            row = await self._claim(ticket)
            if row is None or (row.agent, row.transport) != (agent, "websocket"):
                self._ended(row, "its ticket was shown elsewhere")
                raise Problem(401, "Unauthorized", "This ticket is not good, or not any more.")
            try:
                line = await websocket.answer(upgrade.accept())
            except (SocketClosed, LineLost, ProtocolError) as error:
                self._ended(row, f"its stream did not begin: {error}")
                return
            line.caller = row.caller or line.caller
            await self._converse(row, line, _faces(line), Asked(upgrade.path, upgrade.headers).header("traceparent"))

    async def _with_key(self, agent: str, upgrade: Upgrade) -> None:
        asked = Asked(upgrade.path, upgrade.headers)
        self._check_origin(asked)
        key = await self._guard.admit(asked.header("authorization") or None, _SCOPE, await client_of(upgrade))
        await self._check_agent(agent)
        with self._seat():
            try:
                line = await websocket.answer(upgrade.accept())
            except (LineLost, ProtocolError) as error:
                logger.info(f"a stream for {agent!r} did not become a call: {error}")
                return
            try:
                row = await self._site.state.calls.begin(self._row(agent, key, line.hello))
            except Unavailable as error:
                logger.warning(f"a call for {agent!r} could not begin: {error}")
                await line.hang_up()
                return
            await self._converse(row, line, _faces(line), asked.header("traceparent"))

    def _check_origin(self, asked: Asked) -> None:
        """Browsers say which page opens a stream; a page of somebody else's has no key to have."""
        origin, settings = asked.header("origin"), self._site.settings
        own = {asked.header("host").lower(), urlsplit(settings.public_url).netloc.lower()}
        if origin and origin not in settings.origins and urlsplit(origin).netloc.lower() not in own:
            raise Problem(403, "Forbidden", "Pages of this origin may open a stream with a ticket only.")

    async def _check_agent(self, agent: str) -> None:
        try:
            await self._site.agents.get(agent)
        except NoAgent as error:
            raise not_found(str(error)) from None
        except VoicebotError as error:
            raise Problem(503, "Agent out of order", str(error)) from None

    def _row(self, agent: str, key: Key, hello: websocket.Hello) -> CallRow:
        return CallRow(
            new_id(),
            agent,
            "websocket",
            caller=hello.caller,
            parameters=hello.parameters,
            machine=self._site.machine,
            worker=self._site.worker,
            key_id=key.id,
        )

    # -- both --------------------------------------------------------------------------------------------------------

    def _seat(self) -> Seat:
        """Raises Problem."""
        try:
            return self._site.admission.take()
        except Refused as refused:
            raise _refused(refused) from None

    async def _claim(self, ticket: str) -> CallRow | None:
        """Raises Unavailable."""
        return await self._site.state.calls.claim(ticket, machine=self._site.machine, worker=self._site.worker)

    async def _converse(
        self,
        row: CallRow,
        line: Leg,
        faces: Sequence[Face] = (),
        traceparent: str = "",
        attach: Callable[[Live], None] = lambda live: None,
    ) -> None:
        try:
            agent = await self._site.agents.get(row.agent)
            if row.direction == "outbound":
                agent = spoken_for(agent, row.parameters)
        except VoicebotError as error:
            logger.error(f"call {row.id} could not be answered: {error}")
            await line.hang_up()
            self._ended(row, str(error))
            return
        await self._site.desk.converse(row, agent, line, faces, traceparent, attach)

    def _ended(self, row: CallRow | None, why: str) -> None:
        """Of a call that was claimed and did not come to be."""
        if row:
            self._site.ledger.ended(row.id, "failed", why)


def _faces(line: websocket.WebSocket) -> tuple[Face, ...]:
    return (line.event,) if line.hello.events else ()


def _refused(refused: Refused) -> Problem:
    headers = {"Retry-After": str(refused.retry_after_s)}
    return Problem(503, "No room", f"{refused.sentence[0].upper()}{refused.sentence[1:]}.", headers)
