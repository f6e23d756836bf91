"""What a call costs: voicebot, Pipecat as shipped and the bare models, side by side on this machine.

Run from the repository's root:

    python -m benchmarks.calls              # 1, 10 and 50 calls, 60 s each: about 15 minutes
    python -m benchmarks.calls --quick      # 20 s each, 1 and 10 calls: about 5 minutes
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from loguru import logger
from rich.console import Console
from rich.progress import track

from benchmarks import mulaw, report, script
from benchmarks.measure import measure, turns_needed
from benchmarks.script import Script
from benchmarks.stubs import RATE_HZ
from benchmarks.systems import SYSTEMS

_LEVELS = (1, 10, 50)
_QUICK_LEVELS = (1, 10)
_WINDOW_S, _QUICK_WINDOW_S = 60.0, 20.0
_SCRIPTS = 8
"""Different callers; with more calls than this, two callers say the same at different times."""
_BUSY = 0.5
"""Load average from which the figures are not to be trusted."""

talk = Console(stderr=True)


def main(
    quick: Annotated[bool, typer.Option(help="20 s windows at 1 and 10 calls.")] = False,
    calls: Annotated[list[int] | None, typer.Option(help="Number of concurrent calls; repeat for several.")] = None,
    system: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(SYSTEMS)}; repeatable.")] = None,
    window: Annotated[float | None, typer.Option(help="Seconds measured per system and number of calls.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the figures to this file.")] = None,
) -> None:
    """Measure what a call costs in voicebot, in Pipecat as shipped, and with the bare models."""
    logger.remove()
    if unknown := set(system or []) - set(SYSTEMS):
        raise typer.BadParameter(f"no system {', '.join(sorted(unknown))}. Known: {', '.join(SYSTEMS)}.")
    window_s = window or (_QUICK_WINDOW_S if quick else _WINDOW_S)
    levels = calls or (_QUICK_LEVELS if quick else _LEVELS)
    conditions = _conditions(window_s)
    talk.print("Preparing callers ...")
    scripts = [script.write(seed, turns_needed(window_s)) for seed in range(_SCRIPTS)]
    smart_turn_ms = _smart_turn_ms(scripts[0])
    conditions["smart_turn_ms"] = round(smart_turn_ms, 1)
    rows = []
    for level, name in track([(level, name) for level in levels for name in system or SYSTEMS], console=talk):
        talk.print(f"{level} {'call' if level == 1 else 'calls'}: {name} ({SYSTEMS[name]})")
        rows.append(report.figures(asyncio.run(measure(name, level, scripts, window_s)), smart_turn_ms))
    _show(rows, conditions)
    if json_file:
        json_file.write_text(json.dumps(report.as_dict(rows, conditions), indent=2))


def _conditions(window_s: float) -> dict[str, object]:
    """Machine and versions, to be stored with the figures. Says so when the machine is busy."""
    load = os.getloadavg()[0]
    if load > _BUSY:
        talk.print(f"[yellow]This machine is busy (load {load:.1f}): the figures will be too high.[/yellow]")
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "load_before": round(load, 2),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("voicebot", "pipecat-ai", "onnxruntime", "uvicorn")},
        "window_s": window_s,
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0].partition(":")[2].strip() if names else platform.processor()


def _smart_turn_ms(caller: Script) -> float:
    """Wall time of one end-of-turn decision with nothing around it, as it comes in a call: now and then. Median."""
    from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3

    analyzer = LocalSmartTurnAnalyzerV3(sample_rate=RATE_HZ)
    analyzer.set_sample_rate(RATE_HZ)
    pcm = np.frombuffer(mulaw.decode(b"".join(caller.frames)), np.int16).astype(np.float32) / 32768
    took_ms = []
    for turn in caller.turns:
        heard = pcm[max(0, round((turn.starts_s - 0.7) * RATE_HZ)) : round(turn.vad_stop_s * RATE_HZ)]
        time.sleep(0.2)
        began = time.perf_counter()
        analyzer._predict_endpoint(heard)
        took_ms.append((time.perf_counter() - began) * 1000)
    return float(np.median(took_ms))


def _show(rows: list[report.Figures], conditions: dict[str, object]) -> None:
    out = Console(width=None if sys.stdout.isatty() else 130)
    out.print(report.table(rows))
    for note in report.notes(rows):
        out.print(note)
    out.print(f"One run of Smart Turn alone: {conditions['smart_turn_ms']} ms, not counted as engine-added.")
    out.print(f"{conditions['processor']}, {conditions['cores']} cores, Python {conditions['python']}")


if __name__ == "__main__":
    typer.run(main)
