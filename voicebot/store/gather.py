"""The logs of many calls as a few files, each line with its call: DuckDB reads these several times faster than
thousands of small ones."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PIECE_BYTES = 8 << 20
"""How large a file gets. DuckDB reads a file in blocks of 32 MiB, and puts the line on which two of them meet out of
its order; these have one block each."""


@contextmanager
def gathered(logs: Sequence[Path], *, numbered: bool = False) -> Iterator[list[Path]]:
    """Files, gone afterwards, with the lines of all `logs` in their order; `call` is the name of a log's folder, or its
    place in `logs`.

    A log that vanishes meanwhile has no lines. A line cut in half stays cut, and spoils no other.
    """
    with tempfile.TemporaryDirectory(prefix="voicebot-") as folder:
        files: list[Path] = []
        for piece in _pieces(logs, numbered):
            files.append(Path(folder) / f"{len(files):06d}.ndjson")
            files[-1].write_bytes(piece)
        yield files


def _pieces(logs: Sequence[Path], numbered: bool) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    for number, log in enumerate(logs):
        try:
            lines = log.read_bytes()
        except OSError:
            continue
        call = number if numbered else json.dumps(log.parent.name)
        waiting.append((b"\n" + lines).replace(b"\n{", f'\n{{"call":{call},'.encode()))
        size += len(waiting[-1])
        if size >= PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if size:
        yield b"".join(waiting)
