"""The tools of a request, and reading the calls that a model writes."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from voicebot.llm.llama import grammar
from voicebot.llm.llama.syntax import Syntax

Allowed = Literal["auto", "none", "must"]


@dataclass(frozen=True)
class Tools:
    """The tools of one request."""

    syntax: Syntax
    allowed: Allowed
    """auto: it may speak or call. none: it must speak. must: it must call."""
    grammar: str
    """GBNF of what may be written: a call, or words without one. '' when the schemas cannot be put into a grammar."""


def tools(schemas: Sequence[dict[str, Any]], choice: object, syntax: Syntax) -> Tools | None:
    """`schemas` are OpenAI-shaped, `choice` is their tool_choice: 'auto', 'none', 'any', 'required' or a tool."""
    if not schemas:
        return None
    named = _named(choice)
    wanted = [schema for schema in schemas if schema["function"]["name"] == named] if named else list(schemas)
    if not wanted:
        raise ValueError(f"tool_choice names '{named}', which is not among the tools")
    if choice == "none":
        return Tools(syntax, "none", grammar.of_words(syntax))
    demanded = named or choice in ("any", "required", True)
    return Tools(syntax, "must" if demanded else "auto", grammar.of_calls(wanted, syntax))


def _named(choice: object) -> str:
    if isinstance(choice, dict):
        return str(choice.get("function", choice).get("name", ""))
    return choice if isinstance(choice, str) and choice not in ("auto", "none", "any", "required") else ""


@dataclass(frozen=True)
class CallPart:
    """A piece of a tool call: first its id and name, then its arguments as they are written."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class CallReader:
    """Reads calls out of what a model writes, piece by piece."""

    def __init__(self, syntax: Syntax) -> None:
        self._head = re.compile(rf'\{{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"{syntax.arguments}"\s*:\s*')
        self._text = ""
        self._at = 0
        """What lies before it has been given out."""
        self._arguments_at = -1
        """Where the arguments of the call that is being read begin; -1 between calls."""
        self.count = 0

    def take(self, text: str) -> Iterator[CallPart]:
        self._text += text
        while self._arguments_at >= 0 or (yield from self._begun()):
            if self._at == self._arguments_at:
                space = len(self._text) - len(self._text[self._at :].lstrip())
                self._at = self._arguments_at = space
            end = _end_of_value(self._text, self._arguments_at)
            upto = len(self._text) if end is None else end
            if upto > self._at:
                yield CallPart(self.count - 1, arguments=self._text[self._at : upto])
            self._at = upto
            if end is None:
                return
            self._arguments_at = -1

    def _begun(self) -> Generator[CallPart, None, bool]:
        head = self._head.search(self._text, self._at)
        if not head:
            return False
        self._at = self._arguments_at = head.end()
        self.count += 1
        yield CallPart(self.count - 1, f"call_{uuid4().hex[:24]}", json.loads(head[1], strict=False))
        return True

    def close(self) -> Iterator[CallPart]:
        """The answer is over. What was no call at all, where no grammar could see to it, is given out as a bad one."""
        if not self.count and self._text.strip():
            self.count = 1
            yield CallPart(0, f"call_{uuid4().hex[:24]}", "", self._text)


def _end_of_value(text: str, at: int) -> int | None:
    try:
        return json.JSONDecoder(strict=False).raw_decode(text, at)[1]
    except ValueError:
        return None
