"""What a call comes to, in one row: the figures of which KPIs are made, as functions of its events (facts.sql)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import duckdb
import yaml

from voicebot.money.prices import Prices, SpeechKind
from voicebot.turns.silence import SILENCES

PATIENCE_MS = 5000
"""Whoever waits no longer for an answer to their last words has said goodbye, as for the response rate of evals."""
HESITATION_MS = 2000
"""A pause of the agent's, at a sound of the caller's, from which it goes on within this time is part of its speech."""

FIELDS = (
    *("type", "t_ms", "lag_ms", "turn", "agent", "agent_sha256", "started_at", "transport", "caller", "rate_hz"),
    *("clock", "stt", "tts", "brain", "speech_start_ms", "speech_end_ms", "text", "reason", "detail", "decided_ms"),
    *("decided_lag_ms", "starts_ms", "filler", "interrupted", "ok", "times", "provider", "kind", "input_tokens"),
    *("cached_tokens", "output_tokens", "cost_usd", "seconds", "characters", "heard"),
)
"""The fields of events that the facts are made of. To read no others is faster."""

TYPES = (
    *("call_started", "caller_speech_started", "caller_speech_stopped", "turn_ended", "agent_speech_started"),
    *("agent_saying", "agent_paused", "agent_resumed", "agent_speech_stopped", "tool_returned", "provider_failed"),
    *("model_used", "speech_used", "caller_silent", "call_ended"),
)
"""The events that they are made of."""

_TABLES = """
create table token_prices (provider varchar, input double, cached double, output double, longest_prompt bigint);
create table speech_prices (kind varchar, provider varchar, minute double, thousand_characters double);
create table line_prices (transport varchar, minute double);
"""


def definition() -> str:
    """All that decides what the facts are, but for prices: when it changes, they are to be made again."""
    return "\n".join([_TABLES, *_macros(), _sql()])


def create(db: duckdb.DuckDBPyConnection, table: Prices, *, at_once: bool = False) -> None:
    """The view `facts`, and what it is made of, over `events` and `answers`. With `at_once` the part that it needs more
    than once is made now."""
    db.execute(_TABLES)
    _fill(db, "token_prices", _token_prices(db, table))
    _fill(db, "speech_prices", _speech_prices(db, table))
    _fill(db, "line_prices", _line_prices(db, table))
    views = _sql().replace("create view speech", "create table speech") if at_once else _sql()
    for statement in [*_macros(), views]:
        db.execute(statement)


@cache
def _sql() -> str:
    return (files("voicebot.store") / "facts.sql").read_text(encoding="utf-8")


@cache
def _macros() -> list[str]:
    plain = "trim(regexp_replace(lower(replace(said, chr(8217), '''')), '[^a-z0-9'']+', ' ', 'g'))"
    return [
        f"create macro patience_ms() as {PATIENCE_MS}",
        f"create macro hesitation_ms() as {HESITATION_MS}",
        f"create macro silences() as {SILENCES}",
        f"create macro asks_again(said) as regexp_full_match({plain}, '{_again()}')",
    ]


def _again() -> str:
    """A pattern of turns that say the caller did not hear or understand the agent, and nothing else."""
    acts = yaml.safe_load((files("voicebot") / "brain" / "nlu" / "acts.yaml").read_text(encoding="utf-8"))
    beside = "|".join([*acts["filler"], "sorry", "i'm sorry"])
    again = "|".join(acts["repeat"])
    return f"(?:(?:{beside}) )*(?:{again})(?: (?:{again}|{beside}))*".replace("'", "''")


def _fill(db: duckdb.DuckDBPyConnection, name: str, rows: Iterator[tuple[object, ...]]) -> None:
    for row in list(rows):
        db.execute(f"insert into {name} values ({', '.join('?' * len(row))})", row)  # noqa: S608 - our own names


def _token_prices(db: duckdb.DuckDBPyConnection, table: Prices) -> Iterator[tuple[object, ...]]:
    for name in _distinct(db, "provider", "model_used"):
        if price := table.model(name):
            cached = price.input if price.cached is None else price.cached
            yield name, price.input, cached, price.output, price.longest_prompt


def _speech_prices(db: duckdb.DuckDBPyConnection, table: Prices) -> Iterator[tuple[object, ...]]:
    kinds: tuple[SpeechKind, ...] = ("stt", "tts")
    for kind in kinds:
        for name in {*_distinct(db, kind, "call_started"), *_distinct(db, "provider", "speech_used")}:
            if price := table.speech(kind, name):
                yield kind, name, price.minute or 0.0, price.thousand_characters or 0.0


def _line_prices(db: duckdb.DuckDBPyConnection, table: Prices) -> Iterator[tuple[object, ...]]:
    for name in _distinct(db, "transport", "call_started"):
        if price := table.line(name):
            yield name, price.minute


def _distinct(db: duckdb.DuckDBPyConnection, field: str, kind: str) -> list[str]:
    query = f"select distinct {field} from events where type = ? and {field} <> ''"  # noqa: S608 - our own names
    return [name for (name,) in db.execute(query, [kind]).fetchall()]
