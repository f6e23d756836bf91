"""A loopback Deepgram: the real SDK talks to it over its real websocket protocol (v1 listen and v2 listen).

It does not recognise: the n-th utterance on it is said to be the n-th of `says`, a word for each half second of audio
so far, all of it when the utterance is ended. `fault` makes it misbehave.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from aiohttp import WSMsgType, web

Fault = Literal["", "401", "429", "cut", "garbage", "silent end", "late", "out of order", "error message", "twice"]
HALF_SECOND = 16000
"""Bytes of s16le at 16 kHz."""


class DeepgramServer:
    def __init__(self, says: list[str], fault: Fault = "") -> None:
        self.says = list(says)
        self.fault = fault
        self.connections = 0
        self.headers: dict[str, str] = {}
        self.query: list[tuple[str, str]] = []
        self.kept_alive = 0
        self.heard = 0
        """Bytes of audio."""
        self.address = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[DeepgramServer]:
        app = web.Application()
        app.router.add_get("/v1/listen", self._listen)
        app.router.add_get("/v2/listen", self._listen)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"ws://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        self.connections += 1
        self.headers = dict(request.headers)
        self.query = list(request.query.items())
        if self.fault in ("401", "429"):
            return web.Response(status=int(self.fault), text="no")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await _Session(self, socket, flux=request.path.startswith("/v2")).run()
        return socket


class _Session:
    def __init__(self, server: DeepgramServer, socket: web.WebSocketResponse, *, flux: bool) -> None:
        self.server = server
        self.socket = socket
        self.flux = flux
        self.since = 0
        """Where in the audio the utterance began, in bytes."""
        self.got = 0
        self.turn = 0
        self.words = server.says.pop(0).split() if server.says else []
        self.told = 0

    async def run(self) -> None:
        if self.flux:
            await self.send({"type": "Connected", "request_id": "1", "sequence_id": 0})
        async for message in self.socket:
            if message.type is WSMsgType.BINARY:
                await self.audio(len(message.data))
            elif message.type is WSMsgType.TEXT:
                await self.told_by_client(json.loads(message.data)["type"])
            if self.socket.closed:
                return

    async def audio(self, size: int) -> None:
        self.got += size
        self.server.heard += size
        words = (self.got - self.since) // HALF_SECOND
        if self.server.fault == "cut" and words >= 1:
            await self.socket.close(code=1011, message=b"NET-0001")
        elif self.server.fault == "error message" and words >= 1:
            await self.send({"type": "Error", "description": "the server is on fire", "message": "x", "variant": "y"})
        elif self.server.fault == "garbage" and words >= 1:
            await self.socket.send_str("{not json")
        elif words > self.told:
            self.told = words
            await self.tell(self.words[:words], final=False)

    async def told_by_client(self, kind: str) -> None:
        if kind == "KeepAlive":
            self.server.kept_alive += 1
        elif kind in ("Finalize", "ForceEndTurn"):
            await self.end()

    async def end(self) -> None:
        fault = self.server.fault
        if fault == "silent end":
            await self.tell(self.words, final=True)
        elif fault == "late":
            asyncio.get_running_loop().call_later(1.3, asyncio.ensure_future, self.answer(self.since, self.words))
        elif fault == "out of order":
            half = len(self.words) // 2
            await self.answer((self.since + self.got) // 2, self.words[half:], ends=False)
            await self.answer(self.since, self.words[:half], until=(self.since + self.got) // 2)
        else:
            await self.tell(self.words, final=True, ends=True)
            if fault == "twice":
                await self.tell(self.words, final=True, ends=True)
        self.since, self.told, self.turn = self.got, 0, self.turn + 1
        self.words = self.server.says.pop(0).split() if self.server.says else []

    async def tell(self, words: list[str], *, final: bool, ends: bool = False) -> None:
        await self.answer(self.since, words, final=final, ends=ends)

    async def answer(
        self, start: int, words: list[str], *, until: int | None = None, final: bool = True, ends: bool = True
    ) -> None:
        start_s, end_s = start / 32000, (self.got if until is None else until) / 32000
        if self.flux:
            await self.send(self.turn_info(words, end_s, final))
            return
        best = {"transcript": " ".join(words), "confidence": 0.9, "words": []}
        await self.send(
            {
                "type": "Results",
                "channel_index": [0, 1],
                "start": start_s,
                "duration": end_s - start_s,
                "is_final": final,
                "speech_final": False,
                "from_finalize": ends,
                "channel": {"alternatives": [best]},
                "metadata": {
                    "request_id": "1",
                    "model_info": {"name": "n", "version": "1", "arch": "a"},
                    "model_uuid": "",
                },
            }
        )

    def turn_info(self, words: list[str], end_s: float, final: bool) -> dict[str, Any]:
        return {
            "type": "TurnInfo",
            "request_id": "1",
            "sequence_id": 1,
            "event": "EndOfTurn" if final else "Update",
            "turn_index": self.turn,
            "audio_window_start": self.since / 32000,
            "audio_window_end": end_s,
            "transcript": " ".join(words),
            "words": [{"word": word, "confidence": 0.8} for word in words],
            "end_of_turn_confidence": 0.2,
        }

    async def send(self, message: dict[str, Any]) -> None:
        if not self.socket.closed:
            await self.socket.send_json(message)
