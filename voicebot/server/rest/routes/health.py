"""Whether the server lives, whether it takes calls, and how much there is to do."""

from __future__ import annotations

import asyncio
from typing import Literal

from fastapi import APIRouter, Request
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from voicebot.server.rest import metrics
from voicebot.server.rest.access import Guarded, Here, needs
from voicebot.server.rest.problems import Problem
from voicebot.telephony.reach import HEADER

router = APIRouter(tags=["health"])
_guarded = APIRouter(tags=["health"], route_class=Guarded)


class Alive(BaseModel):
    status: Literal["ok"] = "ok"


class Draining(BaseModel):
    """The server takes no calls any more."""

    calls: int
    """That are to end."""
    within_s: float
    """After so many seconds those that still run are told goodbye."""


@router.get("/livez", summary="Whether the process answers")
async def livez(site: Here, response: Response) -> Alive:
    response.headers[HEADER] = site.address.identity
    return Alive()


@router.get("/readyz", summary="Whether new calls are taken", responses={503: {}})
async def readyz(site: Here) -> Alive:
    """503 from the moment on at which the server is told to stop; running calls finish. A server that is full is
    ready: it answers, and refuses calls by itself."""
    if site.admission.draining:
        raise Problem(503, "Not ready", headers={"Retry-After": "5"})
    return Alive()


@_guarded.get(
    "/metrics",
    dependencies=[needs("metrics:read")],
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def measured(site: Here) -> Response:
    """In Prometheus' text format, summed over all workers."""
    text = await asyncio.to_thread(generate_latest, metrics.registry(site))
    return Response(text, media_type=CONTENT_TYPE_LATEST)


@_guarded.post(
    "/v1/drain",
    dependencies=[needs("server:drain")],
    status_code=202,
    summary="Finish the calls and stop",
    responses={409: {}},
)
async def drain(site: Here) -> Draining:
    """As SIGTERM: no new calls, running ones end within the server's `--drain`, then all of its workers leave.
    409 where the server is part of a command, which it ends with."""
    if site.stop is None:
        raise Problem(409, "Not drained", "This server is part of a command, and ends with it.")
    site.stop()
    site.admission.draining = True
    return Draining(calls=sum(row.calls for row in site.board.rows()), within_s=site.settings.drain_s)


@_guarded.get("/v1/openapi.json", dependencies=[needs()], summary="This document", response_class=JSONResponse)
async def document(request: Request) -> Response:
    """The description of this interface (OpenAPI 3.1)."""
    return JSONResponse(request.app.openapi())


router.include_router(_guarded)
