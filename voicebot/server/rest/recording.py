"""The sound of a call that is over, all of it or a part."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse

from voicebot.server.rest.problems import Problem, not_found
from voicebot.store.record import AUDIO

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def find(calls_dir: Path | None, call_id: str) -> tuple[Path, os.stat_result]:
    """The call's WAV: a plain file in the folder of calls, whatever the id is. It blocks. Raises Problem."""
    if calls_dir is not None:
        path = calls_dir / call_id / AUDIO
        try:
            found = path.lstat()
        except OSError:
            found = None
        if found and stat.S_ISREG(found.st_mode) and path.resolve().is_relative_to(calls_dir.resolve()):
            return path, found
    raise not_found(f"There is no recording of the call '{call_id}'.")


def answer(path: Path, found: os.stat_result, request: Request) -> FileResponse:
    """All of the file, or the range that is asked for (RFC 9110, section 14). Raises Problem."""
    match = _RANGE.fullmatch(request.headers.get("range", ""))
    if not match or not any(match.groups()) or (all(match.groups()) and int(match[1]) > int(match[2])):
        _forget_range(request)  # what is no range, or more than one, may be left out of account
    elif (match[1] and int(match[1]) >= found.st_size) or (not match[1] and int(match[2]) == 0):
        size = {"Content-Range": f"bytes */{found.st_size}"}
        raise Problem(416, "Range not satisfiable", f"The recording has {found.st_size} bytes.", size)
    return FileResponse(path, media_type="audio/wav", filename=f"{path.parent.name}.wav", stat_result=found)


def _forget_range(request: Request) -> None:
    request.scope["headers"] = [(name, value) for name, value in request.scope["headers"] if name != b"range"]
