"""One server for all that is thrown at it. Behind each test it has to be as it was before."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.doubles.project import project
from tests.doubles.serve_process import TOKEN, Server, serving
from tests.doubles.twilio_caller import PUBLIC
from voicebot.server.state import SCOPES

CALM_S = 20.0
AGENT = "agents/ava.yaml"
LIMIT = 60
KEYS = 60
"""A key may ask 20 times a second in the long run: with so many nobody has to wait."""
SPARE_FILES = 30
"""Connections to the database, threads and the like that come and go."""
_ACTIVE = re.compile(r"^voicebot_calls_active(?:\{.*\})? (\S+)$", re.MULTILINE)


@dataclass
class Target:
    """The server, and what its friends have."""

    server: Server
    secrets: list[str]
    workers: list[int]
    files: int = 0
    agent: str = ""
    """The file of the one there is."""
    _next: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self._next = itertools.cycle(self.secrets)

    @property
    def port(self) -> int:
        return self.server.port

    def key(self) -> dict[str, str]:
        """The header of somebody who may everything."""
        return {"Authorization": f"Bearer {next(self._next)}"}

    def is_well(self) -> None:
        """Alive, the same processes, no calls, no connections left, and nothing broke."""
        assert self.server.status("/readyz") == 200
        assert [worker.pid for worker in self.server.workers] == self.workers
        assert self.tracebacks() == []
        until_s = time.monotonic() + CALM_S
        while (left := self._left()) != (0, 0) and time.monotonic() < until_s:
            time.sleep(0.1)
        assert left == (0, 0), "calls, files"

    def tracebacks(self) -> list[str]:
        """In the log."""
        lines = self.server.log.read_text(errors="replace").splitlines()
        assert lines
        told = [json.loads(line) for line in lines if line.startswith("{")]
        return [line["traceback"][-2000:] for line in told if "traceback" in line]

    def _left(self) -> tuple[int, int]:
        metrics = httpx.get(f"{self.server.url}/metrics", headers=self.key()).raise_for_status().text
        calls = sum(float(number) for number in _ACTIVE.findall(metrics))
        return int(calls), max(0, self.server.files() - self.files - SPARE_FILES)


@pytest.fixture(scope="session")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    root: Path = tmp_path_factory.mktemp("fuzzed")
    project(root, {"llm": ["openai/double"], "prompt": "You are Ava."})
    with serving(root, "--calls", str(LIMIT), "--public-url", PUBLIC) as server:
        target = Target(server, server.create_keys(SCOPES, KEYS), [worker.pid for worker in server.workers])
        target.is_well()
        target.files, target.agent = server.files(), (root / AGENT).read_text()
        yield target
        assert server.stop() == 0
        log = server.log.read_text(errors="replace")
        assert [secret for secret in (*target.secrets, TOKEN, "ticket=") if secret in log] == []


@pytest.fixture
def target(_served: Target) -> Iterator[Target]:
    yield _served
    _served.is_well()
    (_served.server.project / AGENT).write_text(_served.agent)  # a friend may have deleted or replaced it, rightly
