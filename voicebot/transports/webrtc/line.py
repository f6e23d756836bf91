"""The line of one call from a browser: a `Transport` that lives through several connections.

A browser loses its network all the time: between two cells, from WLAN to mobile. Then the agent waits in the middle of
its word, the call's record holds silence, and the page offers another connection, or the old one comes back. When
neither happens in `GRACE_S`, the call is over.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

import orjson
from loguru import logger

from voicebot.transports import Ear, HangUp
from voicebot.transports.dialect import Audio, LineLost, Misread, TakesKeys
from voicebot.transports.order import Order

from . import offer, said
from .peer import RATE_HZ, Peer
from .ports import Ports
from .speech import Speech
from .thirds import Thirds

CONNECT_S = 15.0
GRACE_S = 30.0
_LOOK_S = 1.0
_MOST_FAULTS = 200
_MOST_CLOSING = 4
"""Connections that were replaced and are not gone yet."""
_MOST_SPEECH_S = 600.0
_REMEMBERED = 400
"""Messages that a page can be told again."""
_GOODBYE_S = 3.0
"""For the page to take its last messages; one that has vanished takes none."""
_LAST_WORD_S = 0.1
"""Between the last message and the end of the connection: it may have to be sent twice."""


class WebRTC:
    """`caller` may be set until the call begins."""

    name = "webrtc"
    rate_hz = 16000

    def __init__(self, caller: str = "", servers: Sequence[offer.IceServer] = (), ports: Ports | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.caller = caller
        self.faults = 0
        """Messages and sounds that were left out."""
        self.connections = 0
        """How many carried the call, one after the other."""
        self._servers = servers
        self._ports = ports
        self._speech = Speech(self.rate_hz)
        self._ear: Ear | None = None
        self._peer: Peer | None = None
        """The one in use."""
        self._next: Peer | None = None
        """The one that is to take its place."""
        self._closing: set[asyncio.Task[None]] = set()
        self._up: asyncio.Future[None] = loop.create_future()
        self._over: asyncio.Future[HangUp] = loop.create_future()
        self._told: deque[tuple[int, str]] = deque(maxlen=_REMEMBERED)
        self._count = 0

    # -- connections -------------------------------------------------------------------------------------------------

    async def answer(self, sdp: str) -> str:
        """To an offer, the first or another one: the call changes over when that is connected.

        Raises NoOffer, NoPort.
        """
        described = offer.read(sdp)
        if len(self._closing) >= _MOST_CLOSING:
            raise offer.NoOffer("offers come faster than connections are made.")
        peer = Peer(self, self._speech, self.rate_hz, self._servers, self._ports)
        try:
            answered = await peer.answer(described)
        except BaseException:
            await peer.close()
            raise
        if self._over.done():
            self._drop(peer)
            raise offer.NoOffer("this call is over.")
        self._next, before = peer, self._next
        self._drop(before)
        return answered

    async def candidate(self, candidate: offer.Candidate) -> None:
        """One more address of the browser's, for its newest offer."""
        if peer := self._next or self._peer:
            await peer.candidate(candidate)

    async def connected(self, within_s: float = CONNECT_S) -> None:
        """Returns when the first connection is there. Raises LineLost."""
        either: set[asyncio.Future[Any]] = {self._up, self._over}
        await asyncio.wait(either, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        if self._over.done():
            raise LineLost("the caller hung up before the call began")
        if not self._up.done():
            raise LineLost(f"the browser was not reached within {within_s:g} s")

    def opened(self, peer: Peer) -> None:
        if peer is not self._next:
            return
        before, self._peer, self._next = self._peer, peer, None
        self.connections += 1
        self._speech.taker = peer.track
        self._speech.came()
        self._drop(before)
        if not self._up.done():
            self._up.set_result(None)

    def shut(self, peer: Peer) -> None:
        """The page may come back with another one; `run` says until when."""
        if peer is self._next:
            self._next = None
            self._drop(peer)
        elif peer is self._peer:
            logger.debug("a browser's connection is gone")

    def _drop(self, peer: Peer | None) -> None:
        if peer:
            task = asyncio.create_task(peer.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    # -- the caller's side -------------------------------------------------------------------------------------------

    async def run(self, ear: Ear) -> HangUp:
        """Raises LineLost."""
        self._order = Order(RATE_HZ, asyncio.get_running_loop().time())
        self._thirds = Thirds()
        self._ear = ear
        self._speech.came()
        watch = asyncio.create_task(self._watch())
        try:
            return await self._over
        finally:
            self._ear = None
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def _watch(self) -> None:
        while self._speech.quiet_s < GRACE_S:  # noqa: ASYNC110 - an event would be set 50 times a second
            await asyncio.sleep(_LOOK_S)
        self._fail(LineLost(f"the browser was gone for {GRACE_S:.0f} s"))

    def sound(self, peer: Peer, pcm: bytes, starts_ms: int) -> None:
        if peer is not self._peer or self._over.done():
            return
        self._speech.came()
        if self._ear is None:
            return
        now_s = asyncio.get_running_loop().time()
        if peer.base_ms is None:  # its clock is its own, and begins somewhere
            peer.base_ms = round(now_s * 1000) - starts_ms
        try:
            in_order = self._order.admit(Audio(pcm, starts_ms=peer.base_ms + starts_ms), now_s)
            self._ear.audio(self._thirds(in_order))
        except Misread as fault:
            self._leave_out(str(fault))
        except Exception as error:  # noqa: BLE001 - whatever breaks ends the call; it is raised where `run` is awaited
            self._fail(error)

    def message(self, peer: Peer, message: object) -> None:
        if peer is not self._peer:
            return
        self._speech.came()
        match said.read(message):
            case said.After(n=n):  # also when the call is over: it may not know
                self._tell_again(peer, n)
            case _ if self._over.done():
                return
            case said.Here(delay_ms=delay_ms):
                self._speech.delay(delay_ms / 1000) if delay_ms is not None else None
            case said.Keys(keys=keys) if isinstance(self._ear, TakesKeys):
                self._ear.keys(keys)
            case said.Typed(text=text) if self._ear:
                self._ear.text(text)
            case said.HangUp():
                self.end()
            case None:
                self._leave_out("a message that the page does not have")

    def end(self) -> None:
        """The caller hangs up."""
        if not self._over.done():
            self._over.set_result("caller_hung_up")

    def _leave_out(self, what: str) -> None:
        self.faults += 1
        if self.faults == 1:
            logger.debug(f"webrtc: left out: {what}")
        if self.faults > _MOST_FAULTS:
            self._fail(LineLost(f"too much comes from the browser that cannot be used, such as {what}"))

    def _fail(self, error: Exception) -> None:
        if not self._over.done():
            self._over.set_exception(error)
            self._over.exception()  # marked as seen: the call may have ended before anybody waits for it

    # -- the agent's side --------------------------------------------------------------------------------------------

    def play(self, pcm: bytes) -> None:
        self._speech.play(pcm)
        if self._speech.waiting_s > _MOST_SPEECH_S:
            self._fail(LineLost("the browser does not take what it is sent"))

    def clear(self) -> None:
        self._speech.clear()

    def played(self) -> int:
        return self._speech.played()

    def tell(self, **message: object) -> None:
        """The page, also the one that is away just now: it gets everything in order when it is back."""
        self._count += 1
        text = orjson.dumps({"n": self._count, **message}).decode()
        self._told.append((self._count, text))
        if self._peer and self._peer.synced:
            self._peer.tell(text)

    def _tell_again(self, peer: Peer, after: int) -> None:
        peer.synced = True
        for number, text in self._told:
            if number > after:
                peer.tell(text)

    async def hang_up(self) -> None:
        """End every connection. The page has been told why by then, if it takes it. Idempotent."""
        if not self._over.done():
            self._over.set_result("interrupted")
        await self._last_words()
        for peer in (self._peer, self._next):
            self._drop(peer)
        self._peer = self._next = None
        while self._closing:
            await asyncio.wait(self._closing)

    async def _last_words(self) -> None:
        """A page that is changing over to another connection gets them there."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + _GOODBYE_S
        while self._to_be_told and loop.time() < until_s:  # noqa: ASYNC110 - aiortc does not tell when all is sent
            await asyncio.sleep(0.02)
        if self._peer:
            await asyncio.sleep(_LAST_WORD_S)

    @property
    def _to_be_told(self) -> bool:
        return bool(self._next or (self._peer and (not self._peer.synced or self._peer.untold)))
