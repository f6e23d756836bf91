"""A simulated caller who telephones: their sound takes the way of a real call, Twilio's Media Streams.

The caller's line is a telephone's (8 kHz, mu-law); what it carries goes to the agent as a network sends it, 20 ms a
message of JSON over a websocket, with delay and jitter; the agent's sound comes back the same way, is buffered, cleared
and acknowledged by marks. The agent's half is the very line that `voicebot serve` has. Only the websocket is none of a
real network, so that the clock can skip idling.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from voicebot.errors import BadInput
from voicebot.telephony.media_stream import MediaStream, sid
from voicebot.transports import Ear, HangUp, twilio
from voicebot.transports.dialect import SocketClosed
from voicebot.transports.paired import pair

from .line import Line
from .wire import Wire

RATE_HZ = 8000
DELAY_MS = 40.0
"""One way between the network and the server: what is usual within a continent."""


class PhoneLine:
    """The agent's side of the call: a `Transport`. The caller's telephone, a wire, is silent until the call begins."""

    name = "twilio"
    rate_hz = RATE_HZ

    def __init__(self, wire: Wire, leg: twilio.Twilio, stream: asyncio.Task[str], begun: asyncio.Event) -> None:
        self.caller = wire.caller
        self._leg = leg
        self._stream = stream
        self._begun = begun

    @classmethod
    async def ring(cls, wire: Wire, line: Line, seed: int) -> PhoneLine:
        """The network calls, and the agent's side answers. Raises BadInput for a wire that is no telephone's."""
        if wire.rate_hz != RATE_HZ:
            raise BadInput(f"a recording of {wire.rate_hz} Hz cannot be telephoned: take the channel 'audio'.")
        ours, theirs = pair(delay_ms=DELAY_MS, jitter_ms=line.jitter_ms, seed=seed)
        begun = asyncio.Event()
        stream = MediaStream(_Telephone(wire, begun), ours, call_sid=sid("CA"), parameters={"caller": wire.caller})
        running: asyncio.Task[str] = asyncio.create_task(stream.run())
        return cls(wire, await twilio.answer(theirs), running, begun)

    async def run(self, ear: Ear) -> HangUp:
        self._begun.set()
        return await self._leg.run(ear)

    def play(self, pcm: bytes) -> None:
        self._leg.play(pcm)

    def clear(self) -> None:
        self._leg.clear()

    def played(self) -> int:
        return self._leg.played()

    async def close(self) -> None:
        """The line is hung up, as behind every call. Raises what broke in the caller's half."""
        await self._leg.hang_up()
        with suppress(SocketClosed):
            await self._stream


class _Telephone:
    """The wire, from the beginning of the call on."""

    def __init__(self, wire: Wire, begun: asyncio.Event) -> None:
        self.name, self.caller, self.rate_hz = wire.name, wire.caller, wire.rate_hz
        self.play, self.clear, self.played = wire.play, wire.clear, wire.played
        self._wire = wire
        self._begun = begun

    async def run(self, ear: Ear) -> HangUp:
        await self._begun.wait()
        return await self._wire.run(ear)
