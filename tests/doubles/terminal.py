"""A real terminal with a program in it: tmux, which holds the screen that the program has drawn on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import pytest

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed: apt-get install tmux")
SECONDS = 120.0
"""A loaded machine takes its time; what is there at once is seen at once."""
_TELLS = 'trap : INT; "$@"; echo $? >"$0.new" && mv "$0.new" "$0"'
"""Runs the program and writes its exit code into a file: now and then tmux overlooks that a child of its has ended."""


class Terminal:
    """`press` keys as tmux calls them ("Enter", "C-r"), `type` text, `sees` waits for something on the screen."""

    def __init__(self, command: list[str], folder: Path, columns: int = 120, rows: int = 40) -> None:
        self._server = f"voicebot-{os.getpid()}-{time.monotonic_ns()}"
        self._folder = folder
        self._kept = TemporaryDirectory(prefix="voicebot-terminal-")
        self._code = Path(self._kept.name) / "code"
        self._size = (columns, rows)
        self._begin = [
            "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
            "-e", "COLORTERM=truecolor", "-e", "TEXTUAL_ANIMATIONS=none",
            "sh", "-c", _TELLS, str(self._code), *command,
        ]  # fmt: skip

    def __enter__(self) -> Self:
        self._tmux(*self._begin)
        self._tmux("set-option", "-g", "remain-on-exit", "on")
        self.resize(*self._size)  # a session that nobody looks at has a size of tmux's own
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._tmux("kill-server")
        self._kept.cleanup()

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-L", self._server, *words]
        return subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=True, timeout=60).stdout

    @property
    def text(self) -> str:
        """What is on the screen now."""
        return self._tmux("capture-pane", "-p")

    @property
    def exit_code(self) -> int | None:
        """None while the program runs."""
        return int(self._code.read_text()) if self._code.exists() else None

    def sees(self, pattern: str) -> str:
        ends = time.monotonic() + SECONDS
        while not re.search(pattern, text := self.text):
            assert time.monotonic() < ends, f"no {pattern!r} on the screen:\n{text}"
            assert self.exit_code is None, f"it has ended with {self.exit_code}:\n{text}"
            time.sleep(0.1)
        return text

    def ends(self) -> int:
        """Wait for the program's end. Returns its exit code."""
        ends = time.monotonic() + SECONDS
        while (code := self.exit_code) is None:
            assert time.monotonic() < ends, f"it does not end:\n{self.text}"
            time.sleep(0.1)
        return code

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))
