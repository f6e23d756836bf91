"""`voicebot calls`: the recorded calls of a project; list them, read one, hear one, take one elsewhere."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .calls_kpis import kpis
from .help import Command, Group
from .options import Json, NoColor, Project, Quiet

if TYPE_CHECKING:
    from voicebot.store.calls import CallRecord

    from .terminal import Screen

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Recorded calls: list, read, hear, trace, export.

    \b
    Examples:
      voicebot calls list
      voicebot calls show last
      voicebot calls play last --from-turn 3
      voicebot calls trace last
      voicebot calls export last --format srt
      voicebot calls kpis --by agent,day --since 7d
    """,
)

Which = Annotated[str, typer.Argument(metavar="CALL", help="'last', an id or its beginning, or a call's folder.")]


class Format(StrEnum):
    txt = "txt"
    json = "json"
    srt = "srt"
    wav = "wav"


@app.command("list", cls=Command)
def list_(
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="How many, the latest first.")] = 20,
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """The calls of this project, the latest first; --quiet prints their ids alone.

    \b
    Example:
      voicebot calls list -n 5
    """
    from voicebot.errors import BadInput
    from voicebot.store import calls

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    folder = calls.folder_of(project)
    folders = calls.newest_first(folder)
    records = []
    for call in folders[:limit]:
        try:
            records.append(calls.read(call))
        except BadInput as unreadable:
            screen.warn(str(unreadable))
    if as_json:
        screen.json([_facts(record) for record in records])
    elif quiet:
        for record in records:
            screen.data(record.folder.name)
    elif not folders:
        screen.talk("no calls yet. Make one: voicebot demo")
    else:
        headers = ["call", "when", "agent", "caller", "length", "turns", "v2v p50", "end"]
        screen.table(headers, [_row(record) for record in records], right=("length", "turns", "v2v p50"))
        if len(folders) > limit:
            screen.talk(f"{len(folders) - limit} older ones: --limit {len(folders)}", "dim")


def _facts(record: CallRecord) -> dict[str, Any]:
    from voicebot.money.spending import spending

    latency = record.latency
    return {
        "call": record.folder.name,
        "started_at": record.started.started_at,
        "agent": record.started.agent,
        "caller": record.started.caller,
        "transport": record.started.transport,
        "duration_s": round(record.duration_ms / 1000, 3),
        "turns": len(record.waterfalls),
        "answered": latency.n if latency else 0,
        "v2v_p50_ms": round(latency.p50, 1) if latency else None,
        "v2v_p95_ms": round(latency.p95, 1) if latency else None,
        "models": asdict(spent) if (spent := spending(record.events)) else None,
        "state": record.state,
        "end": record.how_it_ended,
        "folder": str(record.folder),
        "unreadable_lines": list(record.broken),
    }


def _row(record: CallRecord) -> list[Any]:
    from datetime import datetime

    from rich.text import Text

    from .waterfall import grade

    when = datetime.fromisoformat(record.started.started_at).astimezone()
    seconds = round(record.duration_ms / 1000)
    latency = record.latency
    end_style = {"ended": "", "running": "good", "cut off": "bad"}[record.state]
    if record.ended is not None and record.ended.reason in ("failed", "lost"):
        end_style = "bad"
    return [
        Text(record.folder.name, "bold"),
        Text(f"{when:%Y-%m-%d %H:%M}", "dim"),
        Text(record.started.agent),
        Text(record.started.caller or record.started.transport),
        Text(f"{seconds // 60}:{seconds % 60:02d}"),
        Text(str(len(record.waterfalls))),
        Text(f"{latency.p50:.0f} ms", grade(latency.p50)) if latency else Text("-", "dim"),
        Text(record.how_it_ended, end_style),
    ]


@app.command(cls=Command)
def show(
    call: Which = "last",
    turn: Annotated[
        int | None, typer.Option("--turn", metavar="N", min=1, help="One turn's latency, drawn stage by stage.")
    ] = None,
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """What was said, which tools ran, and where the time of every answer went.

    \b
    Examples:
      voicebot calls show last
      voicebot calls show last --turn 3
    """
    from voicebot.store import calls

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    record = calls.find(call, project)
    _say_what_is_damaged(screen, record)
    if turn is not None:
        _show_turn(screen, record, turn, as_json)
    elif as_json:
        latency = [asdict(fall) for fall in record.waterfalls]
        events = [event.model_dump(mode="json") for event in record.events]
        screen.json(_facts(record) | {"latency": latency, "events": events})
    else:
        _show(screen, record)


def _say_what_is_damaged(screen: Screen, record: CallRecord) -> None:
    if record.broken:
        lines = ", ".join(map(str, record.broken[:5])) + (" ..." if len(record.broken) > 5 else "")
        screen.warn(f"{record.folder.name}/events.jsonl: skipped what could not be read (line {lines})")


def _show(screen: Screen, record: CallRecord) -> None:
    from rich.text import Text

    from voicebot.money.spending import spending

    from . import waterfall
    from .transcript import Transcript

    transcript = Transcript(screen)
    for event in record.events:
        transcript(event)
    if record.ended is None:
        transcript.broke_off()
        transcript.note(record.duration_ms, record.how_it_ended, "bad" if record.state == "cut off" else "note")
    if not screen.quiet and record.waterfalls:
        screen.data()
        screen.data(waterfall.report(record.waterfalls, screen.out))
    if not screen.quiet and (spent := spending(record.events)):
        screen.data(Text.assemble(("models  ", "dim"), f"{spent.answers} answers, {spent}"))
    if not screen.quiet and (cost := _cost(record)):
        screen.data(Text.assemble(("cost    ", "dim"), cost))


def _cost(record: CallRecord) -> str:
    """'$0.0213: llm $0.0041 stt $0.0032 tts $0.0140'; '' for a call that cost nothing."""
    from voicebot.money.costs import costs, total_usd
    from voicebot.money.prices import prices

    found = costs(record.events, prices(record.folder.parent.parent))
    parts = {kind: sum(each.usd or 0.0 for each in found if each.kind == kind) for kind in ("llm", "stt", "tts")}
    parts["telephony"] = sum(each.usd or 0.0 for each in found if each.kind == "telephony")
    unpriced = sorted({each.provider for each in found if each.usd is None})
    if not any(parts.values()) and not unpriced:
        return ""
    total = total_usd(found)
    whole = f"${total:.4f}" if total is not None else f"not known, no price: {', '.join(unpriced)}"
    return f"{whole}: " + " ".join(f"{kind} ${usd:.4f}" for kind, usd in parts.items() if usd)


def _show_turn(screen: Screen, record: CallRecord, turn: int, as_json: bool) -> None:
    from rich.text import Text

    from voicebot.errors import BadInput

    from . import waterfall

    fall = next((fall for fall in record.waterfalls if fall.turn == turn), None)
    if fall is None:
        known = ", ".join(str(fall.turn) for fall in record.waterfalls) or "none"
        raise BadInput(f"{record.folder.name} has no caller turn {turn}. Known: {known}.")
    if as_json:
        screen.json(asdict(fall))
        return
    screen.data(Text.assemble((f"turn {turn}  ", "dim"), fall.text))
    screen.data(waterfall.cascade(fall, screen.out))


@app.command(cls=Command)
def play(
    call: Which = "last",
    from_turn: Annotated[
        int, typer.Option("--from-turn", metavar="N", min=0, help="Begin where the caller's turn N begins.")
    ] = 0,
    project: Project = Path(),
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Hear a call: the caller on the left, the agent on the right.

    \b
    Example:
      voicebot calls play last --from-turn 3
    """
    from voicebot.errors import BadInput
    from voicebot.store import calls

    from .playback import play_wav
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    record = calls.find(call, project)
    if record.audio is None:
        raise BadInput(f"{record.folder.name} has no recording: it was typed, or its audio was not kept.")
    play_wav(screen, record.audio, calls.turn_start_ms(record, from_turn))


@app.command(cls=Command)
def trace(
    call: Which = "last",
    send: Annotated[bool, typer.Option("--export", help="Send it to the collector that OTEL_* name.")] = False,
    content: Annotated[bool, typer.Option("--content", help="With what was said, as the record has it.")] = False,
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """A call as a trace: call, turns and stages as OpenTelemetry's spans; --json prints OTLP/JSON.

    \b
    Examples:
      voicebot calls trace last
      OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 voicebot calls trace last --export
    """
    from voicebot.observe import environment, otlp_json, spans, trace_id
    from voicebot.store import calls

    from . import trace as tree
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    record = calls.find(call, project)
    _say_what_is_damaged(screen, record)
    if send:
        with screen.waiting("sending"):
            count, place = tree.send(record, said=content)
        screen.talk(f"sent {count} spans to {place}")
        return
    started, said = record.started, content or environment.said_in_spans()
    found = spans(record.events, said=said)
    if as_json:
        screen.json(otlp_json.document(found, started.call_id, started.started_at, environment.resource()))
        return
    screen.talk(f"trace {trace_id(started.call_id)}", "dim")
    screen.data(tree.drawn(found, screen.out))


@app.command(cls=Command)
def export(
    call: Which = "last",
    form: Annotated[Format, typer.Option("--format", "-f", help="What to write.")] = Format.txt,
    to: Annotated[Path | None, typer.Option("--to", "-o", help="A file; default: stdout.")] = None,
    project: Project = Path(),
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """A call as text, JSON, subtitles or audio, on stdout or into a file.

    \b
    Examples:
      voicebot calls export last --format srt --to call.srt
      voicebot calls export last --format wav > call.wav
    """
    import sys

    from voicebot.errors import BadInput
    from voicebot.store import calls

    from . import export as writer
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    record = calls.find(call, project)
    _say_what_is_damaged(screen, record)
    if form is Format.wav and to is None and sys.stdout.isatty():
        raise BadInput("a WAV is no text for a terminal: add --to call.wav, or send stdout to a file.")
    content = writer.content(record, form.value)
    if to is None:
        sys.stdout.buffer.write(content)
        return
    try:
        to.write_bytes(content)
    except OSError as error:
        raise BadInput(f"cannot write {to}: {error.strerror}.") from None
    screen.talk(f"wrote {to}")


app.command(cls=Command)(kpis)
