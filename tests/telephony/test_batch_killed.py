"""A batch of 200 numbers that is killed three times: nobody is called twice, and what is not known is said."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="FastAPI is not installed (extra 'server')")
pytest.importorskip("twilio", reason="Twilio's SDK is not installed (extra 'phone')")

from tests.doubles.outbound_calls import FROM, prepared
from tests.doubles.project import project
from tests.doubles.serve_process import PARTS, ROOT
from tests.doubles.twilio_account.phones import Answer
from tests.doubles.twilio_rest import Phone, PhoneCall, TwilioRest

PUBLIC = "https://batch.example.com"
NUMBERS = [f"+1{area}555{line:04}" for area in (202, 303) for line in range(100, 200)]
PATIENCE_S = 400.0
"""On a machine that has much else to do; it is done in ten seconds on one that has not."""
ANSWERS: tuple[Answer, ...] = (
    "busy",
    "no-answer",
    "busy",
    "failed",
    "busy",
    "human",
    "no-answer",
    "busy",
    "no-answer",
    "failed",
)


async def hangs_up(call: PhoneCall) -> None:
    """Somebody who has no time."""
    await call.streaming()


class Runs:
    """`voicebot phone batch`, again and again."""

    def __init__(self, root: Path, twilio: TwilioRest) -> None:
        self._root = root
        self._twilio = twilio
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        twilio.reach(PUBLIC, f"127.0.0.1:{self._port}")

    async def start(self) -> asyncio.subprocess.Process:
        told = {**self._twilio.environment, "VOICEBOT_PARTS": PARTS, "PYTHONPATH": str(ROOT)}
        options = ["--at-once", "20", "--per-minute", "0", "--url", PUBLIC, "--port", str(self._port), "--json"]
        program = str(Path(sys.executable).with_name("voicebot"))
        return await asyncio.create_subprocess_exec(
            program, "phone", "batch", "contacts.csv", "--agent", "ava", *options,
            cwd=self._root, env={**os.environ, **told}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def kill_at(self, calls: int) -> None:
        """With SIGKILL, when Twilio was asked for so many."""
        process = await self.start()
        async with asyncio.timeout(PATIENCE_S):
            while len(self._twilio.calls) < calls:
                if process.returncode is not None:
                    _, said = await process.communicate()
                    pytest.fail(f"the batch has ended by itself: {said.decode()[-2000:]}")
                await asyncio.sleep(0.005)
        process.kill()
        await process.communicate()


async def test_200_numbers_and_three_kills(tmp_path: Path):
    project(tmp_path, {"llm": ["openai/double"], "prompt": "You are Ava."})
    prepared(tmp_path, f"outbound: {{from: '{FROM}', quiet: null, ring: 20s}}\n")
    (tmp_path / "contacts.csv").write_text("number,name\n" + "".join(f"{number},Maria\n" for number in NUMBERS))
    async with TwilioRest() as twilio:
        twilio.add_number(FROM)
        for place, number in enumerate(NUMBERS):
            answer = ANSWERS[place % len(ANSWERS)]
            twilio.phones[number] = Phone(answer, talk=hangs_up if answer == "human" else None)
        runs = Runs(tmp_path, twilio)
        for calls in (40, 90, 140):
            await runs.kill_at(calls)
        process = await runs.start()
        async with asyncio.timeout(PATIENCE_S):
            out, said = await process.communicate()
        dialled = Counter(call.to for call in twilio.calls.values())
    assert process.returncode == 0, said.decode()[-3000:]
    outcomes = {each["number"]: each["outcome"] for each in json.loads(out)["numbers"]}
    assert sorted(outcomes) == sorted(NUMBERS)
    assert max(dialled.values()) == 1
    assert {number for number in NUMBERS if not dialled[number]} <= {
        number for number, outcome in outcomes.items() if outcome == "in_doubt"
    }
    assert set(outcomes.values()) <= {"answered", "busy", "no_answer", "failed", "lost", "in_doubt"}
    print(f"\n{len(dialled)} dialled, each once; {dict(Counter(outcomes.values()))}")  # noqa: T201 - what this run came to
