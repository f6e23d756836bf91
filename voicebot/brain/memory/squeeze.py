"""The last resort: shorten the longest messages of a request until it fits.

Reached only when one turn alone is too long for the budget, which takes a tool that returns a book. Results of tools
are shortened first, then what was said; the system prompt and the calls of tools stay whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langchain_core.messages import BaseMessage, SystemMessage, ToolMessage

GAP = " […] "
"""Stands for what was left out of a message."""
_LONGEST, _SHORTEST = 1 << 17, 64
"""Characters, between which the length is looked for that fits."""


def squeezed(sent: Sequence[BaseMessage], fits: Callable[[list[BaseMessage]], bool]) -> list[BaseMessage]:
    """The same messages, short enough for `fits`, or as short as they get."""
    request = list(sent)
    for kind in (ToolMessage, BaseMessage):
        whole, longest = request, _LONGEST
        while not fits(request) and longest >= _SHORTEST:
            request = [_shortened(message, longest) if isinstance(message, kind) else message for message in whole]
            longest //= 2
    return request


def _shortened(message: BaseMessage, longest: int) -> BaseMessage:
    """Its beginning and its end."""
    text = message.text
    if len(text) <= longest or isinstance(message, SystemMessage):
        return message
    head, tail = text[: longest * 2 // 3], text[-longest // 3 :]
    if head.rfind("[") > head.rfind("]"):  # cut in the middle of a redaction
        head = head[: head.rindex("[")]
    if "]" in tail and "[" not in tail[: tail.index("]")]:
        tail = tail[tail.index("]") + 1 :]
    return message.model_copy(update={"content": f"{head.rstrip()}{GAP}{tail.lstrip()}"})
