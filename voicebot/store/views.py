"""SQL over the records of calls: DuckDB reads the call folders as they are, no import step and no lock.

The tables hold what the files said when the connection was opened; after that the connection has no access to any
file, and its settings are locked, so a query can only read.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, Literal, Self, get_args, get_origin

import duckdb

from voicebot.events import Event
from voicebot.money.prices import prices
from voicebot.store import facts
from voicebot.store.calls import EVENTS
from voicebot.store.gather import gathered

READERS = min(4, os.cpu_count() or 1)
"""Files that are read at the same time."""

VIEWS = {
    "calls": "one row a call: who, when, how long, how it ended, p50 and p95 of its voice-to-voice latency",
    "turns": "one row a caller turn: what was said both ways, its latency and the stages of it",
    "tools": "one row a tool that answered: in which turn, whether it did its work, how long it took, in what tries",
    "models": "one row a language model of a call: answers, tokens, and what they cost by the price table",
    "facts": "one row a call: what KPIs are made of, see docs/kpis.md: outcome, talk and silence, tools, cost by part",
    "events": "one row an event, all fields of all events",
}

EXAMPLES = (
    "select call, agent, round(v2v_p50_ms) as p50 from calls order by started_at desc limit 10",
    "select quantile_cont(v2v_ms, [0.5, 0.95]) as p50_p95, count(v2v_ms) as n from turns",
    "select name, count(*) as n, avg(ok::int) as success, median(duration_ms) as ms from tools group by name",
)

# Mirrors voicebot.latency (waterfalls, real_ms, heard_ms), which a test holds it to: per turn the last mark before the
# first sound of the answer, each clamped between the one before it and that sound, so that the stages add up to v2v_ms.
ANSWERS = """
create view answers as
with timed as (
    select *, t_ms + coalesce(lag_ms, 0) as real_ms,
        starts_ms + greatest(0, coalesce(lag_ms, 0) - greatest(0, starts_ms - t_ms)) as heard_ms from events
), ended as (
    select call, turn, min(seq) as first_seq from events where type = 'turn_ended' and turn > 0 group by call, turn
), answered as (
    select e.call, e.turn, min(e.seq) as seq from events e join ended using (call, turn)
    where e.type in ('agent_speech_started', 'agent_saying') and not coalesce(filler, false) and e.seq > first_seq
    group by e.call, e.turn
), marks as (
    select e.call, e.turn,
        arg_max(e.text, e.seq) filter (type = 'turn_ended') as said,
        arg_max(e.reason, e.seq) filter (type = 'turn_ended') as reason,
        arg_max(e.speech_end_ms, e.seq) filter (type = 'turn_ended') as speech_end_ms,
        arg_max(real_ms, e.seq) filter (type = 'caller_speech_stopped') as stopped,
        arg_max(real_ms, e.seq) filter (type = 'transcript_final') as transcribed,
        arg_max(e.decided_ms + coalesce(e.decided_lag_ms, 0), e.seq) filter (type = 'turn_ended') as decided,
        arg_max(real_ms, e.seq) filter (type = 'first_token') as token,
        arg_max(real_ms, e.seq) filter (type = 'first_clause') as clause,
        arg_max(real_ms, e.seq) filter (type = 'first_audio') as audio,
        arg_min(real_ms, e.seq) filter (type = 'agent_speech_started' and filler) as filler
    from timed e join ended using (call, turn) left join answered a using (call, turn)
    where a.seq is null or e.seq < a.seq group by e.call, e.turn
), began as (
    select e.call, e.turn, coalesce(e.heard_ms, e.real_ms) as at_ms
    from timed e join answered a on e.call = a.call and e.seq = a.seq
)
select m.*, b.at_ms - m.speech_end_ms as v2v_ms from marks m left join began b using (call, turn)
"""

_TURNS = """
create view turns as
with replies as (
    select call, turn,
        string_agg(heard, ' ' order by seq) filter (type = 'agent_speech_stopped') as agent_heard,
        coalesce(bool_or(interrupted) filter (type = 'agent_speech_stopped'), false) as interrupted,
        count(*) filter (type = 'tool_returned') as tools,
        sum(input_tokens) as input_tokens, sum(cached_tokens) as cached_tokens, sum(output_tokens) as output_tokens,
        sum(cost_usd) as cost_usd
    from events where turn > 0 group by call, turn
), path as (
    select *,
        least(greatest(0, coalesce(stopped - speech_end_ms, 0)), v2v_ms) as p1,
        least(greatest(p1, decided - speech_end_ms), v2v_ms) as p2,
        least(greatest(p2, coalesce(transcribed - speech_end_ms, 0)), v2v_ms) as p3,
        least(greatest(p3, coalesce(token - speech_end_ms, 0)), v2v_ms) as p4,
        least(greatest(p4, coalesce(clause - speech_end_ms, 0)), v2v_ms) as p5,
        least(greatest(p5, coalesce(audio - speech_end_ms, 0)), v2v_ms) as p6
    from answers where v2v_ms >= 0
)
select v.call, v.turn, v.said as caller, r.agent_heard as agent, r.interrupted, r.tools, v.reason as end_of_turn,
    v.speech_end_ms, v.v2v_ms, p.p1 as silence_ms, p.p2 - p.p1 as turn_ms, p.p3 - p.p2 as stt_ms,
    p.p4 - p.p3 as brain_ms, p.p5 - p.p4 as clause_ms, p.p6 - p.p5 as voice_ms, p.v2v_ms - p.p6 as playback_ms,
    v.filler - v.speech_end_ms as filler_ms, r.input_tokens, r.cached_tokens, r.output_tokens, r.cost_usd
from answers v left join path p using (call, turn) left join replies r using (call, turn)
order by v.call, v.turn
"""

_TOOLS = """
create view tools as
select call, turn, t_ms, name, ok, duration_ms, coalesce(attempts, 1) as attempts
    from events where type = 'tool_returned' order by call, seq
"""

_CALLS = """
create view calls as
with one as (
    select call,
        any_value(agent) filter (type = 'call_started') as agent,
        any_value(caller) filter (type = 'call_started') as caller,
        any_value(try_cast(started_at as timestamptz)) filter (type = 'call_started') as started_at,
        any_value(transport) filter (type = 'call_started') as transport,
        any_value(stt) filter (type = 'call_started') as stt,
        any_value(tts) filter (type = 'call_started') as tts,
        any_value(brain) filter (type = 'call_started') as brain,
        any_value(clock) filter (type = 'call_started') as clock,
        max(t_ms) / 1000 as duration_s,
        count(*) filter (type = 'tool_called') as tools,
        count(*) filter (type = 'barge_in') as barge_ins,
        count(*) filter (type = 'provider_failed') as provider_failures,
        arg_max(reason, seq) filter (type = 'call_ended') as ended,
        sum(input_tokens) as input_tokens,
        sum(output_tokens) as output_tokens,
        sum(cost_usd) as cost_usd,
        any_value(agent_sha256) filter (type = 'call_started') as agent_sha256
    from events group by call
), latency as (
    select call, count(*) as turns, count(v2v_ms) as answered, quantile_cont(v2v_ms, 0.5) as v2v_p50_ms,
        quantile_cont(v2v_ms, 0.95) as v2v_p95_ms
    from turns group by call
)
select call, started_at, agent, caller, transport, duration_s, coalesce(turns, 0) as turns,
    coalesce(answered, 0) as answered, v2v_p50_ms, v2v_p95_ms, tools, barge_ins, provider_failures, ended,
    input_tokens, output_tokens, cost_usd, stt, tts, brain, clock, agent_sha256
from one left join latency using (call) order by started_at
"""

# A sum of costs is what is known of them: `unpriced` says how many answers it lacks.
_MODELS = """
create view models as
select call, provider, count(*) as answers, count(*) filter (estimated) as estimated,
    sum(input_tokens) as input_tokens, sum(cached_tokens) as cached_tokens, sum(output_tokens) as output_tokens,
    sum(cost_usd) as cost_usd, count(*) filter (cost_usd is null) as unpriced
from events where type = 'model_used' group by call, provider order by call, provider
"""


def connect(calls: Path) -> duckdb.DuckDBPyConnection:
    """An in-memory database with the views of VIEWS over the records in `calls`; an empty folder gives empty views.

    Raises BadInput for a wrong prices.yaml in the project.
    """
    db = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    try:
        load_events(db, sorted(calls.glob(f"*/{EVENTS}")))
        db.execute(ANSWERS)
        db.execute(_TURNS)
        db.execute(_TOOLS)
        db.execute(_CALLS)
        db.execute(_MODELS)
        facts.create(db, prices(calls.parent))
        db.execute("set enable_external_access = false")
        db.execute("set lock_configuration = true")
    except BaseException:
        db.close()
        raise
    return db


def load_events(
    db: duckdb.DuckDBPyConnection, logs: Sequence[Path], fields: Collection[str] = (), types: Collection[str] = ()
) -> None:
    """A table `events` of these logs. With `fields`, it has those alone, the events of `types` alone, and `call` is the
    place in `logs`: what it takes is less by half."""
    kinds = {name: kind for name, kind in columns().items() if not fields or name in fields}
    names = ", ".join(f'"{name}"' for name in kinds)
    declared = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
    call = "integer" if fields else "varchar"
    wanted = f"type in ({', '.join(map(repr, types))})" if types else "type is not null"
    db.execute(f"create table lines (call {call}, {declared})")
    db.execute(f"create view events as select call, rowid as seq, {names} from lines")  # noqa: S608 - names of our own fields
    # Rows of a line cut in half are all NULL with ignore_errors: a record may end anywhere.
    insert = f"""insert into lines select call, {names}
        from read_json(?, format = 'newline_delimited', columns = ?, ignore_errors = true)
        where {wanted}"""  # noqa: S608 - names of our own event fields, never a user's text
    without = sorted(event_types() - set(types)) if types else ()
    with tempfile.TemporaryDirectory(prefix="voicebot-") as folder, _Readers(db) as readers:
        for piece in gathered(logs, Path(folder), numbered=bool(fields), without=without):
            readers.execute(insert, [str(piece), {"call": call, **kinds}])


class _Readers:
    """Statements side by side, each on a thread, while the next one is made ready. Their order among themselves is that
    of chance. At the end all are done; one that failed raises."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        (self._catalog,) = db.execute("select current_catalog()").fetchone() or ("memory",)
        self._db = db
        self._threads = ThreadPoolExecutor(READERS, "duckdb")
        self._begun: list[Future[None]] = []

    def execute(self, statement: str, parameters: list[object]) -> None:
        self._begun.append(self._threads.submit(self._execute, self._db.cursor(), statement, parameters))

    def _execute(self, db: duckdb.DuckDBPyConnection, statement: str, parameters: list[object]) -> None:
        with db:
            db.execute(f'use "{self._catalog}"')
            db.execute(statement, parameters)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()
        for each in self._begun:
            each.result()


@cache
def columns() -> dict[str, str]:
    """Every field of every event with its SQL type; read from the event models, so a new event is there at once."""
    union = get_args(Event)[0]
    found: dict[str, str] = {"type": "VARCHAR", "t_ms": "DOUBLE", "turn": "BIGINT"}
    for model in get_args(union):
        for name, info in model.model_fields.items():
            found.setdefault(name, _sql_type(info.annotation))
    return found


def event_types() -> set[str]:
    """Of every event there is."""
    return {get_args(model.model_fields["type"].annotation)[0] for model in get_args(get_args(Event)[0])}


def _sql_type(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return _sql_type(type(get_args(annotation)[0]))
    kinds = [kind for kind in get_args(annotation) or (annotation,) if kind is not NoneType]
    plain = {str: "VARCHAR", bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE"}
    return plain.get(kinds[0], "JSON") if len(kinds) == 1 else "JSON"
