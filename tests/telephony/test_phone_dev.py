"""`voicebot phone dev`, as a process at a terminal: a number calls the agent, and is as it was afterwards."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pexpect
import pytest

pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'phone')")
pytest.importorskip("pyngrok", reason="the package pyngrok is not installed (extra 'phone')")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")

from tests.doubles import ngrok_agent
from tests.doubles.eventually import eventually
from tests.doubles.project import project
from tests.doubles.twilio_rest import PhoneCall, TwilioRest
from voicebot.commands import run

ROOT = Path(__file__).parents[2]
VOICEBOT = str(Path(sys.executable).with_name("voicebot"))
START_S = 90.0
WAS = {"voice_url": "https://old.example.com/voice", "status_callback": "https://old.example.com/status"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project(tmp_path, {"llm": ["openai/double"], "prompt": "You are Ava."})
    return tmp_path


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioRest]:
    async with TwilioRest() as twilio:
        twilio.number().update(WAS)
        yield twilio


def environment(twilio: TwilioRest, **more: str) -> dict[str, str]:
    told = {"VOICEBOT_PARTS": "tests.doubles.served_parts:parts", "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    return {**os.environ, **twilio.environment, **told, **more}


def points_to(twilio: TwilioRest) -> dict[str, str]:
    return {name: twilio.number()[name] for name in WAS}


async def hears_the_agent(call: PhoneCall) -> None:
    stream = await call.streaming(within_s=30)
    await eventually(lambda: stream.spoken > 4000, within_s=30)


async def test_a_number_calls_the_agent_until_ctrl_c_at_a_terminal(twilio: TwilioRest, folder: Path):
    told = environment(twilio, **ngrok_agent.installed(folder))
    child = pexpect.spawn(VOICEBOT, ["phone", "dev", "ava"], cwd=folder, env=told, encoding="utf-8", timeout=START_S)
    try:
        await asyncio.to_thread(child.expect, "until.*Ctrl-C")
        ((public, _),) = ngrok_agent.tunnels(folder)
        assert points_to(twilio) == {
            "voice_url": f"{public}/twilio/voice/ava",
            "status_callback": f"{public}/twilio/status",
        }
        call = await twilio.ring(talk=hears_the_agent)
        assert await call.ended() == "completed"
        await asyncio.to_thread(child.expect, "call ended: caller hung up")
        await asyncio.to_thread(child.expect, "voicebot calls show")
        child.sendintr()
        await asyncio.to_thread(child.expect, "answered again by https://old.example.com/voice")
        await asyncio.to_thread(child.expect, pexpect.EOF)
        await asyncio.to_thread(child.wait)
        assert child.exitstatus == 0
    finally:
        child.close(force=True)
    assert points_to(twilio) == WAS
    assert twilio.debugger == []


async def test_after_kill_9_the_next_start_gives_the_number_back(twilio: TwilioRest, folder: Path):
    port, other = free_port(), free_port()
    first = start(twilio, folder, port)
    try:
        await eventually(lambda: f":{port}/" in points_to(twilio)["voice_url"], within_s=START_S)
    finally:
        first.kill()
        first.wait()
    assert f":{port}/" in points_to(twilio)["voice_url"], "nobody could give it back"
    second = start(twilio, folder, other)
    try:
        await eventually(lambda: f":{other}/" in points_to(twilio)["voice_url"], within_s=START_S)
        urls = [each.sent["VoiceUrl"][0] for each in twilio.requests if "VoiceUrl" in each.sent]
        assert urls[1] == WAS["voice_url"], "it was given back before it was lent again"
        second.send_signal(signal.SIGHUP)  # the terminal is closed
        assert await asyncio.to_thread(second.wait, 30) == 0
    finally:
        second.kill()
        second.wait()
    assert points_to(twilio) == WAS


def start(twilio: TwilioRest, folder: Path, port: int) -> subprocess.Popen[bytes]:
    """At an address that leads there by itself."""
    command = [VOICEBOT, "phone", "dev", "ava", "--url", f"http://127.0.0.1:{port}", "--port", str(port), "--quiet"]
    output = (folder / "output.txt").open("ab")
    return subprocess.Popen(command, cwd=folder, env=environment(twilio), stdout=output, stderr=output)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def test_without_an_account_or_token_there_is_a_next_step(twilio: TwilioRest, folder: Path):
    nobody = {**environment(twilio), "TWILIO_ACCOUNT_SID": "", "TWILIO_AUTH_TOKEN": ""}
    without_account = await said(["ava"], folder, nobody)
    assert "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN" in without_account
    assert "voicebot phone dev --emulate" in without_account
    without_ngrok = await said(["ava"], folder, environment(twilio, **ngrok_agent.installed(folder, token="")))
    assert "set NGROK_AUTHTOKEN in .env" in without_ngrok
    assert points_to(twilio) == WAS


async def said(words: list[str], folder: Path, told: dict[str, str]) -> str:
    """What a start that comes to nothing says."""
    child = await asyncio.create_subprocess_exec(
        VOICEBOT, "phone", "dev", *words, cwd=folder, env=told, stderr=asyncio.subprocess.PIPE
    )
    _, error = await asyncio.wait_for(child.communicate(), START_S)
    assert child.returncode in (2, 3)
    return error.decode()


async def test_a_persona_phones_without_an_account(tmp_path: Path):
    """Over the same webhooks and Media Stream; the agent hangs up at once here, so that it does not take a minute."""
    assert run(["new", str(tmp_path / "clinic"), "--quiet"]) == 0
    told = {**os.environ, "VOICEBOT_PARTS": "tests.doubles.short_call_parts:parts", "PYTHONPATH": str(ROOT)}
    child = await asyncio.create_subprocess_exec(
        VOICEBOT, "phone", "dev", "ava", "--emulate", cwd=tmp_path / "clinic", env=told,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, error = await asyncio.wait_for(child.communicate(), START_S)
    assert child.returncode == 0, error.decode()
    assert "Maria phones ava" in error.decode()
    assert "Good morning. We are closed today." in output.decode()
    assert "call ended: agent hung up" in output.decode()
