"""Calls from a browser: the page /talk/AGENT, the script tag for pages of others, and what both ask over HTTP.

    GET    /talk/{agent}                        the page
    GET    /talk/embed.js                       the script tag: a button that opens the page in a frame
    POST   /talk/{agent}/ticket                 who may talk gets a ticket for one call, good for a minute
    POST   /talk/{agent}/servers                {ticket}: which servers help, for one who got the ticket in a link
    POST   /talk/{agent}/calls                  {ticket, sdp}: the call begins: {id, secret, sdp}
    POST   /talk/{agent}/calls/{id}/offer       {sdp}: the same call over another network: {sdp}
    POST   /talk/{agent}/calls/{id}/candidates  addresses of the browser's that were found late
    POST   /talk/{agent}/calls/{id}/end         the caller hangs up

The last three want the call's secret as `Authorization: Bearer`, and go to the worker that has the call.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from voicebot.errors import MissingExtra
from voicebot.server.site import Site


def routes(site: Site) -> APIRouter:
    """With the extra `webrtc`; without it, routes that say so."""
    try:
        from voicebot.server.browser import asked
    except MissingExtra as missing:
        return _without(missing)
    return asked.routes(site)


def _without(missing: MissingExtra) -> APIRouter:
    async def say_so(rest: str) -> Response:
        raise missing

    router = APIRouter(prefix="/talk", include_in_schema=False)
    router.api_route("/{rest:path}", methods=["GET", "POST"])(say_so)
    return router
