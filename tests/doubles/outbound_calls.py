"""A server that may call out, and the double of Twilio that it does it with.

async with calling_out(tmp_path, twilio) as scene:
    answer = await scene.ask("+12025550123")
    row = await scene.over(answer.json()["id"])
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.doubles.phone_server import Served, served
from tests.doubles.twilio_caller import CALLEE, PUBLIC
from tests.doubles.twilio_rest import TwilioRest
from voicebot.server.state import CallRow
from voicebot.telephony.account import API_URL

FROM = "+12025550100"
PHONE_YAML = f"""
numbers: {{{FROM}: {{agent: ava}}}}
outbound: {{from: ["{FROM}"], quiet: null, ring: 20s, voicemail: "Good day {{{{name}}}}, please call us back."}}
"""


def prepared(root: Path, text: str = PHONE_YAML) -> None:
    """phone.yaml of the project."""
    (root / "phone.yaml").write_text(text)


@dataclass
class Scene:
    """One server and its Twilio."""

    server: Served
    twilio: TwilioRest
    key: str

    async def ask(self, to: str, call_id: str = "", **more: Any) -> httpx.Response:
        """POST /v1/calls."""
        wanted = {"agent": "ava", "to": to, "parameters": {"name": "Maria"}, **more}
        headers = {"Authorization": f"Bearer {self.key}", **({"Idempotency-Key": call_id} if call_id else {})}
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            return await http.post(f"http://{self.server.address}/v1/calls", json=wanted, headers=headers)

    async def over(self, call_id: str, within_s: float = 30.0) -> CallRow:
        """The call, when its end is written down."""
        async with asyncio.timeout(within_s):
            while True:
                row = await self.server.site.state.calls.get(call_id)
                if row and row.state == "ended":
                    return row
                await asyncio.sleep(0.02)

    def dialled(self, to: str) -> int:
        """How often a number was called."""
        return sum(call.to == to and call.direction == "outbound-api" for call in self.twilio.calls.values())


@asynccontextmanager
async def calling_out(
    root: Path, patch: pytest.MonkeyPatch, text: str = PHONE_YAML, **how: Any
) -> AsyncIterator[Scene]:
    """The agent is 'ava'."""
    async with TwilioRest() as twilio:
        for name, value in twilio.environment.items():
            patch.setenv(name, value)
        assert API_URL in twilio.environment
        twilio.add_number(FROM)
        assert CALLEE != FROM
        async with served(root, public_url=PUBLIC, **how) as server:
            prepared(root, text)
            twilio.reach(PUBLIC, server.address)
            _, key = await server.site.state.keys.create("test", ["calls:read", "calls:write"], None)
            yield Scene(server, twilio, key)
