"""What a page asks over HTTP. See the table in `voicebot.server.browser`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from voicebot.call.opening import new_id
from voicebot.errors import VoicebotError
from voicebot.server.agents import NAME, NoAgent
from voicebot.server.browser import files, ice
from voicebot.server.browser.access import Access
from voicebot.server.browser.talks import Talks, no_port, no_room, no_ticket
from voicebot.server.rest.access import check_media_type
from voicebot.server.rest.forward import Forward
from voicebot.server.rest.problems import Problem, not_found
from voicebot.server.site import Site
from voicebot.transports.webrtc import MOST_CHARACTERS, Candidate, NoOffer, NoPort, WebRTC

_TICKET_S = 60.0
_MOST_CANDIDATES = 24
_STRICT = ConfigDict(extra="forbid")
AgentName = Annotated[str, Path(pattern=NAME)]
CallId = Annotated[str, Path(pattern=r"^[0-9]{8}-[0-9]{6}-[0-9a-f]{6}$")]
Sdp = Annotated[str, StringConstraints(max_length=MOST_CHARACTERS)]


class Ticket(BaseModel):
    model_config = _STRICT

    ticket: str = Field(max_length=128)


class NewTalk(Ticket):
    sdp: Sdp


class Offer(BaseModel):
    model_config = _STRICT

    sdp: Sdp


class Found(BaseModel):
    """An address of the browser's, as its RTCIceCandidate has it."""

    model_config = _STRICT

    candidate: str = Field(max_length=512)
    mid: str = Field(max_length=32)


class Candidates(BaseModel):
    model_config = _STRICT

    candidates: list[Found] = Field(max_length=_MOST_CANDIDATES)


def routes(site: Site) -> APIRouter:
    talks = Talks(site)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await talks.close()

    router = APIRouter(prefix="/talk", include_in_schema=False, lifespan=lifespan)
    asked = _Asked(site, talks)
    router.get("/embed.js")(files.script)
    router.get("/-/{name}")(files.part)
    router.get("/{agent}")(asked.page)
    router.post("/{agent}/ticket", status_code=201)(asked.ticket)
    router.post("/{agent}/servers")(asked.servers)
    router.post("/{agent}/calls", status_code=201)(asked.begin)
    router.post("/{agent}/calls/{call_id}/offer")(asked.offer)
    router.post("/{agent}/calls/{call_id}/candidates", status_code=204)(asked.candidates)
    router.post("/{agent}/calls/{call_id}/end", status_code=204)(asked.end)
    return router


class _Asked:
    def __init__(self, site: Site, talks: Talks) -> None:
        self._site = site
        self._talks = talks
        self._access = Access(site.settings)

    async def page(self, agent: AgentName, request: Request) -> Response:
        """Its name only for those who may talk to it: of others, nobody learns here which agents there are."""
        name = ""
        if self._access.is_open(agent) or self._access.is_local(request):
            name = (await self._agent(agent)).name
        return files.page(agent, name, self._site.settings.embed_origins)

    async def ticket(self, agent: AgentName, request: Request) -> Response:
        """The only answer that pages of others may read."""
        origin = self._access.embedding(request)
        shared = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} if origin else {"Vary": "Origin"}
        try:
            return JSONResponse(await self._expect(agent, request), 201, {**shared, "Cache-Control": "no-store"})
        except Problem as problem:
            problem.headers = {**(problem.headers or {}), **shared}
            raise

    async def servers(self, agent: AgentName, shown: Ticket, request: Request) -> Response:
        """For who was given a ticket, in a link, and not by `ticket`."""
        self._check(request)
        row = await self._site.state.calls.expected(shown.ticket)
        if row is None or (row.agent, row.transport) != (agent, "webrtc"):
            raise no_ticket()
        return JSONResponse({"ice_servers": self._servers(row.id)}, headers={"Cache-Control": "no-store"})

    async def begin(self, agent: AgentName, new: NewTalk, request: Request) -> Response:
        self._check(request)
        begun = await self._talks.begin(agent, new.ticket, new.sdp, request.headers.get("traceparent", ""))
        return JSONResponse(vars(begun), 201, {"Cache-Control": "no-store"})

    async def offer(self, agent: AgentName, call_id: CallId, offer: Offer, request: Request) -> Response:
        line = await self._line(call_id, request)
        if isinstance(line, Response):
            return line
        try:
            return JSONResponse({"sdp": await line.answer(offer.sdp)}, headers={"Cache-Control": "no-store"})
        except NoOffer as error:
            raise Problem(422, "Not valid", str(error)) from None
        except NoPort as error:
            raise no_port(self._site, error) from None

    async def candidates(self, agent: AgentName, call_id: CallId, found: Candidates, request: Request) -> Response:
        line = await self._line(call_id, request)
        if isinstance(line, Response):
            return line
        for each in found.candidates:
            await line.candidate(Candidate(each.candidate, each.mid))
        return Response(status_code=204)

    async def end(self, agent: AgentName, call_id: CallId, request: Request) -> Response:
        line = await self._line(call_id, request)
        if isinstance(line, Response):
            return line
        line.end()
        return Response(status_code=204)

    # -- what they have in common ------------------------------------------------------------------------------------

    async def _expect(self, agent: str, request: Request) -> dict[str, Any]:
        grant = await self._access.grant(agent, request)
        await self._agent(agent)
        if refused := self._site.admission.refusal():
            raise no_room(refused)
        self._talks.check_ports()
        row, ticket = await self._site.state.calls.expect(
            id=new_id(),
            agent=agent,
            transport="webrtc",
            caller="browser",
            parameters={"origin": grant.origin} if grant.origin else {},
            key_id=grant.key_id,
            ttl_s=_TICKET_S,
        )
        return {"ticket": ticket, "good_for_s": _TICKET_S, "ice_servers": self._servers(row.id)}

    def _servers(self, call_id: str) -> list[dict[str, str]]:
        """As RTCPeerConnection wants them."""
        return [
            {"urls": each.url, "username": each.username, "credential": each.credential}
            for each in ice.servers(self._site.settings, call_id)
        ]

    async def _agent(self, agent: str) -> Any:
        try:
            return await self._site.agents.get(agent)
        except NoAgent as error:
            raise not_found(f"There is no agent '{agent}'.") from error
        except VoicebotError:
            raise Problem(503, "Agent out of order", "This agent cannot be talked to just now.") from None

    def _check(self, request: Request) -> None:
        check_media_type(request, "application/json")
        self._access.check_own(request)

    async def _line(self, call_id: str, request: Request) -> WebRTC | Response:
        """The call's line; or what the worker answers that has it. Raises Problem."""
        self._access.check_own(request)
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secret:
            raise Problem(401, "Unauthorized", "This needs the secret of the call: Authorization: Bearer ...")
        if line := self._talks.line(call_id, secret):
            return line
        forward: Forward = request.app.state.forward
        row = await self._site.state.calls.get(call_id)
        if row and row.state == "live" and row.transport == "webrtc" and forward.elsewhere(row, request):
            return await forward.request(row, request)
        raise not_found("There is no such call, or it is over.")
