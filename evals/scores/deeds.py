"""What the brain did, counted: tool calls that were well-formed, and that worked; replies that say the same again."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from voicebot import events
from voicebot.evals.measures import Rate
from voicebot.evals.words.wer import normalise

_LEFT_ALONE = "left alone for a moment"
"""What a tool answers whose other side has failed too often: the call of it was well-formed."""


def is_valid(returned: events.ToolReturned) -> bool:
    """Whether the call was well-formed: a tool of that name, arguments that fit. What came of it does not matter."""
    refused = not returned.ok and returned.attempts == 0
    return not refused or _LEFT_ALONE in str(returned.result)


def tool_validity(told: Iterable[events.Event]) -> Rate:
    """Well-formed calls of all calls. A call that the end of the conversation overtook was begun, so it was one."""
    called = returned = valid = 0
    for event in told:
        called += isinstance(event, events.ToolCalled)
        if isinstance(event, events.ToolReturned):
            returned += 1
            valid += is_valid(event)
    overtaken = max(0, called - returned)
    return Rate(hits=valid + overtaken, n=returned + overtaken)


def tool_success(told: Iterable[events.Event]) -> Rate:
    """Calls that came to an end as asked, of those that came to an end. A business "no" is an answer as asked."""
    ended = [event.ok for event in told if isinstance(event, events.ToolReturned)]
    return Rate(hits=sum(ended), n=len(ended))


def repeated(told: Iterable[events.Event]) -> Rate:
    """Replies that say word for word what the reply before them said, of all replies but the first."""
    said = [normalise(event.said) for event in told if isinstance(event, events.AgentSpeechStopped) and event.said]
    same = sum(one == other for one, other in pairwise(said))
    return Rate(hits=same, n=max(0, len(said) - 1))
