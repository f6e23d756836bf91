"""The key `checks` of scenarios and suites: everything that can be declared about a call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from .budgets import Latency
from .claims import Claims
from .deeds import Called
from .disclosure import Verified
from .ending import Ending
from .guarded import Hit
from .limits import Length
from .manners import TurnTaking
from .sound import Audio, Hearing
from .stores import Expected, Records
from .values import Count, OneOrMore, Part, Pattern, Store, Text, facts_in
from .words import Said

_STANDS_ALONE = ("ended", "order")
"""Lists that are one statement: of two, the scenario's counts."""


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str | dict) else value


class Checks(Part):
    """What must be true of a call. The verdict is the product: one that fails, fails the call; so does one for which
    the call left nothing to look at."""

    ended: OneOrMore[Ending] = Field(default=[])
    """How the call may end; without it, in any way."""
    handed_over: bool | Text | None = None
    """Whether the caller must be passed on, or to whom: `reception`."""
    expect: list[Expected] = Field(default=[])
    """What must be in the tools' stores after the call."""
    never: list[Records] = Field(default=[])
    """What must not be there."""
    unchanged: OneOrMore[Store] = Field(default=[])
    """Files of the store that must be after the call as they were before it."""
    called: list[Called] = Field(default=[])
    """Tools that must be called."""
    not_called: OneOrMore[Text] = Field(default=[])
    """Tools that must not be called."""
    order: list[Text] = Field(default=[])
    """Tools that must run in this order; others may run between them."""
    most_calls: Count | None = None
    """Calls of tools in the whole call, at most."""
    said: Annotated[list[Said], BeforeValidator(_listed)] = Field(default=[])
    """What the caller must hear the agent say. A plain text is a pattern."""
    never_said: OneOrMore[Pattern] = Field(default=[])
    """What the caller must never hear: patterns."""
    verify_before: list[Verified] = Field(default=[])
    """What may be said or done only after the caller has shown who they are."""
    guardrails: Literal["none"] | list[Hit] | None = None
    """Guardrails that must strike, or `none`."""
    latency: Latency | None = None
    """How long the caller may have to wait."""
    turns: TurnTaking | None = None
    """Who speaks when."""
    audio: Audio | None = None
    """The health of the recording."""
    hearing: Hearing | None = None
    """How well the agent understands."""
    confusions: Count | None = None
    """Misunderstandings that the caller notices, at most."""
    length: Length | None = None
    """How long the call may take."""
    cost_usd: Annotated[float, Field(ge=0)] | None = None
    """What the call may cost, in US dollars."""
    judge: Claims | None = None
    """What a language model must find true, with a quotation for everything it says."""

    def __bool__(self) -> bool:
        """Whether anything is declared."""
        return any(value is not None and value != [] for value in dict(self).values())

    def plus(self, more: Checks | None) -> Checks:
        """These and `more`, which come from the suite: lists add up; where both give one figure, these count."""
        if more is None:
            return self
        return Checks.model_validate(_merged(_given(self), _given(more)))

    def tools(self) -> Iterator[str]:
        """The tools that are named in them."""
        yield from (each.tool for each in self.called)
        yield from (*self.not_called, *self.order)
        for rule in self.verify_before:
            yield from rule.call
            if rule.tool:
                yield rule.tool

    def facts(self) -> Iterator[str]:
        """The caller's facts that are named in them."""
        yield from facts_in(_given(self))
        for rule in self.verify_before:
            yield from rule.facts


def _given(checks: Checks) -> dict[str, Any]:
    return checks.model_dump(exclude_unset=True, by_alias=True)


def _merged(own: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    merged = dict(own)
    for key, value in more.items():
        mine = own.get(key)
        if isinstance(mine, dict) and isinstance(value, dict):
            merged[key] = _merged(mine, value)
        elif isinstance(mine, list) and isinstance(value, list) and key not in _STANDS_ALONE:
            merged[key] = mine + [each for each in value if each not in mine]
        elif mine is None:
            merged[key] = value
    return merged
