"""From a conversation to the text that a model continues: the chat template that its file carries, rendered.

Templates come with the model and are run in Jinja's sandbox. Words from outside (caller, tools, knowledge) lose
whatever the model would take for the end of a message.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from langchain_core.exceptions import ModelInvalidRequestError
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from voicebot.errors import BadInput
from voicebot.llm.llama.syntax import HERMES, LLAMA

PLAIN = """\
{{- bos_token -}}
{%- for message in messages -%}
{{- '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' + message.content | trim + '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif -%}
"""
"""For a file without a template: Llama 3's."""

TOOLS = """\
You have these tools. To use one, answer with nothing but a JSON object like {"name": "tool", "parameters": {"a": 1}}. \
When you need none, answer in words.

"""
RESULT = "[Result of {name}]\n{text}"
"""How a model without a syntax of its own reads what a tool returned."""

Message = dict[str, Any]


class ChatTemplate:
    """Renders conversations for one model."""

    def __init__(self, source: str, begin: str, end: str, marks: Sequence[str] = ()) -> None:
        """`marks`: the texts of the tokens that steer the model. Raises BadInput for a template that is broken."""
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.filters["tojson"] = _json
        environment.globals |= {
            "raise_exception": _refuse,
            "strftime_now": lambda form: datetime.now().strftime(form),
            "bos_token": begin,
            "eos_token": end,
        }
        try:
            self._template = environment.from_string(source or PLAIN)
        except TemplateError as error:
            raise BadInput(f"the model's chat template cannot be read: {error}") from error
        self.syntax = HERMES if "<tool_call>" in source else LLAMA
        self._native = "tools" in source and ("<tool_call>" in source or '"parameters"' in source)
        self._marks = re.compile("|".join(re.escape(mark) for mark in sorted(marks, key=len, reverse=True)) or r"(?!)")

    def render(self, messages: Sequence[BaseMessage], tools: Sequence[dict[str, Any]], *, answer: bool = True) -> str:
        """The conversation as the model reads it; `answer`: up to where its own answer begins.

        Raises ModelInvalidRequestError when the model's template refuses the conversation.
        """
        given: dict[str, Any] = {
            "tools": list(tools) if tools and self._native else None,
            "tools_in_user_message": False,  # Llama's: in the system message they stay the same for the whole call
            "date_string": f"{datetime.now():%d %b %Y}",
            "enable_thinking": False,  # Qwen's: a caller waits
            "add_generation_prompt": answer,
        }
        shaped = list(
            self._native_messages(messages) if self._native else _joined(self._plain_messages(messages, tools))
        )
        try:
            return self._rendered(shaped, given)
        except TemplateError:
            pass
        try:  # some templates know no system message
            return self._rendered(list(_without_system(shaped)), given)
        except TemplateError as error:
            raise ModelInvalidRequestError(f"its chat template refuses the conversation: {error}") from error

    def _rendered(self, messages: list[Message], given: dict[str, Any]) -> str:
        text: str = self._template.render(messages=messages, **given)
        return text

    def _clean(self, text: str) -> str:
        while (cleaned := self._marks.sub("", text)) != text:  # what is left may be one again
            text = cleaned
        return text

    def _native_messages(self, messages: Sequence[BaseMessage]) -> Iterator[Message]:
        """One call a message, its result behind it: what all templates take. Words before a call are apart."""
        results = {message.tool_call_id: message for message in messages if isinstance(message, ToolMessage)}
        for message in messages:
            if isinstance(message, ToolMessage):
                continue
            asked = _calls(message)
            if not asked or message.text.strip():
                yield {"role": _role(message), "content": self._clean(message.text)}
            for id_, name, arguments in asked:
                function = {"name": name, "arguments": json.loads(self._clean(_json(arguments)))}
                call = {"type": "function", "id": id_, "function": function}
                yield {"role": "assistant", "content": "", "tool_calls": [call]}
                if result := results.get(id_):
                    yield {"role": "tool", "content": self._clean(result.text), "name": name, "tool_call_id": id_}

    def _plain_messages(self, messages: Sequence[BaseMessage], tools: Sequence[dict[str, Any]]) -> Iterator[Message]:
        """Without anything that only some templates know: tools, calls and results as text."""
        told = TOOLS + "\n".join(_json(tool["function"]) for tool in tools) if tools else ""
        if told and not (messages and isinstance(messages[0], SystemMessage)):
            yield {"role": "system", "content": told}
        for number, message in enumerate(messages):
            text = self._clean(message.text)
            if isinstance(message, ToolMessage):
                yield {"role": "user", "content": RESULT.format(name=message.name or "the tool", text=text)}
                continue
            asked = ({"name": name, LLAMA.arguments: arguments} for _, name, arguments in _calls(message))
            written = [self._clean(_json(call)) for call in asked]
            parts = [text, told if number == 0 and isinstance(message, SystemMessage) else "", *written]
            yield {"role": _role(message), "content": "\n\n".join(part for part in parts if part)}


def _role(message: BaseMessage) -> str:
    if isinstance(message, SystemMessage):
        return "system"
    return "user" if isinstance(message, HumanMessage) else "assistant"


def _calls(message: BaseMessage) -> list[tuple[str, str, dict[str, Any]]]:
    if not isinstance(message, AIMessage):
        return []
    good = [(call["id"] or "", call["name"], call["args"]) for call in message.tool_calls]
    return good + [(call["id"] or "", call["name"] or "", {}) for call in message.invalid_tool_calls]


def _joined(messages: Iterable[Message]) -> Iterator[Message]:
    """User and assistant in turns, as many templates insist."""
    for role, together in itertools.groupby(messages, key=lambda message: str(message["role"])):
        yield {"role": role, "content": "\n\n".join(message["content"] for message in together)}


def _without_system(messages: Sequence[Message]) -> Iterator[Message]:
    """The system message as the beginning of the first of the user's."""
    told = [message["content"] for message in messages if message["role"] == "system"]
    for message in messages:
        if message["role"] == "user" and told:
            yield {**message, "content": "\n\n".join([*told, message["content"]])}
            told = []
        elif message["role"] != "system":
            yield message


def _json(value: Any, indent: int | None = None, **_: Any) -> str:
    """Hugging Face's `tojson`: not escaped for HTML, unlike Jinja's own."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(reason: str) -> NoReturn:
    raise TemplateError(reason)
