"""Tools of MCP servers (Model Context Protocol, modelcontextprotocol.io), through its official Python package.

A server is started, or connected to, once for all calls of the process, before the first caller needs it; when it
dies, the next use starts it again. What it says about its tools is bounded, because it stands in the prompt.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
from loguru import logger
from pydantic_core import to_json

from voicebot import __version__, clock
from voicebot.agent.tools import McpServer as Settings
from voicebot.brain.tools.kept import Kept, kept
from voicebot.brain.tools.secrets import Secrets
from voicebot.brain.tools.stderr import LastWords
from voicebot.brain.tools.tool import Manner, Passing, Refused, Tool
from voicebot.errors import BadInput, MissingExtra, Unavailable, did_you_mean

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult
    from mcp.types import Tool as Listed

EXTRA = "mcp"
OPEN_S = 15.0
"""How long a server may take to start and to list its tools."""
MAX_TOOLS = 64
DESCRIPTION_LENGTH = 1_000
SCHEMA_LENGTH = 8_000
"""Characters, as JSON."""
RESULT_LENGTH = 65_536
"""Characters of a result that are passed on."""
SAID_LENGTH = 200
"""How much of a server's own words about a failure is passed on."""


@dataclass
class _Connection:
    client: Client
    listed: list[Listed]
    gone: bool = False
    """The server's process has ended."""

    def is_gone(self) -> None:
        self.gone = True


class McpServer:
    """The tools of one server, as a source of a toolbox."""

    def __init__(self, settings: Settings, manner: Manner, idempotent: Collection[str], root: Path) -> None:
        """Raises MissingExtra without the package, BadInput when a setting or the program is not there."""
        try:
            import mcp  # noqa: F401 - an extra, wanted only here
        except ImportError:
            raise MissingExtra("The client for MCP servers", EXTRA) from None
        self.name = _shown(settings)
        self._settings = settings
        self._manner = manner
        self._idempotent = idempotent
        self._root = root
        self._secrets = Secrets(root, self.name)
        self._url = self._secrets.fill(settings.url or "")
        self._headers = self._secrets.fill_all(settings.headers)
        self._env = self._secrets.fill_all(settings.env)
        if settings.command and shutil.which(settings.command, path=self._env.get("PATH")) is None:
            raise BadInput(f"MCP server '{self.name}': there is no program '{settings.command}'.")
        self._which = ("mcp", str(root), settings.model_dump_json(exclude={"only"}))

    @property
    def _kept(self) -> Kept[_Connection]:
        return kept(self._which, self._open)

    async def tools(self) -> Iterable[Tool]:
        """What the server offers, as far as the agent file wants it. Starts it or connects to it, if need be."""
        connection = await self._kept.get()
        offered = {tool.name: tool for tool in connection.listed}
        for name in (*self._settings.only, *self._idempotent):
            if name not in offered:
                raise BadInput(f"MCP server '{self.name}' has no tool '{name}'.{did_you_mean(name, offered)}")
        wanted = [tool for name, tool in offered.items() if not self._settings.only or name in self._settings.only]
        return [tool for listed in wanted if (tool := self._tool(listed))]

    def _tool(self, listed: Listed) -> Tool | None:
        if len(to_json(listed.input_schema)) > SCHEMA_LENGTH:
            logger.warning(f"MCP server '{self.name}': tool '{listed.name[:60]}' is left out: its schema is too long.")
            return None
        return McpTool(
            name=re.sub(r"[^A-Za-z0-9_-]", "_", listed.name)[:64],
            description=self._one_line(listed.description or listed.name)[:DESCRIPTION_LENGTH],
            parameters=listed.input_schema,
            place=f"mcp {self.name}",
            manner=replace(self._manner, idempotent=listed.name in self._idempotent),
            server=self,
            offered_as=listed.name,
        )

    async def call(self, name: str, arguments: dict[str, Any]) -> Any:
        """The result of one of its tools. Raises Refused, Passing."""
        from mcp import MCPError
        from mcp.types import CONNECTION_CLOSED

        connection = await self._connected()
        try:
            result = await connection.client.call_tool(name, arguments)
        except Exception as error:  # noqa: BLE001 - whatever breaks inside, the next use connects again
            if isinstance(error, MCPError) and error.code != CONNECTION_CLOSED:
                raise Refused(self._one_line(str(error))[:SAID_LENGTH]) from None
            logger.debug(f"MCP server '{self.name}': {self._secrets.hide(repr(error))}")
            self._kept.drop(connection)
            raise Passing(f"the MCP server '{self.name}' went away") from None
        return self._result(result)

    async def _connected(self) -> _Connection:
        """A connection that is not known to be dead."""
        try:
            connection = await self._kept.get()
            if connection.gone:
                self._kept.drop(connection)
                connection = await self._kept.get()
        except Unavailable as error:
            raise Passing(str(error)) from None
        return connection

    def _result(self, result: CallToolResult) -> Any:
        text = "\n".join(part.text if part.type == "text" else f"[{part.type}]" for part in result.content)
        if result.is_error:
            raise Refused(self._one_line(text)[:SAID_LENGTH] or "it gave no reason")
        value = result.structured_content
        if value is None:
            return self._secrets.hide(text)[:RESULT_LENGTH]
        if isinstance(value, dict) and value.keys() == {"result"}:  # how servers wrap what is no object
            value = value["result"]
        shown = self._secrets.hide(to_json(value).decode())
        return json.loads(shown) if len(shown) <= RESULT_LENGTH else shown[:RESULT_LENGTH]

    def _one_line(self, text: str) -> str:
        """What a server says, without control characters and settings of ours."""
        return " ".join(self._secrets.hide("".join(one if one.isprintable() else " " for one in text)).split())

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[_Connection]:
        async with AsyncExitStack() as stack:
            stderr = await stack.enter_async_context(LastWords.of_a_process()) if self._settings.command else None
            try:
                async with asyncio.timeout(OPEN_S):
                    client = await stack.enter_async_context(await self._client(stack, stderr))
                    listed = await _listed(client)
            except Exception as error:  # noqa: BLE001 - whatever the package raises, this is what it means
                why = "it was silent" if isinstance(error, TimeoutError) else (stderr and stderr.line) or _first(error)
                sentence = f"MCP server '{self.name}' cannot be used: {self._one_line(why)[:SAID_LENGTH]}"
                raise Unavailable(sentence) from None
            connection = _Connection(client, listed)
            if stderr:
                stderr.when_it_ends(connection.is_gone)
            yield connection

    async def _client(self, stack: AsyncExitStack, stderr: LastWords | None) -> Client:
        from mcp import Client, StdioServerParameters
        from mcp.client.stdio import stdio_client
        from mcp.client.streamable_http import streamable_http_client
        from mcp.types import Implementation

        settings = self._settings
        if settings.command and stderr:
            program = StdioServerParameters(
                command=settings.command,
                args=settings.args,
                env=self._env,
                cwd=self._root,
                encoding_error_handler="replace",
            )
            transport = stdio_client(program, errlog=stderr.file)
        else:
            timeout = httpx2.Timeout(OPEN_S, read=None)  # a server may hold a stream open
            http = await stack.enter_async_context(httpx2.AsyncClient(headers=self._headers, timeout=timeout))
            transport = streamable_http_client(self._url, http_client=http)
        return Client(transport, client_info=Implementation(name="voicebot", version=__version__), cache=None)


@dataclass(frozen=True, kw_only=True)
class McpTool(Tool):
    server: McpServer
    offered_as: str
    """The server's own name for it, which may hold characters that models do not take."""

    def checked(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return dict(arguments)  # the server checks; a stranger's schema may hold patterns that take for ever

    async def call(self, arguments: dict[str, Any]) -> Any:
        with clock.work():
            return await self.server.call(self.offered_as, arguments)


async def _listed(client: Client) -> list[Listed]:
    tools: list[Listed] = []
    cursor: str | None = None
    while len(tools) < MAX_TOOLS:
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor or not page.tools:
            break
    return tools[:MAX_TOOLS]


def _first(error: BaseException) -> str:
    """What is wrong, from within the groups that task groups raise."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _shown(settings: Settings) -> str:
    """The server's name in sentences: no setting is filled in."""
    if settings.url:
        return re.sub(r"^https?://", "", settings.url).partition("/")[0]
    return " ".join([Path(settings.command or "").name, *settings.args])[:60]
