"""A caller in a browser, as far as a server can tell: aiortc, and the requests that the page makes.

async with BrowserCaller(f"http://{server.address}") as caller:
    await caller.call()
    await caller.until("agent")
    await caller.move()          # to another network
    await caller.hang_up()
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from types import TracebackType
from typing import Any
from unittest import mock

import httpx
import numpy as np
from aioice.ice import StunProtocol
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtcconfiguration import RTCIceTransportPolicy
from av import AudioFrame

RATE_HZ = 48000
_FRAME = RATE_HZ // 50
_LOUD = 300
_WITHIN_S = 20.0


class Microphone(MediaStreamTrack):  # type: ignore[misc] # aiortc's types are not read: it is an extra
    """Silence, or what it is given."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._pcm = bytearray()
        self._number = 0
        self._began_s = asyncio.get_running_loop().time()

    def hear(self, pcm: bytes) -> None:
        """s16le mono at RATE_HZ, behind what it hears already."""
        self._pcm += pcm

    async def recv(self) -> AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        await asyncio.sleep(self._began_s + self._number / 50 - asyncio.get_running_loop().time())
        frame = AudioFrame(format="s16", layout="mono", samples=_FRAME)
        frame.planes[0].update(bytes(self._pcm[: 2 * _FRAME]).ljust(2 * _FRAME, b"\0"))
        del self._pcm[: 2 * _FRAME]
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, self._number * _FRAME, Fraction(1, RATE_HZ)
        self._number += 1
        return frame


class BrowserCaller:
    """`relayed`: its network lets nothing out but to the TURN servers that it is told of."""

    def __init__(
        self, url: str, agent: str = "ava", headers: dict[str, str] | None = None, *, relayed: bool = False
    ) -> None:
        self.http = httpx.AsyncClient(base_url=f"{url}/talk/{agent}", headers=headers, timeout=_WITHIN_S)
        self.messages: list[dict[str, Any]] = []
        """What the page would be told."""
        self.heard: list[tuple[float, int]] = []
        """(loop time, loudest sample) of each 20 ms of the agent."""
        self.id = self.secret = ""
        self.microphone: Microphone | None = None
        self._relayed = relayed
        self._servers: list[RTCIceServer] = []
        self._connection: RTCPeerConnection | None = None
        self._listening: list[asyncio.Task[None]] = []
        self._something = asyncio.Event()

    async def __aenter__(self) -> BrowserCaller:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.vanish()
        await self.http.aclose()

    async def ticket(self, **headers: str) -> str:
        """The ticket of one call."""
        answer = await self.http.post("ticket", headers=headers)
        assert answer.status_code == 201, answer.text
        if self._relayed:
            self._servers = [RTCIceServer(**server) for server in answer.json()["ice_servers"]]
        return str(answer.json()["ticket"])

    async def call(self, ticket: str = "") -> None:
        """Until the call is connected."""
        ticket = ticket or await self.ticket()
        connection = await self._offer()
        answer = await self.http.post("calls", json={"ticket": ticket, "sdp": connection.localDescription.sdp})
        assert answer.status_code == 201, answer.text
        self.id, self.secret = answer.json()["id"], answer.json()["secret"]
        await self._connect(connection, answer.json()["sdp"])

    async def move(self) -> None:
        """The same call over another connection; the one before says nothing any more."""
        before = self._connection
        connection = await self._offer()
        answer = await self.ask("offer", {"sdp": connection.localDescription.sdp})
        assert answer.status_code == 200, answer.text
        await self._connect(connection, answer.json()["sdp"])
        if before:
            await before.close()

    async def ask(self, what: str, body: Any = None) -> httpx.Response:
        """About the call, with its secret."""
        path, headers = f"calls/{self.id}/{what}", {"Authorization": f"Bearer {self.secret}"}
        return await self.http.post(path, json=body, headers=headers)

    def say(self, **message: Any) -> None:
        """Over the data channel."""
        self._channel.send(json.dumps(message))

    async def until(self, kind: str, *, after: int = 0, **fields: Any) -> dict[str, Any]:
        """The first message of a kind behind the `after`-th, come or to come, with these fields."""
        async with asyncio.timeout(_WITHIN_S):
            while True:
                for message in self.messages[after:]:
                    if message["type"] == kind and fields.items() <= message.items():
                        return message
                self._something.clear()
                await self._something.wait()

    async def until_it_sounds(self, after_s: float = 0.0) -> float:
        """When the agent is first heard behind `after_s` (loop time)."""
        async with asyncio.timeout(_WITHIN_S):
            while True:
                for at_s, loudest in self.heard:
                    if at_s > after_s and loudest > _LOUD:
                        return at_s
                await asyncio.sleep(0.02)

    async def hang_up(self) -> None:
        assert (await self.ask("end")).status_code == 204

    async def vanish(self) -> None:
        """Everything of it is gone; the server is not told."""
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        if self._connection:
            await self._connection.close()

    async def _offer(self) -> RTCPeerConnection:
        policy = RTCIceTransportPolicy.RELAY if self._relayed else RTCIceTransportPolicy.ALL
        connection = RTCPeerConnection(RTCConfiguration(iceServers=self._servers, iceTransportPolicy=policy))
        self.microphone = Microphone()
        connection.addTrack(self.microphone)
        channel = connection.createDataChannel("voicebot")
        told = max((message["n"] for message in self.messages), default=0)
        channel.on("open", lambda: channel.send(json.dumps({"type": "after", "n": told})))
        channel.on("message", self._told)
        connection.on("track", lambda track: self._listening.append(asyncio.create_task(self._hear(track))))
        self._channel = channel
        await connection.setLocalDescription(await connection.createOffer())
        return connection

    async def _connect(self, connection: RTCPeerConnection, sdp: str) -> None:
        up = asyncio.Event()

        def look() -> None:
            if connection.connectionState == "connected":
                up.set()

        connection.on("connectionstatechange", look)
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        await asyncio.wait_for(up.wait(), _WITHIN_S)
        self._connection = connection

    def _told(self, message: str) -> None:
        self.messages.append(json.loads(message))
        self._something.set()

    async def _hear(self, track: Any) -> None:
        with suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                loudest = int(np.abs(frame.to_ndarray().astype(np.int32)).max())
                self.heard.append((asyncio.get_running_loop().time(), loudest))


@contextmanager
def cut_off() -> Iterator[None]:
    """No datagram of WebRTC's gets out of this process, or in."""
    with (
        mock.patch.object(StunProtocol, "datagram_received"),
        mock.patch.object(StunProtocol, "send_data", mock.AsyncMock()),
        mock.patch.object(StunProtocol, "send_stun"),
    ):
        yield
