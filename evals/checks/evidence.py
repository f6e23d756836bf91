"""What checks look at: one call's facts, events and figures, as a person at the line would tell them.

`lines` is what the caller heard of the agent, clause by clause with its time; `utterances` is what the caller said
(the truth of a simulated caller where there is one, else what the agent understood); `tools` is every tool run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal

from voicebot import events
from voicebot.errors import did_you_mean
from voicebot.evals.measures import Measures
from voicebot.evals.trial import Trial
from voicebot.personas import facts as spoken

from .values import PLACE, Value

_NEVER = "(?!)"
"""The pattern that nothing matches."""


class Unknown(ValueError):
    """A check asks for something that is not there; the check fails."""


@dataclass(frozen=True)
class Line:
    """Words of one side, with where in the call they begin."""

    who: Literal["agent", "caller"]
    text: str
    at_ms: float
    turn: int = 0


@dataclass(frozen=True)
class ToolRun:
    """A tool that was called, and what came of it."""

    name: str
    arguments: Mapping[str, Any]
    at_ms: float
    ok: bool | None = None
    """None while there was no answer."""
    result: Any = None
    returned_ms: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """One call, to be judged."""

    trial: Trial
    measures: Measures = field(default_factory=Measures)
    ways: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Fact -> how this caller puts it, beside its value."""

    @property
    def facts(self) -> Mapping[str, str]:
        return self.trial.facts

    def fact(self, name: str) -> str:
        """What the caller wanted. Raises Unknown."""
        if name not in self.facts:
            raise Unknown(f"the caller has no fact '{name}'.{did_you_mean(name, self.facts)}")
        return self.facts[name]

    def filled(self, value: Value) -> Value:
        """`{fact}` in a text replaced by the fact itself. Raises Unknown."""
        return PLACE.sub(lambda place: self.fact(place[1]), value) if isinstance(value, str) else value

    def filled_all(self, value: Any) -> Any:
        """The same in every text of a list or mapping."""
        if isinstance(value, dict):
            return {key: self.filled_all(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.filled_all(inner) for inner in value]
        return self.filled(value)

    def search(self, pattern: str, text: str) -> str | None:
        """The first words of `text` that match; `{fact}` is any way to say it. Raises Unknown.

        The text is searched as it stands and with its numbers as digits: "one two" is found as '1 2', too.
        """
        for version in (text, spoken.plain(text)):
            ready = PLACE.sub(lambda place: self._said_as(place[1], version), pattern)  # noqa: B023 - used at once
            found = re.search(ready, version, re.IGNORECASE)
            if found:
                return found[0] or version
        return None

    def says_fact(self, name: str, text: str) -> bool:
        """Whether `text` holds the fact. Raises Unknown."""
        return any(re.search(self._said_as(name, one), one, re.IGNORECASE) for one in (text, spoken.plain(text)))

    def _said_as(self, name: str, text: str) -> str:
        """A pattern of all the ways in which `text` may say the fact."""
        value = self.fact(name)
        plain = spoken.plain(text)
        words = [value, *self.ways.get(name, ())]
        ways = [rf"\b{re.escape(each)}\b" for one in words for each in dict.fromkeys((one, spoken.plain(one))) if each]
        for kind in _kinds(value):
            read = spoken.read(kind, plain, today=self.today)
            ways += [re.escape(mention.text) for mention in read if value in mention.values]
        return f"(?:{'|'.join(ways) or _NEVER})"

    @cached_property
    def today(self) -> date:
        started = next((e.started_at for e in self.events if isinstance(e, events.CallStarted)), "")
        return datetime.fromisoformat(started).date() if started else date.today()

    @property
    def events(self) -> list[events.Event]:
        return self.trial.events

    @cached_property
    def lines(self) -> list[Line]:
        """What the caller heard of the agent, in clauses where the call tells them, in order of time."""
        lines: list[Line] = []
        clauses: list[events.AgentSaying] = []
        for event in self.events:
            if isinstance(event, events.AgentSaying):
                clauses.append(event)
            elif isinstance(event, events.AgentSpeechStopped):
                lines += _heard(event, clauses)
                clauses = []
        return lines

    @cached_property
    def utterances(self) -> list[Line]:
        """What the caller said, with where it was over."""
        truth = [Line("caller", s.text, s.ends_ms) for s in self.trial.sounds if s.kind == "speech" and s.text]
        understood = (e for e in self.events if isinstance(e, events.TurnEnded))
        return truth or [Line("caller", e.text, e.speech_end_ms, e.turn) for e in understood]

    @cached_property
    def tools(self) -> list[ToolRun]:
        returned = {e.id: e for e in self.events if isinstance(e, events.ToolReturned)}
        return [_run(e, returned.get(e.id)) for e in self.events if isinstance(e, events.ToolCalled)]

    @property
    def talked(self) -> bool:
        """Whether there is a record of this call at all."""
        return bool(self.events)

    def transcript(self) -> list[Line]:
        """Both sides, in order of time."""
        return sorted([*self.lines, *self.utterances], key=lambda line: line.at_ms)


def _run(called: events.ToolCalled, returned: events.ToolReturned | None) -> ToolRun:
    if returned is None:
        return ToolRun(called.name, called.arguments, called.t_ms)
    return ToolRun(called.name, called.arguments, called.t_ms, returned.ok, returned.result, returned.t_ms)


def _heard(stopped: events.AgentSpeechStopped, clauses: Iterable[events.AgentSaying]) -> list[Line]:
    """The clauses of one reply as far as they were heard; the reply in one piece where the clauses do not fit."""
    left = stopped.heard
    lines = []
    first_ms = stopped.t_ms
    for clause in clauses:
        first_ms = min(first_ms, clause.starts_ms)
        text = _common(left, clause.text)
        if text:
            lines.append(Line("agent", text, clause.starts_ms, stopped.turn))
            left = left[len(text) :].lstrip()
    if left:
        return [Line("agent", stopped.heard, first_ms, stopped.turn)]
    return lines


def _common(left: str, clause: str) -> str:
    clause = clause.strip()
    if left.startswith(clause):
        return clause
    return left if left and clause.startswith(left) else ""


def _kinds(value: str) -> list[spoken.Kind]:
    """As what the value of a fact can be read out of a sentence."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value) or value.casefold() in spoken.WEEKDAYS:
        return ["day"]
    if re.fullmatch(r"\d\d:\d\d", value):
        return ["time"]
    return ["digits"] if re.fullmatch(r"\d{3,}", value) else []
