"""What an agent can do besides talking: the `tools` of an agent file.

tools:
  - tools.py:book                                   # a Python function of the project
  - {python: tools.py:find_slot, timeout: 3s, idempotent: true}
  - http:                                           # a request, written down
      name: order_status
      description: Where an order is. Ask for its number first.
      url: https://shop.example.com/orders/{order_id}
      headers: {Authorization: "Bearer ${SHOP_KEY}"}
      parameters: {order_id: string}
  - mcp: {command: uvx, args: [mcp-server-time]}    # a server of the Model Context Protocol
  - press_keys                                      # built in
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo, model_validator

from voicebot import references
from voicebot.agent.values import Duration, Part, Text, without_repeats
from voicebot.errors import did_you_mean

PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
"""`{order_id}`: an argument of the tool."""
VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}")
"""`${SHOP_KEY}`: a setting of the environment or of the project's `.env`."""
BUILT_IN = ("press_keys", "pause_recording")
"""Built-in tools that an agent has only when its file lists them."""
_TYPES = ("string", "integer", "number", "boolean")
_NAME = r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$"

ToolName = Annotated[str, StringConstraints(pattern=_NAME)]


def _address(url: str) -> str:
    """http(s)://host/path: a part in `${...}` may stand anywhere, one in `{...}` only in the path."""
    if not re.match(r"https?://[^/?#\s]+|\$\{\w+\}", url):
        raise ValueError(f"'{url}' is no web address. Write it with http:// or https://.")
    bare = VARIABLE.sub("x", url)
    host = re.sub(r"^https?://", "", bare).partition("/")[0]
    if PLACEHOLDER.search(host) or "@" in host:
        raise ValueError("the host of a tool's address is fixed: no {placeholder} and no user name may stand in it.")
    if PLACEHOLDER.search(bare.partition("?")[2]):
        raise ValueError("a {placeholder} cannot stand behind the '?'. Write 'query' lines instead.")
    return url


def _parameter(value: Any) -> Any:
    """`string` stands for `{type: string}`."""
    if not isinstance(value, str):
        return value
    if value not in _TYPES:
        raise ValueError(f"unknown type '{value}'.{did_you_mean(value, _TYPES)}")
    return {"type": value}


Address = Annotated[Text, AfterValidator(_address)]
Parameter = Annotated[dict[str, Any], BeforeValidator(_parameter, json_schema_input_type=str | dict[str, Any])]


class HttpTool(Part):
    """A request to a web service, as a tool."""

    name: ToolName
    """How the model and the call's record name it."""
    description: Text
    """What it does and when to use it, for the model."""
    url: Address
    """The address. `{order_id}` in its path is filled with that argument, `${NAME}` from the environment or `.env`.
    The host cannot come from the model."""
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    """How it is asked."""
    headers: dict[str, str] = Field(default={})
    """Headers of the request; `${NAME}` is filled from the environment or `.env` and never printed."""
    query: dict[str, str | int | float | bool] | None = None
    """What stands behind the `?`; `{NAME}` is an argument. Without it, and with a method that has no body, all
    arguments that the path does not use."""
    body: dict[str, Any] | None = None
    """The JSON to send; `{NAME}` is an argument, which keeps its type where it stands alone. Without it, and with a
    method that has a body, all arguments that neither path nor query use."""
    parameters: dict[ToolName, Parameter] = Field(default={})
    """Its arguments: `NAME: string` (or `integer`, `number`, `boolean`), or a JSON schema such as
    `{type: string, description: ..., enum: [...]}`. One with a `default` or with `required: false` may be left out."""
    result: Text | None = None
    """Which part of the JSON answer the model gets, for example `data.items.0`; without it, all of it."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for place, name in self._used():
            if name not in self.parameters:
                raise ValueError(f"{place}: unknown parameter '{name}'.{did_you_mean(name, self.parameters)}")
        for name in PLACEHOLDER.findall(VARIABLE.sub("", self.url)):
            if name not in self.required:
                raise ValueError(f"parameters.{name}: the path needs it, so it cannot be left out.")
        problem = _schema_problem(self.schema_of_arguments)
        if problem:
            raise ValueError(f"parameters: {problem}")
        return self

    def _used(self) -> Iterator[tuple[str, str]]:
        """(where, parameter) of every placeholder."""
        yield from (("url", name) for name in PLACEHOLDER.findall(VARIABLE.sub("", self.url)))
        for key, value in (self.query or {}).items():
            yield from ((f"query.{key}", name) for name in PLACEHOLDER.findall(str(value)))
        for key, value in (self.body or {}).items():
            yield from ((f"body.{key}", name) for name in PLACEHOLDER.findall(str(value)))

    @property
    def required(self) -> list[str]:
        return [
            name
            for name, shape in self.parameters.items()
            if shape.get("required") is not False and "default" not in shape
        ]

    @property
    def schema_of_arguments(self) -> dict[str, Any]:
        """The arguments as a JSON schema of an object."""
        shapes = {
            name: {key: value for key, value in shape.items() if not (key == "required" and isinstance(value, bool))}
            for name, shape in self.parameters.items()
        }
        return {"type": "object", "properties": shapes, "required": self.required, "additionalProperties": False}


class McpServer(Part):
    """A server of the Model Context Protocol; what it offers are tools of the agent."""

    command: Text | None = None
    """The program that is the server and talks over its standard input and output. It is started once for all calls."""
    args: list[str] = Field(default=[])
    """Its arguments."""
    env: dict[str, str] = Field(default={})
    """Its environment besides the usual variables; `${NAME}` is filled from the environment or `.env`."""
    url: Annotated[Text, AfterValidator(_address)] | None = None
    """The address of a server that is reached over streamable HTTP."""
    headers: dict[str, str] = Field(default={})
    """Headers for it; `${NAME}` is filled from the environment or `.env` and never printed."""
    only: list[Text] = Field(default=[])
    """The names of the tools to use; without it, all that the server has."""

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError("an MCP server has either a 'command' or a 'url'.")
        for key in ("args", "env") if self.url else ("headers",):
            if getattr(self, key):
                raise ValueError(f"{key}: it does not go with '{'url' if self.url else 'command'}'.")
        return self


class ToolSettings(Part):
    """A tool, or the tools of a server, and how they are used. A text `FILE.py:FUNCTION` stands for `python` alone."""

    python: Annotated[Text, AfterValidator(references.tool)] | None = None
    """A function of the project, as `FILE.py:FUNCTION` relative to its folder."""
    http: HttpTool | None = None
    """A request to a web service."""
    mcp: McpServer | None = None
    """A server of the Model Context Protocol."""
    built_in: Literal["press_keys", "pause_recording"] | None = None
    """`press_keys`: the agent can send touch tones. `pause_recording`: it pauses the recording, for a card number."""
    timeout: Annotated[Duration, Field(gt=0, le=600)] = 10.0
    """How long it may take, all attempts together, before the model is told that there is no answer."""
    idempotent: bool | list[Text] | None = None
    """Whether doing it twice does no more than doing it once; only then is it tried again when it fails. Of an MCP
    server: the names of such tools. Without it: true for `GET`, false for all else."""
    background: bool = False
    """Whether the agent goes on talking while it runs. It is told when it is done, and speaks up then."""
    say: Text | None = None
    """What the agent says as the tool starts, for example "One moment, I'll look.", when its language model has said
    nothing. A flow says its own words."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        kinds = [key for key in ("python", "http", "mcp", "built_in") if getattr(self, key) is not None]
        if not kinds:
            raise ValueError("this is no tool. Write 'python', 'http' or 'mcp' in it.")
        if len(kinds) > 1:
            raise ValueError(f"'{kinds[0]}' and '{kinds[1]}' are two tools. Write two list items.")
        if isinstance(self.idempotent, list) != (self.mcp is not None) and self.idempotent is not None:
            wanted = "the names of tools" if self.mcp else "true or false"
            raise ValueError(f"idempotent: for '{kinds[0]}' it must be {wanted}.")
        if self.mcp and isinstance(self.idempotent, list) and self.mcp.only:
            odd = next((name for name in self.idempotent if name not in self.mcp.only), None)
            if odd:
                raise ValueError(f"idempotent: '{odd}' is not in 'only'.{did_you_mean(odd, self.mcp.only)}")
        return self

    def __str__(self) -> str:
        return self.python or self.built_in or (self.http.name if self.http else "this server")

    @property
    def names(self) -> list[str]:
        """The names of its tools, as far as the file says them."""
        if self.mcp:
            return self.mcp.only
        return [str(self).rpartition(":")[2]]

    def misfit(self, arguments: list[str], info: ValidationInfo) -> str:
        """Why it cannot be called with just these arguments; '' when it can, or when that cannot be seen."""
        if self.python:
            return references.misfit(self.python, arguments, info)
        if self.http:
            return references.unfit(self.http.name, self.http.parameters, self.http.required, arguments)
        return ""


def _spelt_out(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return {"built_in": value} if value.strip() in BUILT_IN else {"python": value}


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _schema_problem(schema: dict[str, Any]) -> str:
    from jsonschema import Draft202012Validator, SchemaError  # only where an agent has an HTTP tool

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = ".".join(str(step) for step in list(error.absolute_path)[1:])
        return f"{where or 'they'} is no JSON schema: {error.message}"
    return ""


Tools = Annotated[
    list[Annotated[ToolSettings, BeforeValidator(_spelt_out, json_schema_input_type=str | ToolSettings)]],
    BeforeValidator(_as_list, json_schema_input_type=str | ToolSettings | list[str | ToolSettings]),
    AfterValidator(without_repeats),
]
