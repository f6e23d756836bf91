"""What a route under /v1 begins with: the worker's site, and an API key that is good for what it does.

router = APIRouter(route_class=Guarded)

@router.get("/calls", dependencies=[needs("calls:read")])
async def listed(site: Here) -> ...
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response, Security, params
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection

from voicebot.server.rest.guard import Guard
from voicebot.server.rest.problems import Problem
from voicebot.server.site import Site
from voicebot.server.state import Key

_BEARER = HTTPBearer(
    scheme_name="key",
    auto_error=False,
    description="An API key, as `voicebot keys create` shows it. Behind each operation stands the scope that it needs.",
)


def needs(*scopes: str) -> Any:
    """A dependency that says in the OpenAPI document, and to `Guarded`, which scope a route needs; none: any key."""
    return Security(_BEARER, scopes=list(scopes))


class Guarded(APIRoute):
    """Nothing of a request's body is read before its key was found good."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        scope = _scope(self)
        takes_json = self.body_field is not None

        async def guarded(request: Request) -> Response:
            request.state.key = await admitted(request, scope)
            if takes_json:
                check_media_type(request, "application/json")
            return await handle(request)

        return guarded


def _scope(route: APIRoute) -> str | None:
    for dependency in route.dependencies:
        if isinstance(dependency, params.Security) and dependency.dependency is _BEARER:
            return next(iter(dependency.scopes or ()), None)
    raise AssertionError(f"{route.path} does not say which scope it needs")


async def admitted(connection: HTTPConnection, scope: str | None) -> Key:
    """The key that came with a request or a websocket. Raises Problem."""
    guard: Guard = connection.app.state.guard
    client = connection.client.host if connection.client else ""
    return await guard.admit(connection.headers.get("authorization"), scope, client)


def check_media_type(request: Request, *possible: str) -> None:
    """Raises Problem when the body is of another kind."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in possible:
        raise Problem(415, "Unsupported media type", f"The body must be {' or '.join(possible)}.")


def site_of(connection: HTTPConnection) -> Site:
    site: Site = connection.app.state.site
    return site


def key_of(request: Request) -> Key:
    """The key that `Guarded` found good."""
    key: Key = request.state.key
    return key


Here = Annotated[Site, Depends(site_of)]
Asker = Annotated[Key, Depends(key_of)]
