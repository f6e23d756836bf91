"""What `voicebot demo` says when the calls are over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from voicebot import paths
from voicebot.latency import Percentiles, percentiles, v2v_ms

from . import demo_project, waterfall
from .terminal import Screen
from .transcript import short

if TYPE_CHECKING:
    from voicebot.evals.outcome import Outcome

    from .demo_calls import Run

OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "reached": ("reached", "good"),
    "handed_over": ("handed over politely", "poor"),
    "failed": ("nothing done", "poor"),
    "wrong": ("WRONG", "bad"),
    "invalid": ("broken, not counted", "bad"),
}


def one(screen: Screen, root: Path, run: Run, *, as_json: bool) -> None:
    """A call: where its time went, what is in the tools' store now, and where its record is."""
    if as_json:
        screen.json(_facts(run))
        return
    if run.waterfalls and not screen.quiet:
        screen.data()
        screen.data(waterfall.report(run.waterfalls, screen.out))
        screen.data()
    for label, text in _ending(root, run):
        screen.data(_labelled(screen, label, text))
    if not screen.quiet:
        screen.talk()
        screen.talk(f"next: {_next(root)}", "dim")


def _ending(root: Path, run: Run) -> list[tuple[str, Text]]:
    call = run.call
    words, style = OUTCOMES[run.outcome]
    lines = [("goal", Text.assemble((words, style), (f"  {call.persona}, seed {call.seed}", "dim")))]
    lines += [("", Text(problem, "bad")) for problem in run.problems]
    for name, records in run.records.items():
        file = paths.shown(paths.data_dir(root) / name)
        kept = "" if demo_project.is_ours(root) else "  (in the call's copy; the project's data is as it was)"
        for record in records:
            lines.append(("written", Text.assemble((file, "bold"), f"  {short(record, 400)}", (kept, "dim"))))
    if call.folder is not None:
        lines.append(("recording", Text(paths.shown(call.folder / "call.wav"))))
        lines.append(("events", Text(paths.shown(call.folder / "events.jsonl"))))
    lines.append(("time", Text(_time(call.seconds, call.wall_seconds))))
    return lines


def _labelled(screen: Screen, label: str, text: Text) -> Text | Table:
    if not screen.out.is_terminal:
        return Text(f"{label:<9}  ").append_text(text)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=9, style="dim")
    grid.add_column(overflow="fold")
    grid.add_row(label, text)
    return grid


def _time(seconds: float, wall_seconds: float) -> str:
    speed = f", {seconds / wall_seconds:.1f} x real time" if wall_seconds > 0 else ""
    return f"{seconds:.0f} s of conversation in {wall_seconds:.1f} s{speed}"


def _next(root: Path) -> str:
    if root.absolute() == Path.cwd():
        return "voicebot calls show last   ·   voicebot talk --text"
    where = paths.shown(root)
    return f"voicebot calls show last --project {where}   ·   cd {where} && voicebot talk --text"


def many(screen: Screen, runs: Sequence[Run], *, as_json: bool) -> None:
    """Many calls: how they ended, caller by caller, and the latency of all their turns."""
    figures = percentiles(v2v_ms(fall for run in runs for fall in run.waterfalls))
    if as_json:
        screen.json({"runs": [_facts(run) for run in runs], **_counts(runs), "v2v": _figures(figures)})
        return
    if not screen.quiet:
        _list_what_missed(screen, runs)
    used = [outcome for outcome in OUTCOMES if any(run.outcome == outcome for run in runs) or outcome == "wrong"]
    callers = list(dict.fromkeys(run.call.persona for run in runs))
    rows = [_row(name, [run for run in runs if run.call.persona == name], used) for name in callers]
    if len(callers) > 1:
        rows.append(_row("all", runs, used))
    headers = ["caller", "calls", *(OUTCOMES[outcome][0] for outcome in used), "v2v p50", "p95", "turns"]
    screen.table(headers, rows, right=headers[1:])
    seconds, wall = sum(run.call.seconds for run in runs), sum(run.call.wall_seconds for run in runs)
    screen.talk(_time(seconds, wall), "dim")


def _row(name: str, runs: Sequence[Run], used: Sequence[Outcome]) -> list[Text]:
    figures = percentiles(v2v_ms(fall for run in runs for fall in run.waterfalls))
    counts = Counter(run.outcome for run in runs)
    cells = [Text(name, "bold"), Text(str(len(runs)))]
    cells += [Text(str(counts[outcome]), OUTCOMES[outcome][1] if counts[outcome] else "dim") for outcome in used]
    if figures is None:
        return [*cells, Text("-"), Text("-"), Text("0")]
    latency = [Text(f"{ms:.0f} ms", waterfall.grade(ms)) for ms in (figures.p50, figures.p95)]
    return [*cells, *latency, Text(str(figures.n))]


def _list_what_missed(screen: Screen, runs: Sequence[Run]) -> None:
    for run in runs:
        if run.outcome != "reached":
            words, style = OUTCOMES[run.outcome]
            line = Text(f"{run.call.persona}, seed {run.call.seed}: ").append(words, style)
            line.append("; ".join(["", *run.problems]))
            if run.call.folder is not None:
                line.append(f"  {paths.shown(run.call.folder)}", "dim")
            screen.talk(line)


def _counts(runs: Sequence[Run]) -> dict[str, int]:
    counts = Counter(run.outcome for run in runs)
    return {"calls": len(runs)} | {outcome: counts[outcome] for outcome in OUTCOMES}


def _figures(figures: Percentiles | None) -> dict[str, float] | None:
    if figures is None:
        return None
    return {"n": figures.n, "p50_ms": figures.p50, "p95_ms": figures.p95, "worst_ms": figures.worst}


def _facts(run: Run) -> dict[str, Any]:
    call = run.call
    return {
        "persona": call.persona,
        "seed": call.seed,
        "outcome": run.outcome,
        "problems": run.problems,
        "ended": call.ended.reason if call.ended else None,
        "written": run.records,
        "turns": len(run.waterfalls),
        "v2v": _figures(percentiles(v2v_ms(run.waterfalls))),
        "call_s": call.seconds,
        "elapsed_s": call.wall_seconds,
        "recording": str(call.folder / "call.wav") if call.folder else None,
        "events": str(call.folder / "events.jsonl") if call.folder else None,
    }
