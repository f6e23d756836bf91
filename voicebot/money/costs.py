"""What a call cost: events in, dollars out, part by part.

Of what has a cost in its event, that counts: it was made by the prices of its day. The rest is priced by the table
that is given. Records from before speech was told (`speech_used`) are estimated by what was heard and said in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from voicebot.events import (
    AgentSaying,
    CallEnded,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallStarted,
    Event,
    ModelUsed,
    SpeechUsed,
)
from voicebot.money.prices import Prices, SpeechKind, Tokens

Kind = Literal["llm", "stt", "tts", "telephony"]


@dataclass(frozen=True)
class Cost:
    """One thing that was used."""

    kind: Kind
    provider: str
    usd: float | None
    """None: it has no price."""
    turn: int = 0
    """The caller's turn that it was for; 0 is the greeting, and the telephone."""
    seconds: float = 0.0
    characters: int = 0


def costs(told: Sequence[Event], table: Prices) -> list[Cost]:
    """Everything that was used, in order, the telephone last."""
    found = [_model(event, table) for event in told if isinstance(event, ModelUsed)]
    speech = [event for event in told if isinstance(event, SpeechUsed)]
    begun = next((event for event in told if isinstance(event, CallStarted)), None)
    if speech:
        found += [_speech(event, table) for event in speech]
    elif begun and begun.rate_hz:
        found += _untold(begun, told, table)
    if begun and (line := table.line(begun.transport)):
        seconds = max(event.t_ms for event in told) / 1000
        found.append(Cost("telephony", begun.transport, line.cost_usd(seconds), seconds=seconds))
    return found


def total_usd(found: Sequence[Cost]) -> float | None:
    """None when something that was used has no price: a part of the cost is not the cost."""
    known = [each.usd for each in found if each.usd is not None]
    return sum(known) if len(known) == len(found) else None


def by_turn(found: Sequence[Cost]) -> dict[int, list[Cost]]:
    """What each turn of the caller's took; `total_usd` adds it up."""
    turns: dict[int, list[Cost]] = {}
    for each in found:
        turns.setdefault(each.turn, []).append(each)
    return dict(sorted(turns.items()))


def _model(event: ModelUsed, table: Prices) -> Cost:
    usd = event.cost_usd
    if usd is None and (price := table.model(event.provider)):
        usd = price.cost_usd(Tokens(event.input_tokens, event.output_tokens, event.cached_tokens))
    return Cost("llm", event.provider, usd, event.turn)


def _speech(event: SpeechUsed, table: Prices) -> Cost:
    usd = event.cost_usd
    if usd is None and (price := table.speech(event.kind, event.provider)):
        usd = price.cost_usd(event.seconds, event.characters)
    return Cost(event.kind, event.provider, usd, event.turn, event.seconds, event.characters)


def _untold(begun: CallStarted, told: Sequence[Event], table: Prices) -> list[Cost]:
    """By its ears and its voice, as the first event names them."""
    characters = sum(len(event.text) for event in told if isinstance(event, AgentSaying))
    used: tuple[tuple[SpeechKind, str, float, int], ...] = (
        ("stt", begun.stt, caller_speech_s(told), 0),
        ("tts", begun.tts, 0.0, characters),
    )
    found = []
    for kind, provider, seconds, letters in used:
        if provider:
            price = table.speech(kind, provider)
            usd = price.cost_usd(seconds, letters) if price else None
            found.append(Cost(kind, provider, usd, seconds=seconds, characters=letters))
    return found


def caller_speech_s(told: Sequence[Event]) -> float:
    """How long the caller spoke, pauses within a turn included."""
    stretches: list[list[float]] = []
    for event in told:
        if isinstance(event, CallerSpeechStarted):
            stretches.append([event.speech_start_ms])
        elif isinstance(event, CallerSpeechStopped) and stretches:
            stretches[-1].append(event.speech_end_ms)
        elif isinstance(event, CallEnded) and stretches and len(stretches[-1]) == 1:
            stretches[-1].append(event.t_ms)
    return sum(max(ends) - start for start, *ends in stretches if ends) / 1000
