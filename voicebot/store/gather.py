"""The logs of many calls as a few files, each line with its call: DuckDB reads these several times faster than
thousands of small ones."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

PIECE_BYTES = 8 << 20
"""How large a file gets. DuckDB reads a file in blocks of 32 MiB, and puts the line on which two of them meet out of
its order; these have one block each."""
_AT_ONCE = 1000
"""Buffers in one write: the system takes no more than 1024."""


def gathered(
    logs: Sequence[Path], folder: Path, *, numbered: bool = False, without: Collection[str] = ()
) -> Iterator[Path]:
    """Files in `folder`, one after the other, with the lines of all `logs` in their order; `call` is the name of a
    log's folder, or its place in `logs`. Events of the types `without` are left out where they are as we write them.

    A log that vanishes meanwhile has no lines. A line cut in half stays cut, and spoils no other.
    """
    for number, piece in enumerate(_pieces(logs, numbered, _lines_of(without))):
        path = folder / f"{number:06d}.ndjson"
        with path.open("wb", buffering=0) as file:
            for start in range(0, len(piece), _AT_ONCE):
                _write(file.fileno(), piece[start : start + _AT_ONCE])
        yield path


def _pieces(logs: Sequence[Path], numbered: bool, unwanted: re.Pattern[bytes] | None) -> Iterator[list[bytes]]:
    waiting: list[bytes] = []
    size = 0
    for number, log in enumerate(logs):
        try:
            with open(log, "rb", buffering=0) as file:
                lines = b"\n" + file.readall()
        except OSError:
            continue
        if unwanted:
            lines = unwanted.sub(b"", lines)
        call = number if numbered else json.dumps(log.parent.name)
        waiting.append(lines.replace(b"\n{", f'\n{{"call":{call},'.encode()))
        size += len(waiting[-1])
        if size >= PIECE_BYTES:
            yield waiting
            waiting, size = [], 0
    if size:
        yield waiting


def _lines_of(types: Collection[str]) -> re.Pattern[bytes] | None:
    """Lines of events of these types, by how an event begins."""
    if not types:
        return None
    kinds = "|".join(map(re.escape, types)).encode()
    return re.compile(rb'\n\{"v":\d+,"t_ms":[^,]*,"lag_ms":[^,]*,"turn":\d+,"type":"(?:' + kinds + rb')"[^\n]*')


def _write(file: int, parts: list[bytes]) -> None:
    if os.writev(file, parts) < sum(map(len, parts)):
        raise OSError("the disk of temporary files is full")
