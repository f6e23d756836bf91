"""What happens in a turn and has no length: failures of providers, guardrails that strike, interruptions, fillers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from voicebot import events
from voicebot.events import Event
from voicebot.latency import heard_ms, real_ms
from voicebot.observe import content
from voicebot.observe.span import Moment

_TOLD: dict[type[Event], tuple[tuple[str, ...], tuple[str, ...]]] = {
    events.ProviderFailed: (("kind", "provider", "remedy"), ("error",)),
    events.GuardrailHit: (("rail", "kind", "side", "action"), ()),
    events.BudgetReached: (("of", "spent_usd", "budget_usd", "over"), ()),
    events.BrainMoved: (("node",), ("slots",)),
    events.HandedOver: (("agent",), ("to", "reason")),
    events.KeysPressed: (("side",), ("keys",)),
    events.CallerSilent: (("times",), ()),
    events.AudioNotice: (("kind", "level"), ()),
    events.CallerHeld: (("why",), ()),
    events.CallerBack: (("why", "waited_ms"), ()),
    events.TransferMoved: (("state",), ("to", "detail")),
    events.RecordingChanged: (("state", "by"), ("why",)),
    events.LineNews: (("source", "kind"), ("text",)),
    events.AgentPaused: ((), ()),
    events.AgentResumed: ((), ()),
    events.BargeIn: ((), ("heard",)),
}
"""Which fields of an event are told, and which only to those who ask for what was said."""

FAILED = "provider_failed"
_ERROR = re.compile(r"[A-Za-z_]\w*(?:Error|Exception|Timeout|Closed|Fault|Lost)\b")
_OTHER = "_OTHER"
"""OpenTelemetry's word for a failure of no known class."""


def moments(turn: Iterable[Event], *, said: bool) -> Iterator[Moment]:
    """`said`: and what was said."""
    for event in turn:
        if names := _TOLD.get(type(event)):
            always, asked = names
            attributes = dict(content.of_event(event, (*always, *asked) if said else always))
            if isinstance(event, events.ProviderFailed):
                attributes["error.type"] = _class_of(event.error)
            yield Moment(event.type, real_ms(event), attributes)
        elif isinstance(event, events.AgentSaying) and event.filler:
            yield Moment("filler", heard_ms(event))


def _class_of(error: str) -> str:
    """'TimeoutError' of 'TimeoutError: no answer': of a failure's text that part which holds nothing of a caller's."""
    found = _ERROR.match(error)
    return found[0] if found else _OTHER
