"""The OpenAPI document of the REST interface, with or without a running server.

openapi()["paths"]["/v1/calls"]
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from voicebot import __version__
from voicebot.agent import Agent
from voicebot.server.rest.problems import MEDIA_TYPE, ProblemDetails
from voicebot.server.rest.routes import ALL

DESCRIPTION = """Agents and calls of one server. Everything but /livez and /readyz needs an API key, as
`Authorization: Bearer vb_...`; every error is a problem of RFC 9457."""
_ALWAYS = (401, 403, 429, 500, 503)
"""What may happen to every request that needs a key."""
_WHY = {
    401: "No valid API key",
    403: "The API key does not have the scope",
    429: "Too many requests; `Retry-After` says when to come again",
    503: "Not now; `Retry-After` says when to come again",
}
_PROBLEM = {"$ref": "#/components/schemas/ProblemDetails"}


def openapi() -> dict[str, Any]:
    """As docs/openapi.json has it."""
    app = FastAPI()
    for router in ALL:
        app.include_router(router)
    described(app)
    return app.openapi()


def described(app: FastAPI, url: str = "") -> None:
    """Have `app.openapi()` tell of the routes that `app` has now, at the address `url`."""
    document = get_openapi(
        title="voicebot",
        version=__version__,
        description=DESCRIPTION,
        routes=app.routes,
        servers=[{"url": url}] if url else None,
    )
    for path in document["paths"].values():
        for operation in path.values():
            _complete(operation)
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    _add(schemas, "ProblemDetails", ProblemDetails)
    _add(schemas, "AgentFile", Agent)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    setattr(app, "openapi", lambda: document)  # noqa: B010 - FastAPI's documented way, which no type allows


def _complete(operation: dict[str, Any]) -> None:
    """Every error is a problem, also those that any route may have."""
    responses = operation["responses"]
    statuses = {int(status) for status in responses if int(status) >= 400}
    if operation.get("security"):
        statuses.update(_ALWAYS)
    if "requestBody" in operation and "application/json" in operation["requestBody"]["content"]:
        statuses.add(400)
    for status in statuses:
        why = _WHY.get(status, HTTPStatus(status).phrase.capitalize())
        responses[str(status)] = {"description": why, "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
    operation["responses"] = dict(sorted(responses.items()))


def _add(schemas: dict[str, Any], name: str, model: type[BaseModel]) -> None:
    """A schema that no route returns by itself, and under its name the ones that it is made of."""
    schema = model.model_json_schema(ref_template=f"#/components/schemas/{name}.{{model}}")
    schemas.update({f"{name}.{part}": found for part, found in schema.pop("$defs", {}).items()})
    schemas[name] = schema
