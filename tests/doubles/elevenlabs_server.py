"""A loopback ElevenLabs: the real SDK talks to it over its real HTTP protocol (voices, clones, stream with timestamps).

Each letter sounds for 50 ms; the audio comes in chunks of ten letters. `fault` makes it misbehave.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from aiohttp import BodyPartReader, web

Fault = Literal["", "401", "422", "429", "500", "cut", "garbage", "hangs", "silent"]
LETTER_S = 0.05
RATE_HZ = 16000
VOICE_ID = "21m00Tcm4TlvDq8ikWAM"


class ElevenLabsServer:
    def __init__(self, fault: Fault = "", *, after_voices: bool = False) -> None:
        """`after_voices`: what voices there are is answered in any case."""
        self.fault: Fault = "" if after_voices else fault
        self._later: Fault = fault if after_voices else ""
        self.address = ""
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.aborted = 0
        self.voices: list[dict[str, Any]] = [
            {"voice_id": VOICE_ID, "name": "Rachel", "labels": {"gender": "female", "accent": "american"}},
            {"voice_id": "x" * 20, "name": "Adam - deep", "labels": {"gender": "male", "language": "en"}},
        ]
        self.made: list[tuple[str, dict[str, bytes]]] = []
        """(name, samples by file name) of the voices that were asked for."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ElevenLabsServer]:
        app = web.Application()
        app.router.add_get("/v2/voices", self._voices)
        app.router.add_post("/v1/voices/add", self._clone)
        app.router.add_post("/v1/text-to-speech/{voice}/stream/with-timestamps", self._speak)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    def _refused(self, request: web.Request) -> web.Response | None:
        self.keys.append(request.headers.get("xi-api-key", ""))
        if self.fault in ("401", "422", "429", "500"):
            return web.json_response({"detail": {"status": "no", "message": "not today"}}, status=int(self.fault))
        return None

    async def _voices(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        if self.fault == "silent":
            await asyncio.sleep(3600)
        self.fault = self.fault or self._later
        wanted = request.query.get("search", "").lower()
        found = [voice for voice in self.voices if wanted in voice["name"].lower()]
        return web.json_response({"voices": found, "has_more": False, "total_count": len(found)})

    async def _clone(self, request: web.Request) -> web.StreamResponse:
        """`cut`: the voice is made, and the connection dies before the answer."""
        name, samples = "", {}
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            if part.name == "name":
                name = await part.text()
            elif part.name == "files":
                samples[part.filename or ""] = bytes(await part.read())
        if refused := self._refused(request):
            return refused
        self.made.append((name, samples))
        self.voices.append({"voice_id": "c" * 20, "name": name, "category": "cloned"})
        if self.fault == "cut":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"voice_id": "c" * 20, "requires_verification": False})

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        if refused := self._refused(request):
            return refused
        asked = await request.json()
        self.requests.append({**asked, "voice": request.match_info["voice"], **request.query})
        response = web.StreamResponse(headers={"content-type": "application/json"})
        await response.prepare(request)
        try:
            await self._chunks(response, asked["text"])
        except (asyncio.CancelledError, ConnectionResetError):
            self.aborted += 1
            raise
        return response

    async def _chunks(self, response: web.StreamResponse, text: str) -> None:
        for at in range(0, len(text), 10):
            if at and self.fault == "cut":
                assert response._req is not None
                assert response._req.transport is not None
                response._req.transport.abort()
                return
            if at and self.fault == "hangs":
                await asyncio.sleep(3600)
            if at and self.fault == "garbage":
                await response.write(b"{this is not json}\n")
                return
            await response.write(json.dumps(self._chunk(text, at)).encode() + b"\n")
            await asyncio.sleep(0.005)

    def _chunk(self, text: str, at: int) -> dict[str, Any]:
        letters = text[at : at + 10]
        starts = [(at + index) * LETTER_S for index in range(len(letters))]
        samples = int(len(letters) * LETTER_S * RATE_HZ)
        alignment = {
            "characters": list(letters),
            "character_start_times_seconds": starts,
            "character_end_times_seconds": [start + LETTER_S for start in starts],
        }
        return {"audio_base64": base64.b64encode(b"\1\0" * samples).decode(), "alignment": alignment}
