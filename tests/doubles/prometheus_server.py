"""A real Prometheus with the configuration that is deployed, but for addresses, files and pace.

prometheus = PrometheusServer(tmp_path, server.port, secret)     # skips by name where Debian's package is missing
with prometheus.running():
    prometheus.ask("query", query='up{job="voicebot"}')
"""

from __future__ import annotations

import math
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

OBSERVE = Path(__file__).resolve().parents[2] / "deploy" / "observe"
PACE_S = 1
"""Between two looks at a server, and at the rules; a minute of range has enough of them."""
_START_S = 60.0


def program(name: str) -> str:
    """Where `prometheus` or `promtool` is; skips by name when it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}: apt-get install prometheus")
    return found


class Rejected(Exception):
    """Prometheus does not understand what it was asked."""


class PrometheusServer:
    """Looks at one voicebot."""

    def __init__(self, folder: Path, port: int, secret: str) -> None:
        """`folder` is for its data; `port` is that of a voicebot here, `secret` a key with the scope metrics:read."""
        self._program = program("prometheus")
        self._folder = folder
        self._port = _free_port()
        self._began_s = time.time()
        self.instance = f"127.0.0.1:{port}"
        """The voicebot, as its series name it."""
        self.config = folder / "prometheus.yaml"
        key = folder / "metrics.key"
        key.write_text(f"{secret}\n")  # as `voicebot keys create --quiet` writes it
        self.config.write_text(yaml.safe_dump(_adapted(self.instance, key)))

    @contextmanager
    def running(self) -> Iterator[None]:
        options = {
            "config.file": self.config,
            "storage.tsdb.path": self._folder / "data",
            "web.listen-address": f"127.0.0.1:{self._port}",
            "log.level": "warn",
        }
        log = self._folder / "prometheus.log"
        with log.open("wb") as output:
            command = [self._program, *(f"--{name}={value}" for name, value in options.items())]
            process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            until(lambda: self._answers(process, log), _START_S)
            yield
        finally:
            process.terminate()
            process.wait()

    def ask(self, what: str, **parameters: Any) -> Any:
        """The data of its HTTP API's /api/v1/`what`. Raises Rejected."""
        answer = self._get(f"/api/v1/{what}", **parameters).json()
        if answer["status"] != "success" or answer.get("warnings"):
            raise Rejected(f"{what} {parameters}: {answer}")
        return answer["data"]

    def has_data(self, query: str) -> bool:
        """Whether there was a number at any time since it runs, for a panel that shows all of it. Raises Rejected."""
        span = {"start": self._began_s, "end": time.time(), "step": PACE_S}
        found = self.ask("query_range", query=query, **span)["result"]
        return any(not math.isnan(float(value)) for series in found for _, value in series["values"])

    def is_up(self) -> bool:
        """Whether it could read the voicebot's figures when it last looked."""
        return self.state() == ["up"]

    def state(self) -> list[str]:
        """Of the voicebot: 'up', or why not; [] before the first look."""
        return [target["lastError"] or target["health"] for target in self.ask("targets")["activeTargets"]]

    def alert(self, name: str) -> dict[str, Any]:
        """The first one of this name that is pending or firing; {}: there is none."""
        active = self.ask("alerts")["alerts"]
        return next((each for each in active if each["labels"]["alertname"] == name), {})

    def _answers(self, process: subprocess.Popen[bytes], log: Path) -> bool:
        assert process.poll() is None, f"Prometheus did not start:\n{log.read_text(errors='replace')[-3000:]}"
        try:
            return self._get("/-/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _get(self, path: str, **parameters: Any) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self._port}{path}", params=parameters, timeout=30, trust_env=False)


def until(true: Callable[[], bool], within_s: float, else_: Callable[[], object] = str) -> None:
    """Asks again and again until it is true. Raises AssertionError, with what `else_` says then."""
    end_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end_s, f"not true within {within_s:.0f} s: {else_()}"
        time.sleep(0.1)


def _adapted(instance: str, key: Path) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((OBSERVE / "prometheus.yaml").read_text())
    config["global"] |= {"scrape_interval": f"{PACE_S}s", "evaluation_interval": f"{PACE_S}s"}
    config["rule_files"] = [str(OBSERVE / name) for name in config["rule_files"]]
    [job] = config["scrape_configs"]
    assert job["authorization"].keys() == {"credentials_file"}
    job["authorization"]["credentials_file"] = str(key)
    job["static_configs"] = [{"targets": [instance]}]
    return config


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
