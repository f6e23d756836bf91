from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from voicebot.commands.keyboard import LineReader


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The writing end of stdin."""
    reader, writer = os.pipe()
    with os.fdopen(reader) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield writer


def lines(pipe: int, typed: bytes) -> list[str]:
    os.write(pipe, typed)
    os.close(pipe)
    return list(iter(LineReader(""), None))  # until it returns None


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (b"hi\nthere\n", ["hi", "there"]),
        (b"hi\nno newline at the end", ["hi", "no newline at the end"]),
        (b"hi\n\nthere\n", ["hi", "", "there"]),
        (b"", []),
        ("grüß dich\n".encode(), ["grüß dich"]),
        (b"\xff\n", ["\ufffd"]),
    ],
)
def test_a_pipe_is_read_line_by_line(pipe: int, typed: bytes, expected: list[str]) -> None:
    assert lines(pipe, typed) == expected


def test_a_line_that_comes_in_pieces_is_one_line(pipe: int) -> None:
    reader = LineReader("")
    os.write(pipe, b"hel")
    os.write(pipe, b"lo\nnext")
    assert reader() == "hello"
    os.close(pipe)
    assert (reader(), reader()) == ("next", None)
