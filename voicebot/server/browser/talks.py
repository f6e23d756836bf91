"""The calls from browsers that one worker has: each begins with an offer, and is a task until it is over."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from contextlib import ExitStack
from dataclasses import dataclass

from loguru import logger

from voicebot.agent import Agent
from voicebot.errors import Unavailable, VoicebotError
from voicebot.server.browser import ice
from voicebot.server.browser.shown import Shown
from voicebot.server.capacity.admission import Refused, Seat
from voicebot.server.rest.problems import Problem
from voicebot.server.site import Site
from voicebot.server.state import CallRow
from voicebot.transports.webrtc import NoOffer, NoPort, Ports, WebRTC


@dataclass(frozen=True)
class Begun:
    """For the page."""

    id: str
    secret: str
    """Who has it may move the call to another network, and end it."""
    sdp: str


@dataclass(frozen=True)
class _Talk:
    line: WebRTC
    secret_hash: bytes
    task: asyncio.Task[None]


class Talks:
    """One worker's. `close` at its end."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._talks: dict[str, _Talk] = {}
        self._ports = Ports(*site.settings.udp_ports) if site.settings.udp_ports else None

    async def begin(self, agent: str, ticket: str, sdp: str, traceparent: str = "") -> Begun:
        """Raises Problem, Unavailable."""
        with ExitStack() as stack:
            seat = stack.enter_context(self._seat())
            self.check_ports()
            row = await self._claim(agent, ticket)
            line = WebRTC(row.caller, ice.servers(self._site.settings, row.id), self._ports)
            loaded, answered = await self._answered(row, line, sdp)
            stack.pop_all()
        secret = secrets.token_urlsafe(32)
        task = asyncio.create_task(self._converse(row, loaded, line, seat, traceparent))
        self._talks[row.id] = _Talk(line, _hash(secret), task)
        task.add_done_callback(lambda _: self._talks.pop(row.id, None))
        return Begun(row.id, secret, answered)

    def line(self, call_id: str, secret: str) -> WebRTC | None:
        """Of a call that is here; None: it is not. Raises Problem 401 for a wrong secret."""
        talk = self._talks.get(call_id)
        if talk and not hmac.compare_digest(talk.secret_hash, _hash(secret)):
            raise Problem(401, "Unauthorized", "This is not the secret of this call.")
        return talk.line if talk else None

    def check_ports(self) -> None:
        """Before a ticket is made or used up. Raises Problem 503."""
        try:
            if self._ports:
                self._ports.check()
        except NoPort as error:
            raise no_port(self._site, error) from None

    async def close(self) -> None:
        """What is left ends now."""
        tasks = [talk.task for talk in self._talks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _seat(self) -> Seat:
        try:
            return self._site.admission.take()
        except Refused as refused:
            raise no_room(refused) from None

    async def _claim(self, agent: str, ticket: str) -> CallRow:
        calls = self._site.state.calls
        row = await calls.claim(ticket, machine=self._site.machine, worker=self._site.worker)
        if row and (row.agent, row.transport) != (agent, "webrtc"):
            self._site.ledger.ended(row.id, "failed", "its ticket was shown elsewhere")
            row = None
        if row is None:
            raise no_ticket()
        return row

    async def _answered(self, row: CallRow, line: WebRTC, sdp: str) -> tuple[Agent, str]:
        """The agent, and the SDP for the browser. Raises Problem."""
        try:
            return await self._site.agents.get(row.agent), await line.answer(sdp)
        except NoOffer as error:
            self._site.ledger.ended(row.id, "failed", str(error))
            raise Problem(422, "Not valid", str(error)) from None
        except NoPort as error:
            self._site.ledger.ended(row.id, "failed", str(error))
            raise no_port(self._site, error) from None
        except VoicebotError as error:
            self._site.ledger.ended(row.id, "failed", str(error))
            raise Problem(503, "Agent out of order", "This agent cannot be talked to just now.") from None

    async def _converse(self, row: CallRow, agent: Agent, line: WebRTC, seat: Seat, traceparent: str) -> None:
        shown = Shown(line)
        with seat:
            try:
                await line.connected()
                await self._site.desk.converse(row, agent, line, (shown.event,), traceparent)
            except Unavailable as error:
                logger.bind(call=row.id).info(f"call {row.id} did not begin: {error}")
                self._site.ledger.ended(row.id, "failed", str(error))
            finally:
                shown.ended("failed")
                await line.hang_up()


def no_ticket() -> Problem:
    return Problem(401, "Unauthorized", "This ticket is not good, or not any more.")


def no_room(refused: Refused) -> Problem:
    headers = {"Retry-After": str(refused.retry_after_s)}
    return Problem(503, "No room", f"{refused.sentence[0].upper()}{refused.sentence[1:]}.", headers)


def no_port(site: Site, error: NoPort) -> Problem:
    """Of the range that was named."""
    logger.warning(f"no call from a browser: {error}")
    site.row.count_refused("ports")
    return no_room(Refused("ports"))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
