"""A loopback server that speaks OpenAI's chat completions to the real SDK, and fails in the ways real ones do.

    async with OpenAIEndpoint(answer("Hello there.")) as openai:
        ... base_url=openai.url ...
        openai.requests[0]["messages"]

Answers are given in order; the last one again and again. Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web


@dataclass(frozen=True)
class Answer:
    """What one request gets."""

    text: str = ""
    tools: Sequence[tuple[str, dict[str, Any] | str]] = ()
    """(name, arguments) of tool calls; arguments as a string are sent as they are, JSON or not."""
    status: int = 200
    error: str = "nope"
    """The message of an answer whose status is not 200."""
    first_s: float = 0.0
    """Silence before the first token, after the headers and the opening chunk."""
    token_s: float = 0.0
    """Silence before each further token."""
    pause_after: int | None = None
    """Tokens after which there is a silence of `pause_s`, and then the rest."""
    pause_s: float = 0.0
    cut_after: int | None = None
    """Tokens after which the connection is torn down."""
    ends_after: int | None = None
    """Tokens after which the stream ends as if that were all, without a finish reason."""
    hangs_after: int | None = None
    """Tokens after which nothing more comes, and the connection stays open."""
    fails_after: int | None = None
    """Tokens after which the stream says that the server failed."""
    raw: bytes | None = None
    """Sent with status 200 instead of a stream."""
    used: tuple[int, int, int] | None = None
    """Tokens of input, of them from the cache, and of output: told at the end when the request asks for it."""

    @property
    def tokens(self) -> list[str]:
        return re.findall(r"\s*\S+", self.text)


def answer(text: str = "", *tools: tuple[str, dict[str, Any] | str], **how: Any) -> Answer:
    return Answer(text, tools, **how)


Respond = Callable[[dict[str, Any]], Answer]


@dataclass
class OpenAIEndpoint:
    """`answers` in order, or a function from the request's body to its answer."""

    answers: Sequence[Answer] | Respond
    requests: list[dict[str, Any]] = field(default_factory=list)
    """The bodies received."""
    keys: list[str] = field(default_factory=list)
    """The bearer tokens received."""
    open: int = 0
    """Requests being answered now."""
    hung_up_at: list[float] = field(default_factory=list)
    """Loop times at which clients left before the end of their answer."""
    url: str = ""

    def __init__(self, *answers: Answer | Respond) -> None:
        self.answers = answers[0] if callable(answers[0]) else [one for one in answers if isinstance(one, Answer)]
        self.requests, self.keys, self.hung_up_at = [], [], []

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/v1"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: object) -> None:
        await self._runner.cleanup()

    def _next(self, body: dict[str, Any]) -> Answer:
        if callable(self.answers):
            return self.answers(body)
        return self.answers[min(len(self.requests), len(self.answers)) - 1]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        self.keys.append(request.headers.get("Authorization", "").removeprefix("Bearer "))
        self.open += 1
        try:
            return await self._respond(request, body, self._next(body))
        except (asyncio.CancelledError, ConnectionError):
            self.hung_up_at.append(asyncio.get_running_loop().time())
            raise
        finally:
            self.open -= 1

    async def _respond(self, request: web.Request, body: dict[str, Any], one: Answer) -> web.StreamResponse:
        if one.status != 200:
            error = {"message": one.error, "type": "error", "param": None, "code": None}
            return web.json_response({"error": error}, status=one.status)
        if one.raw is not None:
            return web.Response(body=one.raw, content_type="text/event-stream")
        if not body.get("stream"):
            message = {"role": "assistant", "content": one.text}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            whole = {"id": "chatcmpl-double", "object": "chat.completion", "created": 1, "model": "double"}
            return web.json_response({**whole, "choices": [choice]})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await _send(response, {"role": "assistant", "content": ""})
        for number, token in enumerate(one.tokens):
            await asyncio.sleep(one.token_s if number else one.first_s)
            await asyncio.sleep(one.pause_s if number == one.pause_after else 0.0)
            if number == one.cut_after:
                assert request.transport is not None
                request.transport.abort()
                return response
            if number == one.ends_after:
                return response
            if number == one.hangs_after:
                await asyncio.sleep(3600)
            if number == one.fails_after:
                error = {"message": one.error, "type": "server_error", "code": None}
                await response.write(f"data: {json.dumps({'error': error})}\n\n".encode())
                return response
            await _send(response, {"content": token})
        if not one.tokens:
            await asyncio.sleep(one.first_s)
        await _send_tools(response, one.tools)
        await _send(response, {}, finish="tool_calls" if one.tools else "stop")
        if one.used and body.get("stream_options", {}).get("include_usage"):
            await _send_usage(response, *one.used)
        await response.write(b"data: [DONE]\n\n")
        return response


async def _send_tools(response: web.StreamResponse, tools: Sequence[tuple[str, dict[str, Any] | str]]) -> None:
    """Each call as real servers send it: first its name, then its arguments in pieces."""
    for index, (name, arguments) in enumerate(tools):
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        head = {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
        await _send(response, {"tool_calls": [head]})
        for start in range(0, len(text), 8):
            piece = {"index": index, "function": {"arguments": text[start : start + 8]}}
            await _send(response, {"tool_calls": [piece]})


async def _send_usage(response: web.StreamResponse, sent: int, cached: int, answered: int) -> None:
    """The last chunk has no choice in it."""
    usage = {
        "prompt_tokens": sent,
        "completion_tokens": answered,
        "total_tokens": sent + answered,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    chunk = {"id": "chatcmpl-double", "object": "chat.completion.chunk", "created": 1, "model": "double"}
    await response.write(f"data: {json.dumps({**chunk, 'choices': [], 'usage': usage})}\n\n".encode())


async def _send(response: web.StreamResponse, delta: dict[str, Any], finish: str | None = None) -> None:
    chunk = {
        "id": "chatcmpl-double",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "double",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
