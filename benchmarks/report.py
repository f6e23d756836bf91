"""Measurements as figures, and the figures as a table or JSON. Definitions: README.md beside this file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
from rich.table import Table

from benchmarks.measure import Measurement
from benchmarks.systems import SYSTEMS

_FEW = 10
"""Percentiles over fewer turns than this are marked."""
_KEEPS_UP = 0.95
_LATE_MS = 10.0


@dataclass(frozen=True)
class Percentiles:
    p50: float
    p95: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Percentiles | None:
        """By linear interpolation; None without values."""
        values = list(values)
        return cls(*np.percentile(values, [50, 95]).round(1).tolist()) if values else None

    def __str__(self) -> str:
        return f"{self.p50:.0f} / {self.p95:.0f}"


@dataclass(frozen=True)
class Figures:
    """One system at one number of calls."""

    system: str
    calls: int
    cpu_s_per_call_minute: float
    memory_mb_per_call: float | None
    setup_block_ms: Percentiles | None
    idle_block_ms: float
    reply_ms: Percentiles | None
    engine_added_ms: Percentiles | None
    turns: int
    answered: int
    ran_dry: int
    """Replies in which the caller's playback waited for audio in the middle."""
    dropped_calls: int
    callers_late_ms: float

    @property
    def keeps_up(self) -> bool:
        """Nearly every turn was answered. A system that does not keep up leaves work undone: its CPU says nothing."""
        return self.answered >= _KEEPS_UP * self.turns and not self.dropped_calls


def figures(measured: Measurement, smart_turn_ms: float) -> Figures:
    """`smart_turn_ms`: what one run of the turn model takes by itself on this machine."""
    answered = [(reply, reply.first_audio) for reply in measured.replies if reply.first_audio is not None]
    after_vad_ms = [(first_audio - reply.vad_stopped) * 1000 for reply, first_audio in answered]
    memory = measured.memory_mb_per_call
    return Figures(
        system=measured.system,
        calls=measured.calls,
        cpu_s_per_call_minute=round(measured.cpu_s_per_call_minute, 3),
        memory_mb_per_call=None if memory is None else round(memory, 2),
        setup_block_ms=Percentiles.of(measured.setup_blocks_ms),
        idle_block_ms=round(measured.idle_block_ms, 2),
        reply_ms=Percentiles.of((first_audio - reply.speech_ended) * 1000 for reply, first_audio in answered),
        engine_added_ms=Percentiles.of(ms - smart_turn_ms for ms in after_vad_ms),
        turns=len(measured.replies),
        answered=len(answered),
        ran_dry=sum(reply.gaps > 0 for reply, _ in answered),
        dropped_calls=measured.dropped,
        callers_late_ms=round(measured.callers_late_ms, 1),
    )


def table(rows: list[Figures]) -> Table:
    """All figures, systems side by side for each number of calls."""
    shown = Table(title="calls in one server process")
    shown.add_column("calls", justify="right")
    shown.add_column("system")
    for heading in (
        "CPU-s per\ncall-minute",
        "of\nvanilla",
        "MB per\ncall",
        "loop block per\nnew call, ms\np50 / p95",
        "reply after\nspeech, ms\np50 / p95",
        "engine-\nadded, ms\np50 / p95",
        "turns\nanswered",
        "replies\nran dry",
        "calls\ndropped",
    ):
        shown.add_column(heading, justify="right")
    for row in sorted(rows, key=lambda row: (row.calls, list(SYSTEMS).index(row.system))):
        last = row.system == max((other.system for other in rows if other.calls == row.calls), key=list(SYSTEMS).index)
        shown.add_row(*_cells(row, rows), end_section=last)
    return shown


def notes(rows: list[Figures]) -> list[str]:
    """What to know when reading the table."""
    said = []
    if any(row.answered < _FEW for row in rows):
        said.append("* fewer than 10 turns")
    if not all(row.keeps_up for row in rows):
        said.append("† does not keep up: it leaves turns unanswered, and its CPU is that of work left undone")
    if late := [row for row in rows if row.callers_late_ms > _LATE_MS]:
        levels = ", ".join(str(calls) for calls in sorted({row.calls for row in late}))
        said.append(
            f"The callers themselves were late at {levels} calls: this machine is too small for these latencies."
        )
    return said


def _cells(row: Figures, rows: list[Figures]) -> list[str]:
    few = "*" if row.answered < _FEW else ""
    return [
        str(row.calls),
        row.system,
        f"{row.cpu_s_per_call_minute:.2f}" + ("" if row.keeps_up else "†"),
        _share_of_vanilla(row, rows),
        _or_dash(row.memory_mb_per_call, "{:.1f}"),
        "-" if row.setup_block_ms is None else f"{row.setup_block_ms.p50:.1f} / {row.setup_block_ms.p95:.1f}",
        _or_dash(row.reply_ms, "{}") + few,
        _or_dash(row.engine_added_ms, "{}") + few,
        f"{row.answered} of {row.turns}",
        f"{row.ran_dry} of {row.answered}",
        str(row.dropped_calls),
    ]


def _share_of_vanilla(row: Figures, rows: list[Figures]) -> str:
    vanilla = next((other for other in rows if other.system == "vanilla" and other.calls == row.calls), None)
    if vanilla is None or not vanilla.keeps_up or not row.keeps_up:
        return "-"
    return f"{row.cpu_s_per_call_minute / vanilla.cpu_s_per_call_minute:.2f}"


def _or_dash(value: object, form: str) -> str:
    return "-" if value is None else form.format(value)


def as_dict(rows: list[Figures], conditions: dict[str, object]) -> dict[str, object]:
    return {"conditions": conditions, "figures": [asdict(row) for row in rows]}
