"""The server does what its OpenAPI document says, whatever schemathesis sends it."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path

import pytest

from tests.doubles.rest_client import Rest, rest
from voicebot.server.rest import guard
from voicebot.server.rest.openapi import openapi

SECONDS = 10
SETTINGS = Path(__file__).with_name("schemathesis.toml")
ACTS = ("POST /v1/calls/{call_id}/end", "POST /v1/calls/{call_id}/say", "POST /v1/calls/{call_id}/transfer")
READS = (
    "GET /v1/calls/{call_id}", "GET /v1/calls/{call_id}/events", "GET /v1/calls/{call_id}/recording"
)  # fmt: skip

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("schemathesis") is None, reason="needs schemathesis (make extras)"
)


async def test_schemathesis_finds_nothing(tmp_path, monkeypatch):
    """All of its checks and phases, on calls that are live and on one that is over."""
    for limit in ("KEY_AT_ONCE", "FAILED_AT_ONCE"):
        monkeypatch.setattr(guard, limit, 1_000_000)  # else it meets little but 429
    async with rest(tmp_path / "project", calls=200) as client:
        over, socket = await client.call()
        await socket.close()
        await client.server.idle()
        lives = {act: await client.call() for act in ACTS}
        ids = {act: call_id for act, (call_id, _) in lives.items()} | dict.fromkeys(READS, over)
        settings = tmp_path / "schemathesis.toml"
        settings.write_text(SETTINGS.read_text() + "".join(map(about, ids.items())))
        code, said = await schemathesis(client, settings)
        assert code == 0, said
        paths = openapi()["paths"]
        known = sum(len(paths[path]) for path in paths if path != "/v1/openapi.json")  # where it has the rest from
        assert f"{known} selected / {known} total" in said
        for _, socket in lives.values():
            await socket.close()


def about(operation_and_call: tuple[str, str]) -> str:
    operation, call_id = operation_and_call
    return f'\n[[operations]]\ninclude-name = "{operation}"\nparameters = {{ "path.call_id" = "{call_id}" }}\n'


async def schemathesis(client: Rest, settings: Path) -> tuple[int, str]:
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings), "run"),
        *(f"http://{client.server.address}/v1/openapi.json", "--header", f"Authorization: Bearer {client.secret}"),
        *("--checks", "all", "--max-time", str(SECONDS), "--no-color", "--suppress-health-check", "all"),
        cwd=settings.parent,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(running.communicate(), 60)
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    return running.returncode or 0, said.decode()
