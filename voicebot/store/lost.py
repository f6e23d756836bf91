"""The last line of a record whose process died before it could write it."""

from __future__ import annotations

import os
from pathlib import Path

from voicebot.errors import BadInput
from voicebot.events import CallEnded
from voicebot.store.calls import AUDIO, EVENTS, read

_HEADER_BYTES = 44


def close_lost(folder: Path, why: str) -> bool:
    """Append a `call_ended` with the reason `lost`; False when the record has an end already, or is none.

    The process that wrote it must be gone. A line that it left cut in half stays, and a new one begins behind it.
    """
    try:
        record = read(folder)
    except BadInput:
        return False
    if record.ended is not None:
        return False
    last = record.events[-1]
    t_ms = max(record.duration_ms, _heard_ms(folder / AUDIO, record.started.rate_hz))
    end = CallEnded(t_ms=t_ms, lag_ms=last.lag_ms, turn=last.turn, reason="lost", detail=why)
    line = end.model_dump_json().encode() + b"\n"
    with (folder / EVENTS).open("ab") as events:
        events.write(b"\n" + line if record.cut else line)
        os.fsync(events.fileno())
    return True


def _heard_ms(audio: Path, rate_hz: int) -> float:
    """How long the recording is: the call was alive so long, even if nothing happened in it."""
    if rate_hz == 0 or not audio.is_file():
        return 0.0
    return max(0, audio.stat().st_size - _HEADER_BYTES) / 4 / rate_hz * 1000
