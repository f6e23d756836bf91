"""The REST interface of one worker.

    app = build(site)

Every route says what it needs; without a key that has it there is nothing but /livez and /readyz. Web pages of other
origins are not answered, unless the settings name them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from voicebot.server import browser, twilio
from voicebot.server.outbound import Outbound
from voicebot.server.rest import problems
from voicebot.server.rest.bodies import BodyLimit
from voicebot.server.rest.forward import Forward
from voicebot.server.rest.guard import Guard
from voicebot.server.rest.openapi import described
from voicebot.server.rest.routes import ALL
from voicebot.server.site import Site

_HEADERS = ("Authorization", "Content-Type", "If-Match", "Last-Event-ID", "Range")
_SHOWN = ("Content-Range", "ETag", "Location", "Retry-After")


def build(site: Site) -> FastAPI:
    """For uvicorn, with `ws=upgrades(streams.route(site))` beside it."""
    forward = Forward(site)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settling = asyncio.create_task(Outbound(site).settle_orphans(), name="settling")
        yield
        settling.cancel()
        await asyncio.gather(settling, return_exceptions=True)
        await forward.close()

    app = FastAPI(openapi_url=None, redirect_slashes=False, lifespan=lifespan)
    app.state.site, app.state.guard, app.state.forward = site, Guard(site), forward
    problems.install(app)
    for router in ALL:
        app.include_router(router)
    described(app, site.settings.public_url)
    app.include_router(twilio.routes(site))
    app.include_router(browser.routes(site))
    app.add_middleware(BodyLimit)
    if site.settings.origins:
        app.add_middleware(
            _Pages,
            allow_origins=site.settings.origins,
            allow_methods=("GET", "POST", "PUT", "DELETE"),
            allow_headers=_HEADERS,
            expose_headers=_SHOWN,
        )
    return app


class _Pages(CORSMiddleware):
    """What it refuses is a problem, as everything else."""

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        return problems.Problem(400, "Bad request", bytes(response.body).decode()).response()
