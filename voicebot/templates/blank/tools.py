"""What the agent can do. A function with type hints and a docstring is a tool; `agents/agent.yaml` names it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

CALLBACKS = Path(__file__).parent / "data" / "callbacks.json"


def note_callback(name: str, day: str) -> dict[str, Any]:
    """Note that somebody wants to be called back. `day` is a date such as 2026-12-01."""
    callbacks = json.loads(CALLBACKS.read_text(encoding="utf-8"))
    _save([*callbacks, {"name": name, "day": day}])
    return {"outcome": "noted"}


def _save(callbacks: list[dict[str, Any]]) -> None:
    """Replace the file in one step, so that nobody ever reads half of it."""
    new = CALLBACKS.with_suffix(".new")
    new.write_text(json.dumps(callbacks, indent=2) + "\n", encoding="utf-8")
    os.replace(new, CALLBACKS)
