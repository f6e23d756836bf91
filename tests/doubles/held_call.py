"""A caller on the plain websocket who says nothing, stays on the line, and measures what comes.

    call = await dial(url, "ava", secret)      # or Refused
    ...
    await call.hang_up()
    call.gap_ms, call.bye, call.code

`parts` goes with it, for `VOICEBOT_PARTS`: an agent that speaks without an end and in real time, so that each hold-up
of the server is a hole in what is heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.doubles.eventually import eventually
from voicebot.agent import Agent
from voicebot.evals.bench.calls import stubs
from voicebot.tts import Speech

PARTS = "tests.doubles.held_call:parts"
_RATE_HZ = 8000
_PIECE_S = 0.1
_PIECE = bytes(int(2 * _RATE_HZ * _PIECE_S))
_LONGEST_S = 120.0
_TONE = stubs.speak("a hundred")[: len(_PIECE)]


class Refused(Exception):
    """Instead of a call: an HTTP status."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes, took_s: float) -> None:
        super().__init__(f"{status}: {body.decode(errors='replace')}")
        self.status, self.headers, self.took_s = status, headers, took_s


class Held:
    """One call."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._heard_until_s: float | None = None
        self.gap_ms = 0.0
        """The longest silence in the middle of what the agent said."""
        self.heard_s = 0.0
        self.bye = False
        """Whether the server said goodbye, in the protocol."""
        self.code: int | None = None
        """How the socket was closed; 1006: it was cut."""
        self.lasted_s = 0.0
        self._began_s = asyncio.get_running_loop().time()
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._be_silent())]

    @property
    def live(self) -> bool:
        return self.code is None

    async def speaks(self) -> None:
        """Returns when the agent is heard."""
        await eventually(lambda: self.heard_s > 0 or not self.live, 15.0)

    async def hang_up(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(json.dumps({"type": "hang_up"}))
        await self.over()

    async def over(self, within_s: float = 10.0) -> None:
        async with asyncio.timeout(within_s):
            await asyncio.gather(*self._tasks)

    async def _listen(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in self._socket:
                if isinstance(message, bytes):
                    self._hear(len(message) / 2 / _RATE_HZ)
                else:
                    self.bye |= json.loads(message)["type"] == "bye"
        self.lasted_s = asyncio.get_running_loop().time() - self._began_s
        self.code = self._socket.close_code

    def _hear(self, length_s: float) -> None:
        now_s = asyncio.get_running_loop().time()
        if self._heard_until_s is not None:
            self.gap_ms = max(self.gap_ms, 1000 * (now_s - self._heard_until_s))
        self._heard_until_s = max(now_s, self._heard_until_s or 0.0) + length_s
        self.heard_s += length_s

    async def _be_silent(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while self.live:
                await self._socket.send(_PIECE)
                await asyncio.sleep(_PIECE_S)


async def dial(url: str, agent: str, secret: str) -> Held:
    """The call, when the server has said `ready`. Raises Refused."""
    loop = asyncio.get_running_loop()
    asked_s = loop.time()
    address = f"{url.replace('http', 'ws', 1)}/v1/agents/{agent}/stream"
    headers = {"Authorization": f"Bearer {secret}"}
    try:
        socket = await connect(address, additional_headers=headers, compression=None, proxy=None)
    except InvalidStatus as error:
        answer = error.response
        raise Refused(
            answer.status_code, dict(answer.headers.raw_items()), bytes(answer.body or b""), loop.time() - asked_s
        ) from None
    await socket.send(json.dumps({"type": "hello", "format": "pcm_s16le", "rate_hz": _RATE_HZ}))
    assert json.loads(await socket.recv())["type"] == "ready"
    return Held(socket)


class _EndlessVoice:
    name = "endless"

    async def load(self) -> None: ...

    async def speak(self, text: str) -> AsyncGenerator[Speech, None]:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        for _ in range(int(_LONGEST_S / _PIECE_S)):
            yield Speech(_TONE, _RATE_HZ)
            due_s += _PIECE_S
            await asyncio.sleep(due_s - loop.time())


def parts(agent: Agent) -> dict[str, Any]:
    """For one call."""
    return {"stt": stubs.Recogniser(), "tts": _EndlessVoice(), "brain": stubs.Brain()}
