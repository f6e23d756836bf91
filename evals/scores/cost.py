"""What a call cost, as `voicebot.money.costs` counts it by the table of prices that ships: the same trial costs the
same in every project. What has no price is named, so that nobody takes a part of the cost for the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from voicebot import events, providers
from voicebot.money.costs import caller_speech_s, costs
from voicebot.money.prices import prices


@dataclass
class Cost:
    """What was used in one call, and what is known of its price."""

    priced_usd: float = 0.0
    unpriced: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    """Speech providers that do not run on this machine."""
    input_tokens: int = 0
    output_tokens: int = 0
    stt_s: float = 0.0
    tts_characters: int = 0

    @property
    def usd(self) -> float | None:
        """None when something that was used has no price."""
        return None if self.unpriced else self.priced_usd


def cost(told: Sequence[events.Event]) -> Cost:
    """Add up what the events tell. A call without a record cost nothing that is known."""
    found = costs(told, prices())
    spent = Cost(
        priced_usd=sum(each.usd or 0.0 for each in found),
        unpriced={each.provider for each in found if each.usd is None},
        stt_s=caller_speech_s(told),
    )
    for event in told:
        match event:
            case events.ModelUsed():
                spent.input_tokens += event.input_tokens
                spent.output_tokens += event.output_tokens
            case events.AgentSaying():
                spent.tts_characters += len(event.text)
            case events.CallStarted():
                spent.elsewhere |= {name for name in (_cloud("stt", event.stt), _cloud("tts", event.tts)) if name}
    return spent


def _cloud(kind: providers.Kind, used: str) -> str:
    """The name of the speech provider that was used, unless it runs on this machine."""
    name = used.partition("/")[0].partition(":")[0]
    known = next((each for each in providers.providers() if (each.kind, each.name) == (kind, name)), None)
    return "" if not name or (known and known.offline) else name
