"""Lines of JSON that are only ever appended: what a run leaves behind, safe against a crash at any moment.

A process may die in the middle of a line. Readers pass over a last line cut in half; the next writer cuts it off, so
that it never stands in the middle of the file. Any other line that cannot be read is an error with its place.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, TypeVar

from pydantic import BaseModel, ValidationError

from voicebot import paths
from voicebot.errors import BadInput

M = TypeVar("M", bound=BaseModel)


def append(path: Path, entries: Iterable[BaseModel]) -> None:
    """Add a line for each entry; when this returns, they are on the disk. One writer at a time."""
    lines = b"".join(entry.model_dump_json().encode() + b"\n" for entry in entries)
    try:
        with path.open("r+b" if path.exists() else "w+b") as file:
            _heal(file)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BadInput(f"cannot write {paths.shown(path)}: {error.strerror}.") from None


def read(path: Path, model: type[M], *, skip: int = 0) -> list[M]:
    """All entries behind the first `skip` lines, in order; nothing where there is no file.

    Raises BadInput for a line that is not one.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BadInput(f"cannot read {paths.shown(path)}: {error.strerror}.") from None
    lines = list(enumerate(content[: _whole(content)].splitlines(), 1))
    return [_entry(path, number, line, model) for number, line in lines[skip:] if line.strip()]


def replace(path: Path, entries: Iterable[BaseModel]) -> None:
    """The same file with these entries instead: all of them, or as it was before."""
    aside = path.with_suffix(".tmp")
    aside.unlink(missing_ok=True)
    append(aside, entries)
    os.replace(aside, path)


def _heal(file: BinaryIO) -> None:
    """Cut off a last line that a crash has cut in half, and go to the end."""
    if file.seek(0, os.SEEK_END):
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(_whole(file.read()))
    file.seek(0, os.SEEK_END)


def _whole(content: bytes) -> int:
    """Where the last line that is whole ends."""
    return content.rfind(b"\n") + 1


def _entry(path: Path, number: int, line: bytes, model: type[M]) -> M:
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        what = ".".join(map(str, first["loc"])) or "the line"
        raise BadInput(
            f"{paths.shown(path)}:{number} is no {model.__name__.lower()} of this version: {what}: {first['msg']}."
        ) from None
