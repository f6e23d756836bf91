"""KPIs of many calls: each one definition over the facts of calls (`voicebot.store.facts`), with its n.

docs/kpis.md defines them with an example each. What was not measured has no value: None, never 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import duckdb

from voicebot.errors import BadInput, did_you_mean
from voicebot.store import kept

Unit = Literal["share", "ms", "usd"]
FEW = 10
"""A figure of fewer says so."""
TIME = "time, as the voice detector hears it"
"""The n of shares of time, in ms."""


@dataclass(frozen=True)
class Kpi:
    """`value` and `n` are SQL aggregates over the rows of one group."""

    name: str
    unit: Unit
    value: str
    n: str
    what: str
    of: str
    """What n counts."""


def _rate(name: str, hits: str, n: str, what: str, of: str) -> Kpi:
    """`hits` of `n`, pooled over all calls."""
    return Kpi(name, "share", f"({hits})::double / nullif({n}, 0)", n, what, of)


def _outcome(name: str, outcome: str, what: str) -> Kpi:
    return _rate(name, f"count(*) filter (outcome = '{outcome}')", "count(outcome)", what, "calls that came to an end")


def _percentile(name: str, q: float) -> Kpi:
    value = f"list_aggregate(flatten(list(v2v_ms)), 'quantile_cont', {q})"
    what = f"voice-to-voice latency that {round(q * 100)} of 100 answers keep to"
    return Kpi(name, "ms", value, "coalesce(sum(len(v2v_ms)), 0)", what, "answered turns")


KPIS: tuple[Kpi, ...] = (
    _outcome("containment", "contained", "the agent had the call to itself, to its end"),
    _rate(
        "completion",
        "count(*) filter (agent_has_a_task and completed)",
        "count(outcome) filter (agent_has_a_task)",
        "contained, and a task was done: the last tool worked, or the agent said goodbye",
        "calls that came to an end, of agents that have a task",
    ),
    _outcome("transfer", "transferred", "the caller was passed on to a person or a number"),
    _outcome("abandonment", "abandoned", "the caller left without an answer, or fell silent for good"),
    _outcome("failure", "failed", "the call broke, was lost, or was ended for its cost"),
    _rate("silence", "sum(silent_ms)", "sum(duration_s * 1000) filter (silent_ms is not null)", "nobody spoke", TIME),
    _rate("talk", "sum(agent_ms)", "sum(agent_ms + caller_ms)", "the agent's part of all that was spoken", TIME),
    _rate("interruption", "sum(interrupted)", "sum(replies)", "the caller cut the agent off", "replies"),
    _rate("repeat", "sum(repeats)", "sum(turns)", "the caller did not hear or understand the agent", "caller turns"),
    _percentile("v2v_p50", 0.5),
    _percentile("v2v_p95", 0.95),
    _rate("tools", "sum(tools_ok)", "sum(tools)", "tools that did what was asked of them", "tool calls"),
    Kpi("cost", "usd", "avg(cost_usd)", "count(cost_usd)", "US dollars a call", "calls with all prices known"),
    Kpi(
        "cost_contained",
        "usd",
        "sum(cost_usd) / nullif(count(*) filter (outcome = 'contained' and cost_usd is not null), 0)",
        "count(*) filter (outcome = 'contained' and cost_usd is not null)",
        "US dollars spent on all calls, for each that was contained",
        "contained calls with all prices known",
    ),
    Kpi(
        "cost_completed",
        "usd",
        "sum(cost_usd) / nullif(count(*) filter (agent_has_a_task and completed and cost_usd is not null), 0)",
        "count(*) filter (agent_has_a_task and completed and cost_usd is not null)",
        "US dollars spent on all calls, for each that was completed",
        "completed calls with all prices known",
    ),
)

GROUPS = {
    "agent": "agent",
    "day": "day",
    "week": "strftime(date_trunc('week', day::date), '%Y-%m-%d')",
    "month": "left(day, 7)",
    "hour": "substr(started_at, 12, 2)",
    "version": "left(agent_sha256, 8)",
    "transport": "transport",
    "caller": "caller",
    "outcome": "coalesce(outcome, 'none')",
    "ended": "coalesce(ended, 'none')",
    "stt": "stt",
    "tts": "tts",
    "brain": "brain",
    "clock": "clock",
}
"""What calls can be grouped by. Days and hours are those of the place where the call was answered."""


@dataclass(frozen=True)
class Figure:
    value: float | None
    """None when nothing was measured. A share is between 0 and 1."""
    n: int


@dataclass(frozen=True)
class Row:
    """One group of calls."""

    group: dict[str, str]
    calls: int
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Question:
    by: Sequence[str] = ()
    kpis: Sequence[str] = ()
    """Names; all when there are none."""
    since: datetime | None = None
    where: str = ""
    """A condition in SQL over the columns of `facts`."""


def chosen(names: Sequence[str]) -> list[Kpi]:
    """The KPIs of these names, all without any. Raises BadInput."""
    known = {kpi.name: kpi for kpi in KPIS}
    for name in names:
        if name not in known:
            raise BadInput(f"no KPI '{name}'.{did_you_mean(name, known)}")
    return [known[name] for name in names] or list(KPIS)


def ask(calls: Path, question: Question) -> list[Row]:
    """One row a group, in their order; a single one without groups. Raises BadInput."""
    kpis = chosen(question.kpis)
    with kept.connect(calls) as db:
        try:
            found = db.execute(_query(kpis, question), _parameters(question)).fetchall()
        except duckdb.Error as error:
            raise BadInput(f"--where: {str(error).splitlines()[0]}") from None
    groups = len(question.by)
    return [_row(question.by, row[:groups], row[groups:], kpis) for row in found]


def _row(by: Sequence[str], group: Sequence[object], rest: Sequence[object], kpis: Sequence[Kpi]) -> Row:
    calls, *pairs = rest
    figures = {}
    for kpi, value, n in zip(kpis, pairs[::2], pairs[1::2], strict=True):
        figures[kpi.name] = Figure(None if value is None else float(str(value)), round(float(str(n or 0))))
    return Row(dict(zip(by, map(str, group), strict=True)), int(str(calls)), figures)


def _query(kpis: Sequence[Kpi], question: Question) -> str:
    for name in question.by:
        if name not in GROUPS:
            raise BadInput(f"calls cannot be grouped by '{name}'.{did_you_mean(name, GROUPS)}")
    groups = [f'{GROUPS[name]} as "by {name}"' for name in question.by]
    figures = [f"{kpi.value}, {kpi.n}" for kpi in kpis]
    numbers = ", ".join(str(place) for place in range(1, len(groups) + 1))
    conditions = [f"({question.where}\n)"] if question.where.strip() else []
    conditions += ["started_at::timestamptz >= ?"] if question.since else []
    columns = ", ".join([*groups, "count(*)", *figures])
    asked = "(select *, bool_or(has_a_task) over (partition by agent) as agent_has_a_task from facts)"
    query = f"select {columns} from {asked}"  # noqa: S608 - our own SQL; the user's condition sees a closed copy
    query += f"\nwhere {' and '.join(conditions)}" if conditions else ""
    return query + (f"\ngroup by {numbers} order by {numbers}" if groups else "")


def _parameters(question: Question) -> list[str]:
    return [question.since.isoformat()] if question.since else []


_AGO = re.compile(r"(\d{1,5})\s*(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def since(text: str, now: datetime | None = None) -> datetime:
    """'7d', '24h', '2w' ago, or from the beginning of a day '2026-11-23' or a moment of it. Raises BadInput."""
    now = now or datetime.now().astimezone()
    if match := _AGO.fullmatch(text.strip()):
        return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(f"'{text}' is no time. Write 7d, 24h, 2w, or a date: 2026-11-23.") from None
    return moment if moment.tzinfo else moment.astimezone()
