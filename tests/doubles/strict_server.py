"""The rules of the strictest chat servers, for whatever a model is to be sent."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage, ToolMessage


def accepts(messages: Sequence[BaseMessage]) -> bool:
    """System first and only there, then user and assistant in turns, every tool call answered right behind it."""
    if not messages or not isinstance(messages[0], SystemMessage):
        return False
    waiting: set[str] = set()
    last = "system"
    for message in messages[1:]:
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in waiting:
                return False
            waiting.remove(message.tool_call_id)
        elif waiting or message.type in (last, "system") or (last == "system" and message.type != "human"):
            return False
        elif isinstance(message, AIMessage):
            waiting = {one["id"] or "" for one in message.tool_calls}
        last = message.type if not (last == "tool" and message.type == "ai") else "ai"
    return not waiting
