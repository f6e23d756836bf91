"""Listening in on a running call."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from voicebot.server.rest import recording
from voicebot.server.rest.access import Guarded, Here, needs
from voicebot.server.rest.listening import Listeners, LiveSound
from voicebot.server.rest.problems import Problem
from voicebot.server.rest.routes.calls import CallId, Others, row_of

router = APIRouter(prefix="/v1/calls", tags=["calls"], route_class=Guarded)
_LISTENERS = Listeners()
"""Of this process, which is one worker."""


@router.get(
    "/{call_id}/listen",
    dependencies=[needs("calls:read")],
    summary="Listen in on a running call",
    response_class=Response,
    responses={
        200: {"content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}},
        **{status: {} for status in (404, 409)},
    },
)
async def listen(call_id: CallId, request: Request, site: Here, others: Others) -> Response:
    """A WAV without an end, from now on until the call is over: the caller left, the agent right, up to two seconds
    old. 409 when the call is not live; 503 when too many listen already."""
    row = await row_of(site, call_id)
    live = site.desk.live.get(row.id)
    if live is None and row.state == "live" and others.elsewhere(row, request):
        return await others.request(row, request)
    if live is None or not live.begun:
        raise Problem(409, "Call is not live", "There is something to hear only while the call runs.")
    path, _ = await asyncio.to_thread(recording.find, site.settings.calls_dir, row.id)
    return LiveSound(path, lambda: live.ended is not None, _LISTENERS)
