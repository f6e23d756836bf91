"""A call's trace on a terminal: its spans as a tree, each with a bar where it lay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from voicebot.observe.span import CALL

if TYPE_CHECKING:
    from voicebot.observe import Span
    from voicebot.store.calls import CallRecord

_LEAST_CELLS, _MOST_CELLS = 10, 60
_PIPE_CELLS = 40
_NUMBERS, _NOTES = 23, 10
"""Columns behind the bar: when and how long, and what is said of it."""
_BAR, _SLIVER = "█", "▏"


def drawn(spans: Sequence[Span], console: Console) -> RenderableType:
    """One line a span: the call and its turns to the scale of the call, what is in a turn to the scale of the turn."""
    keyed = {span.key: span for span in spans}
    tree = list(_tree(spans))
    width = max(len(guide) + len(_label(span)) for guide, span in tree)
    cells = _PIPE_CELLS
    if console.is_terminal:
        cells = max(min(console.width - width - _NUMBERS - _NOTES, _MOST_CELLS), _LEAST_CELLS)
    lines = []
    for guide, span in tree:
        is_turn = span.parent in ("", CALL)
        line = Text.assemble((guide, "dim"), (_label(span), "bold" if is_turn else ""))
        if console.is_terminal:
            line.no_wrap, line.overflow = True, "ellipsis"
        line.pad_right(width + 1 - line.cell_len)
        line.append_text(bar(span, spans[0] if is_turn else keyed[span.parent], cells))
        line.append(f"{span.start_ms / 1000:>10.3f} s", "dim").append(f"{_length(span.duration_ms):>9}  ")
        line.append_text(_notes(span)).rstrip()
        lines.append(line)
    return Group(*lines)


def _tree(spans: Sequence[Span], parent: str = "", guide: str = "") -> Iterator[tuple[str, Span]]:
    """Each span behind the lines that lead to it."""
    below = [span for span in spans if span.parent == parent]
    for span in below:
        last = span is below[-1]
        lead = "" if not parent else f"{guide}{'└─ ' if last else '├─ '}"
        yield lead, span
        yield from _tree(spans, span.key, "" if not parent else f"{guide}{'   ' if last else '│  '}")


def _label(span: Span) -> str:
    turn = span.attributes.get("voicebot.turn")
    return span.name if turn is None else "greeting" if turn == 0 else f"turn {turn}"


def bar(span: Span, scale: Span, cells: int) -> Text:
    """Where in `scale` the span lies; however short, it can be seen."""
    per_cell_ms = max(scale.duration_ms, 1.0) / cells
    begin = min(max(int((span.start_ms - scale.start_ms) / per_cell_ms), 0), cells - 1)
    end = min(round((span.end_ms - scale.start_ms) / per_cell_ms), cells)
    drawn = Text(" " * begin).append(_BAR * (end - begin) or _SLIVER, _style(span))
    drawn.pad_right(cells - drawn.cell_len)
    return drawn


def _style(span: Span) -> str:
    if span.error:
        return "bad"
    if span.attributes.get("voicebot.stage.kind") == "waiting":
        return "stage.silence"
    stage = span.attributes.get("voicebot.stage")
    styles = {"caller_speaking": "caller", "agent_speaking": "agent"}
    return f"stage.{stage}" if stage else styles.get(span.name, "tool" if span.name.startswith("execute") else "dim")


def _length(duration_ms: float) -> str:
    return f"{duration_ms:.0f} ms" if duration_ms < 10_000 else f"{duration_ms / 1000:.1f} s"


def _notes(span: Span) -> Text:
    notes = Text()
    v2v = span.attributes.get("voicebot.v2v_ms")
    if isinstance(v2v, float):
        notes.append(f"v2v {v2v:.0f} ms  ", "dim")
    if span.attributes.get("voicebot.interrupted") and not span.parent.startswith("turn"):
        notes.append("interrupted  ", "poor")
    if span.link:
        notes.append(f"cut {span.link} short  ", "dim")
    if span.error:
        notes.append(f"{span.error}  ", "bad")
    for name, count in _counts(span).items():
        notes.append(f"{name}{f' x{count}' if count > 1 else ''}  ", "note")
    return notes


def _counts(span: Span) -> dict[str, int]:
    """What happened in it, and how often."""
    names = [_words(moment.name, moment.attributes) for moment in span.moments]
    return {name: names.count(name) for name in dict.fromkeys(names)}


def _words(name: str, about: Any) -> str:
    told = {
        "provider_failed": "{voicebot.provider}: {error.type}",
        "guardrail_hit": "{voicebot.rail} {voicebot.kind}: {voicebot.action}",
        "brain_moved": "at {voicebot.node}",
    }.get(name, name.replace("_", " "))
    for key, value in about.items():
        told = told.replace(f"{{{key}}}", str(value))
    return told


def send(record: CallRecord, *, said: bool) -> tuple[int, str]:
    """Send a call's trace to the collector of the environment: how many spans, and where to.

    Raises BadInput for a wrong environment, MissingExtra, Unavailable when they did not get there.
    """
    from voicebot.errors import Unavailable
    from voicebot.observe import environment
    from voicebot.observe.tracing import EXPORT_S, Tracing

    environment.check()
    room = 3 * len(record.events)  # for all of its spans at once
    tracing = Tracing(every_call=True, said=said or None, room=room, say=lambda _: None)
    tracing.export(record.events)
    tracing.close(EXPORT_S)
    collector = tracing.collector
    if tracing.lost:
        why = collector.why or "no answer"
        raise Unavailable(f"{collector.place} did not take the trace ({why}): {tracing.lost} spans are lost.")
    return collector.sent, collector.place
