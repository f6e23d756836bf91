"""The conversation in the shape every chat model accepts.

The memory holds what happened; servers are pickier: some want user and assistant in turns, all want each tool call
answered right behind it. A pure function, so what a model was sent can be seen and tested.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from voicebot.brain.heard import INTERRUPTED

CONNECTED = "[The call is connected.]"
"""Stands for the caller before the greeting."""
CUT_IN = "[The caller interrupted you. They heard only your words above.]"
"""Stands before the caller's words that interrupted. On the caller's side, where a model does not imitate it."""
SILENT = "[The caller says nothing.]"
"""Stands for a turn of the caller in which they were only silent."""
NOT_RUN = "Not run: the caller interrupted before it began."
"""The result of a tool call that was asked for and never started."""


def for_model(
    system: SystemMessage, messages: Sequence[BaseMessage], *, note: str = "", aside: str = ""
) -> list[BaseMessage]:
    """What to send: `system`, then the conversation with notes, in turns, every tool call answered.

    `note` stands for what came before `messages`: it opens the first message on the caller's side. `aside` is for this
    turn only: it follows the caller's last words, so that all before them stays the same from turn to turn.
    """
    sent: list[BaseMessage] = [system]
    results = {message.tool_call_id: message for message in messages if isinstance(message, ToolMessage)}
    if note or (messages and isinstance(messages[0], AIMessage)):
        sent.append(HumanMessage(note or CONNECTED))
    last = max((place for place, each in enumerate(messages) if isinstance(each, HumanMessage)), default=None)
    before = ""
    for place, message in enumerate(messages):
        if isinstance(message, HumanMessage):
            words = message.text.strip() or SILENT
            words = f"{before}\n{words}" if before else words
            _append(sent, HumanMessage(f"{words}\n\n{aside}" if aside and place == last else words))
            before = ""
        elif isinstance(message, AIMessage):
            before = CUT_IN if INTERRUPTED in message.additional_kwargs else before
            _append_answer(sent, message, results)
    return sent


def unanswered(messages: Iterable[BaseMessage]) -> list[ToolMessage]:
    """A `NOT_RUN` result for every tool call that has none."""
    seen = list(messages)
    answered = {message.tool_call_id for message in seen if isinstance(message, ToolMessage)}
    return [
        ToolMessage(NOT_RUN, tool_call_id=call_id, name=name, status="error", id=f"result-{call_id}")
        for message in seen
        if isinstance(message, AIMessage)
        for call_id, name in calls(message)
        if call_id not in answered
    ]


def calls(message: AIMessage) -> list[tuple[str, str]]:
    """(id, name) of every tool call in `message`, those with unreadable arguments included."""
    asked = [*message.tool_calls, *message.invalid_tool_calls]
    return [(call["id"] or "", call["name"] or "") for call in asked]


def _append_answer(sent: list[BaseMessage], message: AIMessage, results: dict[str, ToolMessage]) -> None:
    asked = calls(message)
    if asked or message.text.strip():
        plain = AIMessage(
            message.text, tool_calls=message.tool_calls, invalid_tool_calls=message.invalid_tool_calls, id=message.id
        )
        _append(sent, plain)
    missing = {result.tool_call_id: result for result in unanswered([message])}
    sent.extend(results.get(id_) or missing[id_] for id_, _ in asked)


def _append(sent: list[BaseMessage], message: HumanMessage | AIMessage) -> None:
    """Append, joined to the last message when the same side speaks again."""
    last = sent[-1]
    if type(last) is type(message):
        gap = " " if isinstance(message, AIMessage) else "\n"
        sent[-1] = message.model_copy(update={"content": f"{last.text}{gap}{message.text}".rstrip()})
    else:
        sent.append(message)
