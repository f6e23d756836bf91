"""What the language models of a call used: events in, tokens and dollars out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from voicebot.events import Event, ModelUsed


@dataclass(frozen=True)
class Spending:
    """Sums over the answers of language models."""

    answers: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    """Of the answers that have a price."""
    unpriced: int = 0
    """Answers whose model has no price in the table."""
    estimated: int = 0
    """Answers whose tokens nobody counted."""

    def __str__(self) -> str:
        """'1240 tokens in (1000 cached), 35 out, $0.0006': '~' where some are estimated, '+' where a price lacks."""
        about = "~" if self.estimated else ""
        cached = f" ({self.cached_tokens} cached)" if self.cached_tokens else ""
        tokens = f"{about}{self.input_tokens} tokens in{cached}, {self.output_tokens} out"
        if self.unpriced == self.answers:
            return f"{tokens}, no price known"
        return f"{tokens}, {about}${self.cost_usd:.4f}{'+' if self.unpriced else ''}"


def spending(events: Iterable[Event]) -> Spending | None:
    """None when no language model was asked."""
    used = [event for event in events if isinstance(event, ModelUsed)]
    if not used:
        return None
    return Spending(
        answers=len(used),
        input_tokens=sum(event.input_tokens for event in used),
        cached_tokens=sum(event.cached_tokens for event in used),
        output_tokens=sum(event.output_tokens for event in used),
        cost_usd=sum(event.cost_usd or 0.0 for event in used),
        unpriced=sum(event.cost_usd is None for event in used),
        estimated=sum(event.estimated for event in used),
    )
