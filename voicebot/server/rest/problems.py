"""What a client is told when something is wrong: `application/problem+json` (RFC 9457), for every error there is.

    raise Problem(409, "Call is not live", "The call ended at 14:02.")

Nothing of the inside is told: what breaks in a handler is a 500 with one sentence, and its traceback stands in the log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import Response
from starlette.routing import Match
from starlette.websockets import WebSocket

from voicebot.errors import BadInput, Unavailable

MEDIA_TYPE = "application/problem+json"
KIND = "urn:voicebot:problem:"
_MOST_FAULTS = 20


class Fault(BaseModel):
    """One thing that is wrong with what was sent."""

    where: str = Field(examples=["body.text", "agents/ava.yaml:5:9"])
    """The parameter, the path in the body, or the place in an agent file."""
    detail: str = Field(examples=["Field required"])
    """What is wrong there."""


class ProblemDetails(BaseModel):
    """RFC 9457. `type` says which problem it is and never changes; the texts are for people."""

    type: str = Field(examples=[f"{KIND}not-found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(ge=400, le=599, examples=[404])
    detail: str = Field(default="", examples=["There is no call '20260101-120000-abcdef'."])
    errors: list[Fault] = Field(default=[])
    """All that is wrong, where that may be several things."""


class Problem(HTTPException):
    """Answered as it says. `title` is always the same for one kind of problem, its `type` is made of it."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        headers: Mapping[str, str] | None = None,
        faults: Sequence[Fault] = (),
    ) -> None:
        super().__init__(status, detail, headers)
        self.title = title
        self.faults = tuple(faults)

    @property
    def body(self) -> dict[str, Any]:
        """As JSON holds it."""
        kind = KIND + re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")
        shown = ProblemDetails(
            type=kind, title=self.title, status=self.status_code, detail=self.detail, errors=list(self.faults)
        )
        return shown.model_dump(exclude_defaults=True)

    def response(self) -> Response:
        return JSONResponse(self.body, self.status_code, self.headers, MEDIA_TYPE)


def not_found(what: str) -> Problem:
    return Problem(404, "Not found", what)


def install(app: FastAPI) -> None:
    """Every error that leaves a route of `app` is a problem; that of a websocket, while it is not open yet."""
    for kind, problem_of in _PROBLEMS.items():
        app.add_exception_handler(kind, _answering(problem_of))


def _answering(problem_of: Callable[[HTTPConnection, Any], Problem]) -> Any:
    async def answer(connection: HTTPConnection, error: Exception) -> Response | None:
        response = problem_of(connection, error).response()
        if not isinstance(connection, WebSocket):
            return response
        await connection.send_denial_response(response)
        return None

    return answer


def _http(connection: HTTPConnection, error: HTTPException) -> Problem:
    """A problem of ours, or what the router says: no such path, not this method."""
    if isinstance(error, Problem):
        return error
    headers, detail = dict(error.headers or {}), error.detail
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(connection))
        detail = "This method is not possible here."
    elif error.status_code == 404:
        detail = "There is nothing at this address."
    return Problem(error.status_code, HTTPStatus(error.status_code).phrase.capitalize(), detail, headers)


def _methods(connection: HTTPConnection) -> list[str]:
    """What is possible at this address: the router only tells of the first route that fits."""
    routes, scope = connection.app.router.routes, connection.scope
    return [
        method
        for method in ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]


def _invalid(connection: HTTPConnection, error: RequestValidationError | WebSocketRequestValidationError) -> Problem:
    """What was sent does not fit its schema. What was sent is not said again: it may be a secret."""
    errors = error.errors()
    if any(each["type"] == "json_invalid" for each in errors):
        return Problem(400, "Bad request", "The body is not valid JSON.")
    faults = [Fault(where=".".join(map(str, each["loc"])), detail=each["msg"]) for each in errors[:_MOST_FAULTS]]
    return Problem(422, "Not valid", "The request does not fit what is described for it.", faults=faults)


def _bad_input(connection: HTTPConnection, error: BadInput) -> Problem:
    return Problem(422, "Not valid", str(error))


def _unavailable(connection: HTTPConnection, error: Unavailable) -> Problem:
    return Problem(503, "Unavailable", str(error), {"Retry-After": "5"})


def _gone(connection: HTTPConnection, error: ClientDisconnect) -> Problem:
    """Nobody waits for this; without it a body that never came would be a traceback in the log."""
    return Problem(400, "Bad request", "The request was not sent to its end.")


def _broken(connection: HTTPConnection, error: Exception) -> Problem:
    """The traceback is uvicorn's to log; the client learns that it was not its fault."""
    return Problem(500, "Internal server error", "Something broke in this server; its log says what.")


_PROBLEMS: dict[type[Exception], Callable[[HTTPConnection, Any], Problem]] = {
    HTTPException: _http,
    RequestValidationError: _invalid,
    WebSocketRequestValidationError: _invalid,
    BadInput: _bad_input,
    Unavailable: _unavailable,
    ClientDisconnect: _gone,
    Exception: _broken,
}
