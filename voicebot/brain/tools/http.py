"""HTTP tools: a request to a web service, written down in the agent file.

The model chooses arguments, never where the request goes: the host is the file's, an argument in the path stays in its
segment, and a redirect to anywhere else is not followed. An answer with a 4xx status is a result ("no such order");
no answer, or one that says the server is in trouble, is a failure that may pass.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx2
from jsonschema import Draft202012Validator, ValidationError

from voicebot import __version__, clock
from voicebot.agent.tools import HttpTool as Settings
from voicebot.brain.tools.secrets import Secrets
from voicebot.brain.tools.template import filled, path_filled, placeholders
from voicebot.brain.tools.tool import Manner, NotRun, Passing, Refused, Tool
from voicebot.connections import shared
from voicebot.errors import BadInput
from voicebot.observe.context import headers

MAX_BYTES = 65_536
"""The longest answer that is read."""
CONNECT_S = 3.0
SAID_LENGTH = 200
"""How much of a server's own words about its refusal is passed on."""
REDIRECTS = 3
_BUSY = frozenset({408, 425, 429})
"""Refusals that may pass."""
_HAS_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, kw_only=True)
class HttpTool(Tool):
    settings: Settings
    url: str
    """With the settings of the environment filled in, and still with placeholders for arguments."""
    headers: Mapping[str, str]
    secrets: Secrets

    @classmethod
    def of(cls, settings: Settings, manner: Manner, root: Path) -> HttpTool:
        """The tool that is written down. Raises BadInput when it needs a setting that is not there."""
        secrets = Secrets(root, settings.name)
        url = secrets.fill(settings.url)
        return cls(
            name=settings.name,
            description=settings.description,
            parameters=settings.schema_of_arguments,
            place=f"http {_host(url, settings.name)}",
            manner=manner,
            settings=settings,
            url=url,
            headers=secrets.fill_all(settings.headers),
            secrets=secrets,
        )

    def __repr__(self) -> str:
        return f"HttpTool({self.name})"  # the fields hold secrets

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return Draft202012Validator(self.parameters, format_checker=Draft202012Validator.FORMAT_CHECKER)

    @property
    def host(self) -> str:
        return self.place.removeprefix("http ")

    def checked(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        shapes = self.settings.parameters
        defaults = {name: shape["default"] for name, shape in shapes.items() if "default" in shape}
        given = {name: value for name, value in arguments.items() if value is not None or name not in shapes}
        wrong = [_complaint(error) for error in self._validator.iter_errors(given)]
        if wrong:
            raise NotRun("; ".join(wrong))
        checked = {**defaults, **given}
        path_filled(self.url, checked)
        return checked

    async def call(self, arguments: dict[str, Any]) -> Any:
        with clock.work():
            client = await shared(_client)
            try:
                status, kind, text = await self._ask(client, self._request(client, arguments))
            except httpx2.LocalProtocolError as error:
                raise Refused(f"the request cannot be sent: {self.secrets.hide(str(error))}") from None
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                raise Passing(f"{self.host} cannot be reached") from None
            except httpx2.TransportError as error:
                raise Passing(f"{self.host} broke off ({type(error).__name__})") from None
        return self._result(status, kind, self.secrets.hide(text))

    def _request(self, client: httpx2.AsyncClient, arguments: dict[str, Any]) -> httpx2.Request:
        settings = self.settings
        has_body = settings.method in _HAS_BODY
        used = placeholders([settings.url, settings.query, settings.body])
        rest = {name: value for name, value in arguments.items() if name not in used and value is not None}
        query = filled(settings.query, arguments) if settings.query is not None else {} if has_body else rest
        body = filled(settings.body, arguments) if settings.body is not None else rest if has_body else None
        url = httpx2.URL(path_filled(self.url, arguments))
        url = url.copy_merge_params(query) if query else url
        return client.build_request(settings.method, url, headers={**headers(), **self.headers}, json=body)

    async def _ask(self, client: httpx2.AsyncClient, request: httpx2.Request) -> tuple[int, str, str]:
        """Status, content type and text of the answer, redirects within the same place followed."""
        for _ in range(REDIRECTS + 1):
            response = await client.send(request, stream=True)
            try:
                if not response.has_redirect_location:
                    return response.status_code, response.headers.get("content-type", ""), await _read(response)
            finally:
                await response.aclose()
            following = response.next_request
            if following is None or _origin(following.url) != _origin(request.url):
                raise Refused(f"{self.host} redirects to somewhere else, which is not followed")
            request = following
        raise Refused(f"{self.host} redirects again and again")

    def _result(self, status: int, kind: str, text: str) -> Any:
        if status >= 500 or status in _BUSY:
            raise Passing(f"{self.host} answered {status}{_said(text, kind)}")
        if status >= 400:
            raise Refused(f"{status}{_said(text, kind)}")
        if not text.strip():
            return f"Done ({status})."
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            if "json" in kind or self.settings.result:
                raise Passing(f"{self.host} answered with something that is not JSON") from None
            return text
        return self._part(value)

    def _part(self, value: Any) -> Any:
        for step in self.settings.result.split(".") if self.settings.result else ():
            if isinstance(value, dict) and step in value:
                value = value[step]
            elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            else:
                raise Refused(f"the answer has no '{self.settings.result}'")
        return value


def _client() -> httpx2.AsyncClient:
    """One for all calls: connections stay open between them. It keeps no cookies, which would mix up callers."""
    cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=()))
    headers = {"user-agent": f"voicebot/{__version__}", "accept-encoding": "identity"}
    timeout = httpx2.Timeout(None, connect=CONNECT_S)  # the tool's own limit is the rest
    return httpx2.AsyncClient(cookies=cookies, headers=headers, timeout=timeout)


async def _read(response: httpx2.Response) -> str:
    """The answer as text; nothing is unpacked, because a packed one may be larger than it looks."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Refused("the answer is packed, although plain text was asked for")
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > MAX_BYTES:
            raise Refused(f"the answer is longer than {MAX_BYTES // 1024} kB")
    return content.decode("utf-8", "replace")


def _host(url: str, name: str) -> str:
    """The host that a filled-in address begins with. Raises BadInput when it has none."""
    try:
        parsed = httpx2.URL(url.partition("{")[0])
    except httpx2.InvalidURL:
        parsed = httpx2.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise BadInput(f"the address of tool '{name}' does not begin with http:// or https:// and a host.")
    return parsed.host


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _said(text: str, kind: str) -> str:
    """': no such order': the server's own words about a refusal, when there are any fit for a person."""
    if "html" in kind:
        return ""
    with suppress(ValueError, RecursionError):
        value = json.loads(text)
        for key in ("error", "message", "detail", "title"):
            value = value[key] if isinstance(value, dict) and key in value else value
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return f": {line[:SAID_LENGTH]}" if line else ""


def _complaint(error: ValidationError) -> str:
    where = ".".join(str(step) for step in error.absolute_path)
    return f"{where}: {error.message}" if where else error.message
