"""Cut what the agent said to what the caller heard, so that the conversation remembers nothing else.

A reply may be spread over several assistant messages (words, a tool, more words). The heard text is laid along them
in order, blanks aside: messages heard to the end stay, the one in which it stops is cut there, later words never
were. Tool calls and their results stay in any case, because they happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage

INTERRUPTED = "interrupted"
"""Key in `additional_kwargs` of an assistant message that the caller cut short. It is never part of the words;
`voicebot.brain.history` turns it into a note to the model."""


def as_heard(
    messages: Sequence[AnyMessage], heard: str, *, interrupted: bool, said: Mapping[str, str] | None = None
) -> list[AnyMessage]:
    """The messages of one reply as the conversation shall remember them.

    `said` is what the caller was to hear of each message, by its id, in this order; messages that are not in it were
    not for the caller and stay as they are. None: all of all of them, in the order of `messages`.

    When the caller did not interrupt, `heard` cuts only if it is the beginning of what was said (audio that failed
    half-way); otherwise it is taken for another spelling of all of it, and nothing changes.
    """
    if said is None:
        said = {message.id or "": message.text for message in messages if isinstance(message, AIMessage)}
    if not interrupted and not letters(" ".join(said.values())).startswith(letters(heard)):
        return list(messages)
    shares = _shares(said, heard)
    kept = [part for part in (_part(message, shares) for message in messages) if part]
    cut = any(words is not None for words in shares.values())
    return _marked(kept, said) if cut and interrupted else kept


def _shares(said: Mapping[str, str], heard: str) -> dict[str, str | None]:
    """Of each message that was said: the words of it that were heard, None for all of them."""
    shares: dict[str, str | None] = {}
    rest = heard
    for id_, text in said.items():
        left = after(rest, text)
        shares[id_] = rest.strip() if left is None and text.strip() else None
        rest = "" if left is None else left
    return shares


def _part(message: AnyMessage, shares: Mapping[str, str | None]) -> AnyMessage | None:
    """What of the message is kept; None for nothing."""
    words = shares.get(message.id or "")
    if words is None:
        return message
    if words or (isinstance(message, AIMessage) and (message.tool_calls or message.invalid_tool_calls)):
        return message.model_copy(update={"content": content_of(message.content, words)})
    return None


def content_of(content: str | list[str | dict[str, Any]], words: str) -> str | list[str | dict[str, Any]]:
    """The content with these words instead of its own. What it holds besides words (a model's reasoning) stays."""
    if isinstance(content, str):
        return words
    others: list[str | dict[str, Any]]
    others = [block for block in content if isinstance(block, dict) and block.get("type") != "text"]
    return [*others, {"type": "text", "text": words}] if words else others


def after(heard: str, text: str) -> str | None:
    """What is left of `heard` behind the whole of `text`, or None when it was not heard to the end."""
    at = 0
    for letter in letters(text):
        while at < len(heard) and heard[at].isspace():
            at += 1
        if at == len(heard) or heard[at] != letter:
            return None
        at += 1
    return heard[at:]


def letters(text: str) -> str:
    return "".join(text.split())


def _marked(messages: list[AnyMessage], said: Mapping[str, str]) -> list[AnyMessage]:
    """Mark the last assistant message that the caller heard of: after it the caller spoke."""
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if message.id in said:
            kwargs = {**message.additional_kwargs, INTERRUPTED: True}
            messages[index] = message.model_copy(update={"additional_kwargs": kwargs})
            break
    return messages
