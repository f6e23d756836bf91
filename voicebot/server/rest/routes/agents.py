"""Agents: read, create, replace, delete and check their files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import JSONResponse, Response

from voicebot.errors import BadInput
from voicebot.server.agents import NAME, Entry, InUse, NoAgent, Outdated
from voicebot.server.rest.access import Guarded, Here, check_media_type, needs
from voicebot.server.rest.problems import Fault, Problem, not_found

router = APIRouter(prefix="/v1/agents", tags=["agents"], route_class=Guarded)

YAML = "application/yaml"
AGENT_FILE = {"$ref": "#/components/schemas/AgentFile"}
"""What `voicebot.server.rest.openapi` adds: the schema of docs/agent-file.md."""
_PLACE = re.compile(r"(\S+?:\d+:\d+) (.*)")
_ETAG = re.compile(r'"([0-9a-f]{64})"')
_SOURCE = "name: Ava\nbrain:\n  llm: openai/gpt-4.1-mini\n  prompt: You are Ava.\n"
_EXAMPLE = {"name": "Ava", "brain": {"llm": "openai/gpt-4.1-mini", "prompt": "You are Ava."}}
Name = Annotated[str, Path(pattern=NAME, description="The file's name without `.yaml`.", examples=["ava"])]
IfMatch = Annotated[
    str | SkipJsonSchema[None],
    Header(description="The `ETag` of the version that you have read, or `*`.", examples=["*"]),
]
_SENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "An agent file. JSON is YAML as well.",
        "content": {YAML: {"schema": AGENT_FILE, "example": _EXAMPLE}},
    }
}
_TAG = {"ETag": {"description": "Which version of the file this is.", "schema": {"type": "string"}}}


class Listed(BaseModel):
    """An agent."""

    name: str = Field(examples=["ava"])
    """What calls are addressed to: the file's name."""
    title: str = Field(examples=["Bright Smile Dental"])
    """The `name` in the file that new calls use; empty when there is none that can be used."""
    language: str = Field(examples=["en"])
    sha256: str
    """Of the file; the `ETag` as well."""
    valid: bool
    """Whether the file can be used as it is. If not, new calls get the last version that could, if there was one."""
    callable: bool
    """Whether new calls are taken."""
    problems: list[Fault]
    """Why the file cannot be used."""


class Agent(Listed):
    """An agent and its file."""

    source: str = Field(examples=[_SOURCE])
    """The file's text, as it is on the disk."""


class AgentList(BaseModel):
    agents: list[Listed]


class Verdict(BaseModel):
    """What would come of it."""

    valid: bool
    problems: list[Fault]


@router.get("", dependencies=[needs("agents:read")], summary="All agents")
async def listed(site: Here) -> AgentList:
    return AgentList(agents=[_listed(entry) for entry in await site.agents.entries()])


@router.get(
    "/{name}",
    dependencies=[needs("agents:read")],
    summary="One agent",
    responses={200: {"model": Agent, "headers": _TAG, "content": {YAML: {"schema": AGENT_FILE}}}, 404: {}},
)
async def read(site: Here, name: Name, accept: Annotated[str, Header()] = "*/*") -> Response:
    """As JSON, or the file itself with `Accept: application/yaml`."""
    entry = await _entry(site, name)
    if YAML in accept:
        return Response(entry.source, headers=_tag(entry), media_type=YAML)
    return JSONResponse(_shown(entry).model_dump(), headers=_tag(entry))


@router.put(
    "/{name}",
    dependencies=[needs("agents:write")],
    summary="Create or replace an agent",
    openapi_extra=_SENT,
    responses={
        200: {"model": Agent, "headers": _TAG, "description": "Replaced"},
        201: {"model": Agent, "headers": _TAG, "description": "Created"},
        **{status: {} for status in (412, 413, 415, 422, 428)},
    },
)
async def write(request: Request, site: Here, name: Name, if_match: IfMatch = None) -> Response:
    """Without `If-Match` a new one is created. To replace one, say with `If-Match` which version you have read, so
    that nobody overwrites what somebody else has written meanwhile. The next call gets the new version; running calls
    keep theirs.

    What reaches beyond the conversation (Python code, programs, addresses, files outside knowledge/) can be kept as the
    file has it, and not be added: 422."""
    text = await _text(request)
    try:
        entry, new = await site.agents.write(name, text, _match(if_match))
    except Outdated as error:
        raise _outdated(error, if_match) from None
    except BadInput as error:
        faults = _faults(str(error).splitlines())
        raise Problem(422, "Not valid", "The agent file cannot be used.", faults=faults) from None
    headers = {**_tag(entry), **({"Location": f"/v1/agents/{name}"} if new else {})}
    return JSONResponse(_shown(entry).model_dump(), 201 if new else 200, headers)


@router.delete(
    "/{name}",
    dependencies=[needs("agents:write")],
    summary="Delete an agent",
    status_code=204,
    responses={status: {} for status in (404, 409, 412, 428)},
)
async def delete(site: Here, name: Name, if_match: IfMatch = None) -> None:
    """Running calls go on. An agent that others hand calls over to cannot be deleted: 409."""
    if if_match is None:
        await _entry(site, name)
        raise Problem(428, "Precondition required", "Say with If-Match which version you mean to delete.")
    try:
        await site.agents.delete(name, _match(if_match))
    except NoAgent as error:
        raise not_found(_sentence(error)) from None
    except Outdated as error:
        raise _outdated(error, if_match) from None
    except InUse as error:
        raise Problem(409, "In use", _sentence(error)) from None


@router.get(
    "/{name}/stream",
    dependencies=[needs("calls:stream")],
    summary="Call an agent",
    status_code=426,
    response_class=Response,
    responses={101: {"description": "The websocket is open: say hello, as docs/websocket.md describes."}},
)
async def stream(name: Name) -> Response:
    """A websocket, one for each call. Whoever has a ticket of `POST /v1/calls` opens it as `?ticket=...`, without an
    API key."""
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    raise Problem(426, "Upgrade required", "This address is opened as a websocket.", headers)


@router.post(
    "/validate",
    dependencies=[needs("agents:write")],
    summary="Check an agent file",
    openapi_extra=_SENT,
    responses={413: {}, 415: {}},
)
async def validate(
    request: Request,
    site: Here,
    name: Annotated[str, Query(pattern=NAME, description="The agent whose file it is to be.")] = "agent",
) -> Verdict:
    """Says what `PUT` would say, and changes nothing."""
    problems = await site.agents.check(name, await _text(request))
    return Verdict(valid=not problems, problems=_faults(problems))


async def _entry(site: Here, name: str) -> Entry:
    try:
        return await site.agents.entry(name)
    except NoAgent as error:
        raise not_found(_sentence(error)) from None


async def _text(request: Request) -> str:
    """Raises Problem."""
    check_media_type(request, YAML, "application/json")
    try:
        return (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Problem(422, "Not valid", "An agent file is UTF-8 text.") from None


def _match(if_match: str | None) -> str:
    """For `Agents`: '' for no version, '*' for any, a SHA-256; 'none' for what cannot be a version of ours."""
    if if_match in (None, "*"):
        return if_match or ""
    found = _ETAG.fullmatch(if_match or "")
    return found[1] if found else "none"


def _outdated(error: Outdated, if_match: str | None) -> Problem:
    if if_match is None:
        detail = "This agent exists. Say with If-Match which version of it you mean to replace."
        return Problem(428, "Precondition required", detail)
    return Problem(412, "Precondition failed", _sentence(error))


def _shown(entry: Entry) -> Agent:
    return Agent(**_listed(entry).model_dump(), source=entry.source)


def _listed(entry: Entry) -> Listed:
    agent = entry.agent
    return Listed(
        name=entry.name,
        title=agent.name if agent else "",
        language=agent.language if agent else "",
        sha256=entry.sha256,
        valid=not entry.problem,
        callable=agent is not None,
        problems=_faults(entry.problem.splitlines()),
    )


def _faults(lines: Iterable[str]) -> list[Fault]:
    """'agents/ava.yaml:5:9 unknown key' -> where and what."""
    return [_fault(line) for line in lines]


def _fault(line: str) -> Fault:
    match = _PLACE.fullmatch(line)
    return Fault(where=match[1], detail=match[2]) if match else Fault(where="", detail=line)


def _tag(entry: Entry) -> dict[str, str]:
    return {"ETag": f'"{entry.sha256}"'}


def _sentence(error: BadInput) -> str:
    return str(error)[:1].upper() + str(error)[1:]
