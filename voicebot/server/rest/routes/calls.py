"""Calls: expect one, list and read them, and act in one that runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from voicebot.agent import Warm
from voicebot.call.opening import new_id
from voicebot.errors import BadInput
from voicebot.server.agents import NAME, NoAgent
from voicebot.server.desk import Live
from voicebot.server.outbound import Wish
from voicebot.server.rest import recording
from voicebot.server.rest.access import Asker, Guarded, Here, needs
from voicebot.server.rest.forward import Forward
from voicebot.server.rest.outgoing import dialled
from voicebot.server.rest.problems import Problem, not_found
from voicebot.server.site import Site
from voicebot.server.state import CallRow
from voicebot.server.twilio.signature import websocket_url
from voicebot.telephony import e164

router = APIRouter(prefix="/v1/calls", tags=["calls"], route_class=Guarded)

State = Literal["expected", "live", "ended", "lost"]
CALL_ID = r"^[0-9]{8}-[0-9]{6}-[0-9a-f]{6}$"
CallId = Annotated[str, Path(pattern=CALL_ID, examples=["20260131-174502-9f86d0"])]
AgentName = Annotated[str, StringConstraints(pattern=NAME), Field(examples=["ava"])]
Said = Annotated[str, StringConstraints(max_length=1000, pattern=r"\S")]
_LONGEST = 1000
_STRICT = ConfigDict(extra="forbid")
_NOT_LIVE: dict[State, str] = {
    "expected": "This call has not begun: nobody has opened its stream.",
    "live": "This call is about to begin, or has just ended.",
    "ended": "This call has ended.",
    "lost": "This call is lost: the process that had it died.",
}


def forward_of(connection: HTTPConnection) -> Forward:
    forward: Forward = connection.app.state.forward
    return forward


Others = Annotated[Forward, Depends(forward_of)]


class NewCall(BaseModel):
    """A call that a client will open the stream of; or, with `to`, a telephone call that goes out."""

    model_config = _STRICT

    agent: AgentName
    to: str = Field(default="", pattern=e164.PATTERN, examples=["+12125550123"])
    """Whom to call, E.164. See docs/outbound.md."""
    from_: str = Field(default="", alias="from", pattern=e164.PATTERN, examples=["+12125550100"])
    """The number that the called side sees, one of `outbound.from` in phone.yaml; without it, the first of them."""
    at_any_hour: bool = False
    """With `to`: also in quiet hours."""
    transport: Literal["websocket", "webrtc"] = "websocket"
    """webrtc: the client is a browser, at the page of the agent."""
    caller: str = Field(default="", max_length=200, examples=["Maria, web page"])
    """Who calls, for the record."""
    parameters: dict[
        Annotated[str, StringConstraints(max_length=64)], Annotated[str, StringConstraints(max_length=_LONGEST)]
    ] = Field(default={}, max_length=64)
    """Whatever else is to be kept with the call. In one that goes out they are the variables of what the agent says."""


class Expected(BaseModel):
    """Who has this can make the call, once, without an API key."""

    id: str
    stream_url: str
    """Where the websocket is opened, or the page (webrtc); ticket included. See docs/websocket.md, browser.md."""
    ticket: str
    """Good for one stream."""
    expires_at: datetime
    """When the ticket is no longer good."""


class Call(BaseModel):
    """One call."""

    id: str = Field(examples=["20260131-174502-9f86d0"])
    agent: str = Field(examples=["ava"])
    transport: Literal["twilio", "websocket", "webrtc"]
    state: State
    """expected: nobody has opened its stream yet. lost: the process that had it died."""
    caller: str
    callee: str
    outside_id: str
    """Twilio's CallSid."""
    parameters: dict[str, str]
    key_id: str
    """The API key that created it; empty for a telephone call."""
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    reason: str = Field(examples=["caller_hung_up"])
    """How it ended, as in its `call_ended` event; `not_opened`: its stream was never opened."""
    detail: str
    direction: Literal["inbound", "outbound"]
    answered_by: Literal["", "human", "machine", "fax", "unknown"]
    """Who or what took a call that went out, where Twilio listened for that."""


class CallList(BaseModel):
    calls: list[Call]
    """The latest first."""
    next_cursor: str | None
    """What `cursor` must be to get the calls before these; null when there are none."""


class Say(BaseModel):
    model_config = _STRICT

    text: Said = Field(examples=["One of our colleagues is listening now."])


class Transfer(BaseModel):
    model_config = _STRICT

    to: str = Field(pattern=e164.PATTERN, examples=["+12125550123"])
    """A telephone number, E.164."""
    say: str = Field(default="", max_length=_LONGEST, examples=["I will put you through."])
    """What the agent says before."""
    warm: bool = False
    """The caller waits to music until somebody there has said that they take the call; else the agent goes on with it.
    See docs/transfer.md."""
    brief: str = Field(default="", max_length=_LONGEST, examples=["A complaint about an invoice."])
    """What is said there first, of a warm transfer; without it, what is known of the call."""


class Hold(BaseModel):
    model_config = _STRICT

    say: str = Field(default="", max_length=_LONGEST, examples=["One moment, please."])
    """What the agent says before the caller waits, or when it is back."""


class Recorded(BaseModel):
    model_config = _STRICT

    action: Literal["pause", "resume", "twilio"]
    """pause: neither sound nor words of the caller are kept until `resume`. twilio: Twilio records the call, too."""


@router.post(
    "",
    dependencies=[needs("calls:write")],
    summary="Expect a call, or make one",
    status_code=201,
    responses={status: {} for status in (404, 409, 413, 415, 422)},
)
async def create(
    new: NewCall,
    request: Request,
    site: Here,
    key: Asker,
    once: Annotated[
        str,
        Header(
            alias="Idempotency-Key",
            pattern=CALL_ID,
            examples=["20260131-174502-9f86d0"],
            description="With `to`: the id that the call is to have.",
        ),
    ] = "",
) -> Expected | Call:
    """For a browser or a device, which shall not have an API key: it opens the stream with the ticket. With `to`, the
    agent calls that number, and the answer is the call; asked again with the same `Idempotency-Key`, it is the same
    call, which is not made again. 409 when it may not be made: quiet hours, the do-not-call list, another country.
    503 when there is no room for a call, or when the agent's file was never good."""
    wish = Wish(new.agent, new.to, new.from_, new.parameters, new.at_any_hour, key.id) if new.to else None
    if wish and once and await site.state.calls.get(once):
        return shown(await dialled(site, wish, once))
    if refused := site.admission.refusal():
        sentence = f"{refused.sentence[0].upper()}{refused.sentence[1:]}."
        raise Problem(503, "No room", sentence, {"Retry-After": str(refused.retry_after_s)})
    try:
        await site.agents.get(new.agent)
    except NoAgent as error:
        raise not_found(f"There is no agent '{new.agent}'.") from error
    except BadInput as error:
        raise Problem(503, "Agent out of order", str(error)) from None
    if wish:
        return shown(await dialled(site, wish, once or new_id()))
    row, ticket = await site.state.calls.expect(
        id=new_id(),
        agent=new.agent,
        transport=new.transport,
        caller=new.caller,
        parameters=new.parameters,
        key_id=key.id,
    )
    assert row.expires_at is not None
    base = (site.address.url or str(request.base_url)).rstrip("/")
    stream_url = websocket_url(f"{base}/v1/agents/{new.agent}/stream?ticket={ticket}")
    if new.transport == "webrtc":
        stream_url = f"{base}/talk/{new.agent}#ticket={ticket}"
    return Expected(id=row.id, stream_url=stream_url, ticket=ticket, expires_at=row.expires_at)


@router.get("", dependencies=[needs("calls:read")], summary="List calls", responses={422: {}})
async def listed(
    site: Here,
    agent: Annotated[str, Query(pattern=NAME)] = "",
    state: Annotated[State | SkipJsonSchema[None], Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[
        str | SkipJsonSchema[None], Query(max_length=200, description="The `next_cursor` of the page before.")
    ] = None,
) -> CallList:
    """The calls of this server and of all that share its database, the latest first. Calls that were made beside it,
    such as with `voicebot talk`, are not among them."""
    page = await site.state.calls.list(agent=agent or None, state=state, before=cursor, limit=limit)
    return CallList(calls=[shown(row) for row in page.rows], next_cursor=page.next_cursor or None)


@router.get("/{call_id}", dependencies=[needs("calls:read")], summary="One call", responses={404: {}})
async def read(call_id: CallId, site: Here) -> Call:
    return shown(await row_of(site, call_id))


@router.get(
    "/{call_id}/recording",
    dependencies=[needs("calls:read")],
    summary="The sound of a call",
    response_class=Response,
    responses={
        200: {"content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}},
        206: {"content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}, "description": "A range"},
        **{status: {} for status in (404, 409, 416)},
    },
)
async def sound(call_id: CallId, request: Request, site: Here, others: Others) -> Response:
    """A WAV: the caller left, the agent right. `Range` is understood. 409 while the call runs."""
    row = await row_of(site, call_id)
    if row.state in ("expected", "live"):
        raise Problem(409, "Call is live", "The recording can be had when the call is over.")
    if others.elsewhere(row, request, any_worker=True):
        return await others.request(row, request)
    path, found = await asyncio.to_thread(recording.find, site.settings.calls_dir, row.id)
    return recording.answer(path, found, request)


_DEED: dict[str, Any] = {"dependencies": [needs("calls:write")], "status_code": 202, "response_model": Call}
"""What is the same of all routes that do something in a running call. 202: it happens when the call comes to it."""
_WITH_WORDS: dict[str, Any] = {**_DEED, "responses": {status: {} for status in (404, 409, 413, 415, 422)}}
"""And of those that take a body."""


@router.post("/{call_id}/end", summary="End a call", **_DEED, responses={404: {}, 409: {}})
async def end(call_id: CallId, request: Request, site: Here, others: Others, key: Asker) -> Response:
    """The agent hangs up, now. 409 when the call is not live."""
    return await _act(call_id, request, site, others, lambda live: live.end(f"ended with the API key '{key.name}'"))


@router.post("/{call_id}/say", summary="Have the agent say something", **_WITH_WORDS)
async def say(call_id: CallId, said: Say, request: Request, site: Here, others: Others) -> Response:
    """When it next has the floor. 409 when the call is not live, and when too much waits to be said."""
    return await _act(call_id, request, site, others, lambda live: live.say(said.text))


@router.post("/{call_id}/transfer", summary="Put the caller through", **_WITH_WORDS)
async def transfer(call_id: CallId, where: Transfer, request: Request, site: Here, others: Others) -> Response:
    """To a telephone number, when the agent next has the floor. The call ends as `handed_over`; on a telephone network
    the caller is connected to that number, with `warm` only when somebody there says yes. 409 when the call is not
    live, and for a warm transfer of a call that is none of a telephone's."""
    warm = Warm(brief=where.brief or None) if where.warm else None
    return await _act(call_id, request, site, others, lambda live: live.transfer(where.to, where.say, warm))


@router.post("/{call_id}/hold", summary="Have the caller wait", **_WITH_WORDS)
async def hold(call_id: CallId, how: Hold, request: Request, site: Here, others: Others) -> Response:
    """To music, when the agent next has the floor: for ten minutes at most, or until they press `*`. 409 when the call
    is not live."""
    return await _act(call_id, request, site, others, lambda live: live.hold(how.say))


@router.post("/{call_id}/resume", summary="Go on with a caller who waits", **_WITH_WORDS)
async def resume(call_id: CallId, how: Hold, request: Request, site: Here, others: Others) -> Response:
    """The agent is back. Nothing happens when the caller does not wait. 409 when the call is not live."""
    return await _act(call_id, request, site, others, lambda live: live.resume(how.say))


@router.post("/{call_id}/recording", summary="Pause the recording, or go on with it", **_WITH_WORDS)
async def record(call_id: CallId, what: Recorded, request: Request, site: Here, others: Others) -> Response:
    """Around a card number, for one. 409 when the call is not live, and for `twilio` where Twilio has no part in it."""
    return await _act(call_id, request, site, others, lambda live: live.record(what.action))


async def _act(call_id: str, request: Request, site: Site, others: Forward, act: Callable[[Live], object]) -> Response:
    """In a running call, here or where it is. Raises Problem."""
    row = await row_of(site, call_id)
    live = site.desk.live.get(row.id)
    if live is None and row.state == "live" and others.elsewhere(row, request):
        return await others.request(row, request)
    if live is None or not live.begun:
        raise Problem(409, "Call is not live", _NOT_LIVE[row.state])
    try:
        act(live)
    except BadInput as error:
        raise Problem(409, "Too much to say", str(error)) from None
    return JSONResponse(shown(row).model_dump(mode="json"), 202)


async def row_of(site: Site, call_id: str) -> CallRow:
    """What the books say of a call. Raises Problem."""
    if row := await site.state.calls.get(call_id):
        return row
    raise not_found(f"There is no call '{call_id}'.")


def shown(row: CallRow) -> Call:
    return Call.model_validate(row, from_attributes=True)
