"""Cut what the agent said to what the caller heard, so that the conversation remembers nothing else.

A reply may be spread over several assistant messages (words, a tool, more words). The heard text is laid along them
in order, blanks aside: messages heard to the end stay, the one in which it stops is cut there, later words never
were. Tool calls and their results stay in any case, because they happened.
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage, AnyMessage

INTERRUPTED = "interrupted"
"""Key in `additional_kwargs` of an assistant message that the caller cut short. It is never part of the words;
`voicebot.brain.history` turns it into a note to the model."""


def as_heard(messages: Sequence[AnyMessage], heard: str, *, interrupted: bool) -> list[AnyMessage]:
    """The messages of one reply as the conversation shall remember them.

    When the caller did not interrupt, `heard` cuts only if it is the beginning of what was said (audio that failed
    half-way); otherwise it is taken for another spelling of all of it, and nothing changes.
    """
    said = " ".join(message.text for message in messages if isinstance(message, AIMessage))
    if not interrupted and not _letters(said).startswith(_letters(heard)):
        return list(messages)
    rest = heard
    kept: list[AnyMessage] = []
    cut = False
    for message in messages:
        if not isinstance(message, AIMessage) or not message.text.strip():
            kept.append(message)
            continue
        left = _after(rest, message.text)
        if left is not None:
            rest = left
            kept.append(message)
            continue
        cut = True
        words, rest = rest.strip(), ""
        if words or message.tool_calls or message.invalid_tool_calls:
            kept.append(message.model_copy(update={"content": words}))
    return _marked(kept) if cut and interrupted else kept


def _after(heard: str, text: str) -> str | None:
    """What is left of `heard` behind the whole of `text`, or None when it was not heard to the end."""
    at = 0
    for letter in _letters(text):
        while at < len(heard) and heard[at].isspace():
            at += 1
        if at == len(heard) or heard[at] != letter:
            return None
        at += 1
    return heard[at:]


def _letters(text: str) -> str:
    return "".join(text.split())


def _marked(messages: list[AnyMessage]) -> list[AnyMessage]:
    """Mark the last assistant message: after it the caller spoke."""
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if isinstance(message, AIMessage):
            kwargs = {**message.additional_kwargs, INTERRUPTED: True}
            messages[index] = message.model_copy(update={"additional_kwargs": kwargs})
            break
    return messages
