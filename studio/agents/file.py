"""One agent file on the disk: read, and written whole or not at all. Everything here may wait for the disk."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from voicebot import paths, yamlfile
from voicebot.errors import BadInput


@dataclass(frozen=True)
class Opened:
    """A file as it was when it was read."""

    path: Path
    text: str
    stamp: tuple[int, int]
    """Changes whenever somebody else writes it."""


def read(path: Path) -> Opened:
    """Raises BadInput for a file that cannot be read, is no text or is too large to be one by hand."""
    try:
        stamp = _stamp(path)
        if path.stat().st_size > yamlfile.MAX_BYTES:
            raise BadInput(f"{paths.shown(path)} is too large for a file written by hand.")
        return Opened(path, path.read_text(encoding="utf-8-sig"), stamp)
    except UnicodeDecodeError:
        raise BadInput(f"{paths.shown(path)} is not UTF-8 text. Save it as UTF-8 first.") from None
    except OSError as error:
        raise BadInput(f"{paths.shown(path)} cannot be read: {error.strerror}.") from None


def write(path: Path, text: str) -> Opened:
    """Replace the file. Raises BadInput when that is not possible; then the file is as it was."""
    aside = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        handle, aside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with open(handle, "w", encoding="utf-8", newline="") as out:
            out.write(text)
        os.chmod(aside, mode)
        os.replace(aside, path)
    except OSError as error:
        if aside:
            with contextlib.suppress(OSError):
                os.unlink(aside)
        raise BadInput(f"{paths.shown(path)} cannot be written: {error.strerror}.") from None
    return Opened(path, text, _stamp(path))


def is_changed(opened: Opened) -> bool:
    """Whether somebody else has written or removed it since."""
    try:
        return _stamp(opened.path) != opened.stamp
    except OSError:
        return True


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size
