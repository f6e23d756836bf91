"""What an MCP server offers are tools of the agent; the server is a real one, and it dies."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from voicebot import clock
from voicebot.agent import McpServer as Settings
from voicebot.brain.tools import Manner, Toolbox
from voicebot.brain.tools.mcp import DESCRIPTION_LENGTH, RESULT_LENGTH, McpServer
from voicebot.errors import BadInput, MissingExtra, Unavailable

pytest.importorskip("mcp", reason="the extra 'mcp' is not installed")

SERVER = str(Path(__file__).parents[2] / "doubles" / "mcp_server.py")


def a_server(root: Path, *, timeout_s: float = 10, idempotent: tuple[str, ...] = (), **settings: Any) -> McpServer:
    if "url" not in settings:
        settings = {"command": sys.executable, "args": [SERVER], **settings}
    return McpServer(Settings(**settings), Manner(timeout_s=timeout_s), idempotent, root)


def names(box: Toolbox) -> list[str]:
    return [schema["function"]["name"] for schema in box.schemas]


async def alive(process: int) -> bool:
    """Whether it is still there a moment later."""
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        await asyncio.sleep(0.05)
    return True


async def test_tools_of_a_program(tmp_path: Path):
    (tmp_path / ".env").write_text("SETTING=s3cret\n")
    server = a_server(
        tmp_path, command=sys.executable, args=[SERVER], env={"DOUBLE_SETTING": "${SETTING}", "PYTHONPATH": ""}
    )
    box = Toolbox([], sources=[server])
    await box.open()
    assert names(box) == ["add", "files_read", "who", "wait", "die", "talkative"]
    about = {schema["function"]["name"]: schema["function"]["description"] for schema in box.schemas}
    assert about["add"] == "Add two numbers. And ring."
    assert len(about["talkative"]) == DESCRIPTION_LENGTH
    assert (await box.run("add", {"first": 1, "second": 2})).result == 3
    assert (await box.run("files_read", {"path": "/x"})).result == "/x: ${SETTING}"
    assert len((await box.run("talkative", {})).content) <= RESULT_LENGTH
    refused = await box.run("files_read", {"path": "/etc/shadow"})
    assert (refused.ok, refused.attempts) == (False, 1)
    assert refused.result.startswith("files_read failed: ")
    wrong = await box.run("add", {"first": "x"})
    assert not wrong.ok
    assert "second" in wrong.result or "add" in wrong.result


async def test_calls_share_one_server_that_is_started_again_when_it_dies(tmp_path: Path):
    one, other = a_server(tmp_path, idempotent=("who",)), a_server(tmp_path, idempotent=("who",))
    first, second = Toolbox([], sources=[one]), Toolbox([], sources=[other])
    await asyncio.gather(first.open(), second.open())
    process = (await first.run("who", {})).result
    assert (await second.run("who", {})).result == process
    waiting = asyncio.create_task(first.run("wait", {"seconds": 60}))
    await asyncio.sleep(0.2)
    os.kill(process, signal.SIGKILL)
    outcome = await waiting
    assert (outcome.ok, outcome.attempts) == (False, 1)
    assert "went away" in outcome.result
    again = await second.run("who", {})
    assert again.ok
    assert again.result != process
    os.kill(again.result, signal.SIGKILL)  # this time nobody is waiting for it
    assert not await alive(again.result)
    await asyncio.sleep(0.2)  # that its pipe is closed is read like anything else
    assert (await first.run("add", {"first": 1, "second": 1})).result == 2


def test_the_server_goes_when_the_loop_does(tmp_path: Path):
    async def main() -> int:
        box = Toolbox([], sources=[a_server(tmp_path, timeout_s=20)])
        await box.open()
        process = (await box.run("who", {})).result
        assert isinstance(process, int)
        return process

    process = clock.run(main(), skip_idle=True)
    assert not asyncio.run(alive(process))


async def test_a_tool_that_does_not_answer_is_given_up_and_the_server_stays(tmp_path: Path):
    server = a_server(tmp_path, timeout_s=1)
    box = Toolbox([], sources=[server])
    await box.open()
    outcome = await box.run("wait", {"seconds": 1.5})
    assert (outcome.ok, outcome.result) == (False, "wait gave no answer within 1 s; it may still take effect.")
    await asyncio.sleep(0.6)
    assert (await box.run("add", {"first": 1, "second": 1})).result == 2


async def test_only_what_is_wanted_is_there_and_a_wrong_name_is_said(tmp_path: Path):
    box = Toolbox([], sources=[a_server(tmp_path, only=["who"])])
    await box.open()
    assert names(box) == ["who"]
    with pytest.raises(BadInput, match=r"has no tool 'whoo'\. Did you mean 'who'\?"):
        await Toolbox([], sources=[a_server(tmp_path, only=["whoo"])]).open()


@asynccontextmanager
async def over_http() -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """(address, process) of the double behind a port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(sys.executable, SERVER, str(port), stderr=-3)
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    break
                except OSError:
                    await asyncio.sleep(0.1)
        writer.close()
        yield f"http://127.0.0.1:{port}/mcp", process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_tools_of_a_server_on_the_network_that_dies(tmp_path: Path):
    async with over_http() as (url, process):
        box = Toolbox([], sources=[a_server(tmp_path, url=url, timeout_s=5)])
        await box.open()
        assert (await box.run("add", {"first": 1, "second": 2})).result == 3
        waiting = asyncio.create_task(box.run("wait", {"seconds": 60}))
        await asyncio.sleep(0.3)
        process.kill()
        outcome = await waiting
        assert (outcome.ok, outcome.attempts) == (False, 1)
        assert "went away" in outcome.result
        gone = await box.run("add", {"first": 1, "second": 2})
        assert not gone.ok
        assert "cannot be used" in gone.result


@pytest.mark.parametrize(
    ("script", "said"),
    [("import nonsense_package", "No module named 'nonsense_package'"), ("print('hello')", "cannot be used: ")],
)
async def test_a_program_that_is_no_server_says_why(tmp_path: Path, script: str, said: str):
    box = Toolbox([], sources=[a_server(tmp_path, command=sys.executable, args=["-c", script])])
    with pytest.raises(Unavailable, match=said):
        await box.open()


def test_a_program_that_is_not_there_is_said_before_the_call(tmp_path: Path):
    with pytest.raises(BadInput, match="there is no program 'no-such-server'"):
        a_server(tmp_path, command="no-such-server")


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(MissingExtra, match=r'pip install "voicebot\[mcp\]"'):
        a_server(tmp_path)
