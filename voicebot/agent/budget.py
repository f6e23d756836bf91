"""What calls may cost: the `budget` of an agent file."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from voicebot.agent.values import Part, Text

Dollars = Annotated[float, Field(gt=0, le=1_000_000)]


class Budget(Part):
    """What calls may cost, in US dollars, by the table of prices. When it is spent, the agent says so and hangs up."""

    call: Dollars | None = None
    """One call of this agent."""
    day: Dollars | None = None
    """All calls of this agent from midnight to midnight of this machine, in whatever processes of it. Simulated calls
    are not counted."""
    warn: Annotated[float, Field(gt=0, le=1)] = 0.8
    """The share of either from which on a `budget_reached` event warns."""
    say: Text | None = None
    """The words with which the agent ends a call that has become too expensive; without any, those that its language
    comes with."""

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.call is None and self.day is None:
            raise ValueError("say what may be spent, in US dollars: 'call', 'day' or both.")
        return self
