"""One connection of a browser: sound both ways and a data channel, on aiortc.

A connection is never mended: when the browser's network changes it offers a new one, and the call goes on over that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from aiortc import RTCConfiguration, RTCDataChannel, RTCIceServer, RTCPeerConnection
from aiortc.jitterbuffer import JitterBuffer
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcconfiguration import RTCBundlePolicy
from loguru import logger

from . import offer
from .ports import NoPort, Ports
from .speech import Speech
from .track import Track

CHANNEL = "voicebot"
"""The label of the data channel."""
RATE_HZ = 48000
"""Of the sound that comes."""
_CLOSE_S = 5.0
_MOST_WAITING_BYTES = 256 * 1024
"""A page that does not take what it is told is told no more."""
_REORDER = 4
"""Packets of 20 ms that one which is missing is waited for."""


class Owner(Protocol):
    """Whose connection it is. Plain calls on the event loop."""

    def sound(self, peer: Peer, pcm: bytes, starts_ms: int) -> None:
        """The next of the caller's, s16le mono at RATE_HZ; `starts_ms` counts in the browser's own time."""

    def message(self, peer: Peer, message: object) -> None: ...

    def opened(self, peer: Peer) -> None:
        """It is connected."""

    def shut(self, peer: Peer) -> None:
        """It failed, or the browser closed it."""


class Peer:
    def __init__(
        self,
        owner: Owner,
        speech: Speech,
        rate_hz: int,
        servers: Sequence[offer.IceServer],
        ports: Ports | None = None,
    ) -> None:
        self.track = Track(speech, rate_hz)
        self.base_ms: int | None = None
        """For the owner: what it adds to `starts_ms`."""
        self.synced = False
        """For the owner: the page has said what it knows."""
        self._owner = owner
        self._servers = servers
        self._ports = ports
        self._channel: RTCDataChannel | None = None
        self._listening: asyncio.Task[None] | None = None
        self._connection = RTCPeerConnection(
            RTCConfiguration([_server(each) for each in servers], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._connection.on("track", self._on_track)
        self._connection.on("datachannel", self._on_channel)
        self._connection.on("connectionstatechange", self._on_state)

    async def answer(self, offered: Any) -> str:
        """The SDP for the browser. Raises NoOffer, NoPort."""
        try:
            await self._connection.setRemoteDescription(offered)
            self._connection.addTrack(self.track)
            if self._ports:
                self._ports.use(self._connection)
            await self._connection.setLocalDescription()
        except NoPort:
            raise
        except Exception as error:  # noqa: BLE001 - what aiortc makes of a stranger's words has no errors of its own
            logger.debug(f"an offer cannot be answered: {type(error).__name__}: {error}")
            raise offer.NoOffer("this offer cannot be answered.") from None
        answered = str(self._connection.localDescription.sdp)
        self._warn(answered)
        return answered

    def _warn(self, answered: str) -> None:
        """Of servers that do not help: aioice goes on without, and says nothing."""
        for scheme, kind in (("stun", "srflx"), ("turn", "relay")):
            urls = [each.url for each in self._servers if each.url.startswith(scheme)]
            if urls and f" typ {kind}" not in answered:
                remedy = ", or does not take its credentials: is VOICEBOT_TURN_SECRET its secret?"
                logger.warning(f"{urls[0]} gave no address: it does not answer{remedy if scheme == 'turn' else '.'}")

    async def candidate(self, candidate: offer.Candidate) -> None:
        """Another address of the browser's, if it is one."""
        if found := offer.address(candidate):
            try:
                await self._connection.addIceCandidate(found)
            except ValueError as error:
                logger.debug(f"an address of a browser is not used: {error}")

    def tell(self, message: str) -> None:
        """Ignored when there is no channel, or nobody takes what is in it."""
        channel = self._channel
        if channel and channel.readyState == "open" and channel.bufferedAmount < _MOST_WAITING_BYTES:
            channel.send(message)

    @property
    def untold(self) -> int:
        """Bytes that wait to be sent over the channel."""
        return int(self._channel.bufferedAmount) if self._channel and self._channel.readyState == "open" else 0

    async def close(self) -> None:
        """Everything of it is gone then. Idempotent."""
        self._connection.remove_all_listeners()
        if self._listening:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        self.track.stop()
        try:
            await asyncio.wait_for(self._connection.close(), _CLOSE_S)
        except TimeoutError:
            logger.warning("a connection of a browser does not close")

    # -- aiortc's ----------------------------------------------------------------------------------------------------

    def _on_track(self, track: Any) -> None:
        if self._listening is None:
            _wait_for_less(self._connection)
            self._listening = asyncio.create_task(self._listen(track))

    async def _listen(self, track: Any) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            self._owner.sound(self, _mono(frame), round(frame.pts * 1000 / RATE_HZ))

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if self._channel is None and channel.label == CHANNEL:
            self._channel = channel
            channel.on("message", lambda message: self._owner.message(self, message))

    def _on_state(self) -> None:
        if self._connection.connectionState == "connected":
            self._owner.opened(self)
        elif self._connection.connectionState in ("failed", "closed"):
            self._owner.shut(self)


def _server(server: offer.IceServer) -> RTCIceServer:
    return RTCIceServer(server.url, server.username or None, server.credential or None)


def _mono(frame: Any) -> bytes:
    """aiortc decodes Opus to two channels, whatever the microphone has."""
    both = frame.to_ndarray().reshape(-1, 2).astype(np.int32)
    return bytes(((both[:, 0] + both[:, 1]) // 2).astype(np.int16).tobytes())


def _wait_for_less(connection: RTCPeerConnection) -> None:
    """aiortc holds four packets back from the beginning, and from the first loss on sixteen: a third of a second that
    the agent would answer later. There is no setting for it."""
    for receiver in connection.getReceivers():
        receiver._RTCRtpReceiver__jitter_buffer = JitterBuffer(capacity=_REORDER)
