"""Who takes the call when the agent passes it on: the `handoff` of an agent file."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from voicebot.agent.values import Part, Text

MAX_AGENTS = 12
"""How many agents one call can go through."""


class Handoff(Part):
    """Who takes the call when the agent passes it on. Several are written as a list."""

    to: Text
    """Whom the caller is put through to, as the call's record names them: a person, a desk or a number."""
    say: Text = "One moment, I will put you through."
    """What the agent says before it passes the caller on."""
    when: Text | None = None
    """When the model shall choose this one, for example "questions about an invoice"."""
    agent: Text | None = None
    """The file of another agent of the project, for example `agents/billing.yaml`: it goes on with the same call, with
    its own voice, and knows what was said. Without it the call leaves the agent."""


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Handoffs = Annotated[list[Handoff], BeforeValidator(_as_list, json_schema_input_type=Handoff | list[Handoff])]
