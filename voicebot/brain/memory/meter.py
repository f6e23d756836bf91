"""How many tokens a request is: counted by the provider where it was sent before, estimated where it is new.

The estimate is made to be too high rather than too low, because a request that is too long fails in the middle of a
call. A provider's count (`usage_metadata`) is exact for what was sent, its tools included; where a provider counts
more than was estimated, later estimates grow by as much.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

_FRAME_TOKENS = 6
"""What a chat format puts around a message or a tool call."""
_KEY_CHARACTERS = 20
_KEY = re.compile(rf"[A-Za-z0-9+/=_]{{{_KEY_CHARACTERS},}}")
"""What no word is as long as."""
_HIGHEST_STRETCH = 4.0
"""A count that is further from the estimate than this is not believed."""


def estimated_tokens(text: str) -> int:
    """About how many tokens a text is, from the length of its UTF-8.

    One for 3 bytes and for each digit; twice as many for keys and base64; at least one for a word and a digit, as when
    letters and digits are said one by one. That is 1.2 to 1.5 times what OpenAI's cl100k_base makes of English, German,
    French, Russian and JSON, 0.8 to 0.9 times for Arabic, Hindi and Korean, for which o200k_base takes half as many.
    """
    data = text.encode()
    digits = len(data) - len(data.translate(None, b"0123456789"))
    keys = sum(map(len, _KEY.findall(text))) if len(data) >= _KEY_CHARACTERS else 0
    return max((len(data) + 2 * digits + keys + 2) // 3, len(text.split()) + digits)


def message_tokens(message: BaseMessage) -> int:
    """The same for a message with its role, its tool calls and their arguments."""
    tokens = _FRAME_TOKENS + estimated_tokens(message.text)
    if isinstance(message, AIMessage):
        asked = [f"{call['id']}{call['name']}{json.dumps(call['args'])}" for call in message.tool_calls]
        asked += [f"{bad['id']}{bad['name']}{bad['args']}" for bad in message.invalid_tool_calls]
        tokens += sum(_FRAME_TOKENS + estimated_tokens(each) for each in asked)
    elif isinstance(message, ToolMessage):
        tokens += estimated_tokens(message.tool_call_id)
    return tokens


def tool_tokens(tools: Sequence[Mapping[str, Any]]) -> int:
    """The same for the tools that are offered with every request."""
    return sum(_FRAME_TOKENS + estimated_tokens(json.dumps(tool, ensure_ascii=False)) for tool in tools)


class Meter:
    """Counts the requests of one call."""

    def __init__(self) -> None:
        self._stretch = 1.0
        """What the provider's tokenizer makes of an estimated token, at least one."""
        self._asked: list[_Shape] = []
        self._asked_estimate = 0
        self._counted: list[_Shape] = []
        """The last request whose tokens are known, and how many they were."""
        self._counted_tokens = 0
        self._seen = ""
        """The id of the last answer that has been learned from."""

    def count(self, sent: Sequence[BaseMessage], tools: int) -> int:
        """Tokens of a request; `tools` are those of the tools offered with it, estimated."""
        known = len(self._counted)
        if known and known <= len(sent) and [_shape(message) for message in sent[:known]] == self._counted:
            return self._counted_tokens + self.stretched(sum(map(message_tokens, sent[known:])))
        return self.stretched(tools + sum(map(message_tokens, sent)))

    def stretched(self, estimate: int) -> int:
        """An estimate as this call's provider would count it."""
        return round(estimate * self._stretch)

    def asks(self, sent: Sequence[BaseMessage], tools: int) -> None:
        """This request is sent now; the next answer with a count is the answer to it."""
        self._asked = [_shape(message) for message in sent]
        self._asked_estimate = tools + sum(map(message_tokens, sent))

    def learn(self, messages: Sequence[BaseMessage]) -> None:
        """Take the provider's count from the last answer in the conversation, when that is a new one."""
        last = next((each for each in reversed(messages) if isinstance(each, AIMessage) and each.usage_metadata), None)
        if last is None or last.usage_metadata is None or last.id == self._seen:
            return
        self._seen = last.id or ""
        if not self._asked:  # the answer is from before: the call was taken up again
            return
        tokens = last.usage_metadata["input_tokens"]
        stretch = tokens / max(self._asked_estimate, 1)
        if 1 / _HIGHEST_STRETCH <= stretch <= _HIGHEST_STRETCH:
            self._counted, self._counted_tokens = self._asked, tokens
            self._stretch = max(self._stretch, stretch)


_Shape = tuple[str, str, str]


def _shape(message: BaseMessage) -> _Shape:
    """What two messages must share to be the same bytes in a request."""
    calls = str(message.tool_calls) if isinstance(message, AIMessage) else ""
    return message.type, message.text, calls
