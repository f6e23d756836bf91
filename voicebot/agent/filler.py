"""What an agent says while it has nothing to say yet: the `filler` of an agent file's brain."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from voicebot.agent.values import Duration, OneOrMore, Part, Text


class Filler(Part):
    """What the caller hears while the agent has no answer yet. The conversation does not remember it."""

    after: Annotated[Duration, Field(ge=0.3, le=30)] = 1.1
    """How long it may be silent, counted from the caller's last word. While there is still no answer, a second filler
    comes after three times as long, and further ones after six times as long each."""
    say: OneOrMore[Text] = Field(default=[])
    """The sentences to choose from; without any, those that the agent's language comes with."""


def _off_or_on(value: Any) -> Any:
    """`false` is none at all, `true` is the default."""
    if isinstance(value, bool):
        return Filler() if value else None
    return value


Fillers = Annotated[Filler | None, BeforeValidator(_off_or_on, json_schema_input_type=bool | Filler)]
