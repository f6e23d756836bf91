"""What a call cost: tokens by the dated price table of the language models; what runs on this machine is free.

Speech providers in the cloud have no prices here: their seconds and characters are counted, and they are named as
unpriced, so that nobody takes a part of the cost for the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from voicebot import events, providers


@dataclass
class Cost:
    """What was used in one call, and what is known of its price."""

    priced_usd: float = 0.0
    unpriced: set[str] = field(default_factory=set)
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
    spent = Cost()
    start_ms = None
    for event in told:
        match event:
            case events.ModelUsed():
                _model(event, spent)
            case events.CallerSpeechStarted():
                start_ms = event.speech_start_ms
            case events.CallerSpeechStopped() if start_ms is not None:
                spent.stt_s += max(0.0, event.speech_end_ms - start_ms) / 1000
                start_ms = None
            case events.AgentSaying():
                spent.tts_characters += len(event.text)
            case events.CallStarted():
                spent.unpriced |= {name for name in (_cloud("stt", event.stt), _cloud("tts", event.tts)) if name}
    return spent


def _model(event: events.ModelUsed, spent: Cost) -> None:
    spent.input_tokens += event.input_tokens
    spent.output_tokens += event.output_tokens
    if event.cost_usd is None:
        spent.unpriced.add(event.provider)
    else:
        spent.priced_usd += event.cost_usd


def _cloud(kind: providers.Kind, used: str) -> str:
    """The name of the speech provider that was used, unless it runs on this machine."""
    name = used.partition("/")[0].partition(":")[0]
    known = next((each for each in providers.providers() if (each.kind, each.name) == (kind, name)), None)
    return "" if not name or (known and known.offline) else name
