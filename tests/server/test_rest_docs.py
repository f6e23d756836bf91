"""docs/rest.md tells the truth: its commands work, and it names every operation, scope and figure."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.doubles.rest_client import rest
from voicebot.server.rest.openapi import openapi
from voicebot.server.rest.problems import Problem

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/rest.md").read_text()
COMMANDS = re.findall(r"^ {4}((?:curl|sed) .*)$", PAGE, re.MULTILINE)


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
async def test_every_command_of_the_page_works(tmp_path):
    assert len(COMMANDS) >= 12
    async with rest(tmp_path / "project") as client:
        call_id, socket = await client.call()
        environment = {**os.environ, "KEY": client.secret, "CALL": call_id}
        said = {}
        for command in COMMANDS:
            if "/events" in command:
                await client.server.idle()
            running = await asyncio.create_subprocess_shell(
                command.replace("http://localhost:8080", f"http://{client.server.address}"),
                cwd=tmp_path,
                env=environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await asyncio.wait_for(running.communicate(), 10)
            assert running.returncode == 0, (command, output)
            said[command] = output.decode()
        await socket.close()
    assert (tmp_path / "call.wav").read_bytes().startswith(b"RIFF")
    assert "name: Ava of the night" in (tmp_path / "project/agents/ava.yaml").read_text()
    resumed = next(output for command, output in said.items() if "Last-Event-ID" in command)
    assert resumed.startswith("id: 4\n")
    assert '"type":"call_ended"' in resumed
    assert any("voicebot_calls_started_total 1.0" in output for output in said.values())


def test_the_page_names_every_operation_and_its_scope():
    rows = "\n".join(line for line in PAGE.splitlines() if line.startswith("| `"))
    for path, operations in openapi()["paths"].items():
        if path == "/v1/openapi.json":
            continue
        last = path.removeprefix("/v1/calls/{call_id}/")
        named = path.replace("{call_id}", "{id}")
        row = next((row for row in rows.splitlines() if named in row or f"`{last}`" in row), "")
        assert row, path
        for operation in operations.values():
            for scope in (operation.get("security") or [{"key": []}])[0]["key"]:
                assert any(scope in each for each in rows.splitlines() if named in each or f"`{last}`" in each), path


def test_the_problem_on_the_page_is_one_of_ours():
    shown = json.loads(re.findall(r'^ {4}(\{"type".*)$', PAGE, re.MULTILINE)[0])
    assert Problem(409, "Call is not live", "This call has ended.").body == shown
