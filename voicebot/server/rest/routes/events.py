"""The events of a call, as they happen and afterwards: as server-sent events and over a websocket, at one address."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, WebSocket
from starlette.responses import Response

from voicebot.server.rest.access import Guarded, Here, admitted, needs, site_of
from voicebot.server.rest.events import EventStream, Feed, feed, over_websocket, peeked
from voicebot.server.rest.routes.calls import CallId, Others, forward_of, row_of

router = APIRouter(prefix="/v1/calls", tags=["calls"], route_class=Guarded)

_SCOPE = "calls:read"
_EVENT = {
    "type": "object",
    "required": ["id", "data"],
    "properties": {
        "id": {"type": "string", "description": "The event's number in the call."},
        "data": {"type": "string", "contentMediaType": "application/json", "description": "See docs/events.md."},
    },
}
_STREAM = 'id: 1\ndata: {"v":1,"t_ms":0.0,"turn":0,"type":"call_started"}\n\n'


@router.get(
    "/{call_id}/events",
    dependencies=[needs(_SCOPE)],
    summary="The events of a call",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {"schema": _EVENT, "example": _STREAM}}},
        204: {"description": "The call is over, and there is nothing behind the event that was named."},
        **{status: {} for status in (404, 409, 422)},
    },
)
async def listen(
    call_id: CallId,
    request: Request,
    site: Here,
    others: Others,
    after: Annotated[int, Query(ge=0, description="Only the events behind the one with this number.")] = 0,
    last_event_id: Annotated[int, Header(ge=0, description="The same, of a client that comes again.")] = 0,
) -> Response:
    """Server-sent events, from the first one on until the call is over: one JSON object each, as docs/events.md
    describes them, with its number as `id`. A comment comes when nothing has happened for 15 s."""
    row = await row_of(site, call_id)
    async with AsyncExitStack() as stack:
        begin = max(after, last_event_id)
        told: Feed | None
        told = await stack.enter_async_context(feed(site, others, row, begin, request))
        if row.state != "live" and (told := await peeked(told)) is None:
            return Response(status_code=204)
        return EventStream(told, stack.pop_all())


@router.websocket("/{call_id}/events")
async def watch(socket: WebSocket, call_id: str, after: int = 0) -> None:
    """The same as messages. What is wrong is said by the HTTP status, before the websocket is open."""
    await admitted(socket, _SCOPE)
    site = site_of(socket)
    row = await row_of(site, call_id)
    async with feed(site, forward_of(socket), row, after, socket) as told:
        await over_websocket(socket, told)
