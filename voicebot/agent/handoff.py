"""Who takes the call when the agent passes it on: the `handoff` of an agent file."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from voicebot.agent.values import Duration, Part, Text

MAX_AGENTS = 12
"""How many agents one call can go through."""


class Warm(Part):
    """How somebody is asked whether they take a call. See docs/transfer.md."""

    ring: Annotated[Duration, Field(ge=5, le=120)] = 25.0
    """How long their telephone rings."""
    brief: Text | None = None
    """What they hear first. `{reason}` is what the agent says of it, `{caller}` who calls, `{said}` what the caller
    said last; every slot of a flow can be named, too. Without it, all of that is told in the agent's language."""
    sorry: Text = "I am sorry, nobody can take your call right now. What else can I do for you?"
    """What the agent says to the caller when nobody takes the call; then the conversation goes on."""


def _as_warm(value: Any) -> Any:
    return {} if value is True else None if value is False else value


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
    warm: Annotated[Warm | None, BeforeValidator(_as_warm, json_schema_input_type=bool | Warm)] = None
    """`true`, or settings: on the telephone the caller waits to music while the other side is called, told who calls,
    and asked whether they take it. Otherwise the call is dialled on, and leaves the agent at once."""


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Handoffs = Annotated[list[Handoff], BeforeValidator(_as_list, json_schema_input_type=Handoff | list[Handoff])]
