"""How many calls a worker may have: as told, as measured on this machine, or a cautious guess."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from voicebot import __version__
from voicebot.server.settings import Settings

DEFAULT = 25
"""Calls of one worker, where this machine was not measured."""


@dataclass(frozen=True)
class Limit:
    """Calls that one worker may have at once, and who says so."""

    calls: int
    source: str


def limit_of(settings: Settings) -> Limit:
    if settings.calls is not None:
        return Limit(settings.calls, "as told")
    if (measured := calibrated()) is not None:
        return Limit(measured, "as measured on this machine")
    return Limit(DEFAULT, "not measured here: voicebot bench calls --save")


def calibration_file() -> Path:
    return platformdirs.user_data_path("voicebot", appauthor=False) / "calls.json"


def machine() -> dict[str, str | int]:
    """What a measurement holds for: the same processor, as many of its cores, and this version of the engine."""
    return {"processor": _processor(), "cores": os.cpu_count() or 1, "voicebot": __version__}


def calibrate(calls: int) -> Path:
    """Remember how many calls one worker carries on this machine. Returns the file."""
    path = calibration_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"calls": calls, **machine()}, indent=2) + "\n", encoding="utf-8")
    return path


def calibrated() -> int | None:
    """What was remembered; None where nothing was, or on another machine."""
    try:
        kept = json.loads(calibration_file().read_text(encoding="utf-8"))
        calls = int(kept.pop("calls"))
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None
    return calls if calls > 0 and kept == machine() else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
