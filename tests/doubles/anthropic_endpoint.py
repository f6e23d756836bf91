"""A loopback server that speaks Anthropic's Messages API to the real SDK, and fails in the ways the real one does.

    async with AnthropicEndpoint(says("Hello there.")) as claude:
        ... base_url=claude.url ...
        claude.requests[0]["system"]

Answers are given in order, the last one again and again, or by a function from the request's body.
Source: https://platform.claude.com/docs/en/build-with-claude/streaming and .../api/errors
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


@dataclass(frozen=True)
class Message:
    """What one request gets."""

    text: str = ""
    tools: Sequence[tuple[str, dict[str, Any] | str]] = ()
    """(name, arguments) of tool calls; arguments as a string are sent as they are, JSON or not."""
    status: int = 200
    error: str = "nope"
    """The message of an error, whether it comes as a status or in the stream."""
    first_s: float = 0.0
    """Silence before the first token."""
    cut_after: int | None = None
    """Tokens after which the connection is torn down."""
    ends_after: int | None = None
    """Tokens after which the stream ends as if that were all."""
    hangs_after: int | None = None
    """Tokens after which nothing more comes, and the connection stays open."""
    overloaded_after: int | None = None
    """Tokens after which the stream says that the server is overloaded."""
    fresh: int = 12
    read: int = 0
    written: int = 0
    """Tokens of input: read anew, taken from the cache, put into the cache."""

    @property
    def tokens(self) -> list[str]:
        return re.findall(r"\s*\S+", self.text)


def says(text: str = "", *tools: tuple[str, dict[str, Any] | str], **how: Any) -> Message:
    return Message(text, tools, **how)


Respond = Callable[[dict[str, Any]], Message]


@dataclass
class AnthropicEndpoint:
    """`answers` in order, or a function from the request's body to its answer."""

    answers: Sequence[Message] | Respond
    requests: list[dict[str, Any]] = field(default_factory=list)
    """The bodies received."""
    keys: list[str] = field(default_factory=list)
    """The bearer tokens received."""
    hung_up_at: list[float] = field(default_factory=list)
    """Loop times at which clients left before the end of their answer."""
    url: str = ""

    def __init__(self, *answers: Message | Respond) -> None:
        self.answers = answers[0] if callable(answers[0]) else [one for one in answers if isinstance(one, Message)]
        self.requests, self.keys, self.hung_up_at = [], [], []

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/messages", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: object) -> None:
        await self._runner.cleanup()

    def _next(self, body: dict[str, Any]) -> Message:
        if callable(self.answers):
            return self.answers(body)
        return self.answers[min(len(self.requests), len(self.answers)) - 1]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        self.keys.append(request.headers.get("Authorization", "").removeprefix("Bearer "))
        one = self._next(body)
        if one.status != 200:
            return web.json_response(_error(ERRORS[one.status], one.error), status=one.status)
        try:
            return await self._stream(request, one)
        except (asyncio.CancelledError, ConnectionError):
            self.hung_up_at.append(asyncio.get_running_loop().time())
            raise

    async def _stream(self, request: web.Request, one: Message) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await _send(response, "message_start", message=_opening(one))
        await _send(response, "ping")
        await asyncio.sleep(one.first_s)
        if one.text and not await self._text(request, response, one):
            return response
        for index, (name, arguments) in enumerate(one.tools, 1 if one.text else 0):
            await _send_tool(response, index, name, arguments)
        delta = {"stop_reason": "tool_use" if one.tools else "end_turn", "stop_sequence": None}
        await _send(response, "message_delta", delta=delta, usage=_usage(one) | {"output_tokens": len(one.tokens)})
        await _send(response, "message_stop")
        return response

    async def _text(self, request: web.Request, response: web.StreamResponse, one: Message) -> bool:
        """False when the answer broke off."""
        await _send(response, "content_block_start", index=0, content_block={"type": "text", "text": ""})
        for number, token in enumerate(one.tokens):
            if number == one.cut_after:
                assert request.transport is not None
                request.transport.abort()
                return False
            if number == one.ends_after:
                return False
            if number == one.hangs_after:
                await asyncio.sleep(3600)
            if number == one.overloaded_after:
                await _send(response, "error", error=_error("overloaded_error", one.error)["error"])
                return False
            await _send(response, "content_block_delta", index=0, delta={"type": "text_delta", "text": token})
        await _send(response, "content_block_stop", index=0)
        return True


def _opening(one: Message) -> dict[str, Any]:
    fixed = {"id": "msg_double", "type": "message", "role": "assistant", "model": "double", "content": []}
    return {**fixed, "stop_reason": None, "stop_sequence": None, "usage": _usage(one) | {"output_tokens": 1}}


def _usage(one: Message) -> dict[str, int]:
    return {
        "input_tokens": one.fresh,
        "cache_read_input_tokens": one.read,
        "cache_creation_input_tokens": one.written,
    }


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_double"}


async def _send_tool(response: web.StreamResponse, index: int, name: str, arguments: dict[str, Any] | str) -> None:
    """First its name, then its arguments in pieces that are no JSON by themselves."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    block = {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}}
    await _send(response, "content_block_start", index=index, content_block=block)
    for start in range(0, len(text), 8):
        delta = {"type": "input_json_delta", "partial_json": text[start : start + 8]}
        await _send(response, "content_block_delta", index=index, delta=delta)
    await _send(response, "content_block_stop", index=index)


async def _send(response: web.StreamResponse, kind: str, **fields: Any) -> None:
    await response.write(f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode())
