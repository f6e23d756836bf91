"""Reading the sockets of all calls together, some times a second.

Every caller sends 50 small messages a second. To be woken for each of them is a third of what a call costs: the process
switches, and its code comes back to a cold cache. So once a call has begun, its socket is not watched any more but
looked at in rounds, all calls in one go. A message waits half a round on average; but then it is scored at once, with
those of all other calls (`media/vad.py`), for which it would have waited anyway.
"""

from __future__ import annotations

import asyncio
import os

from loguru import logger

ROUND_S = 0.02
"""As long as one message of Twilio's lasts: there is about one of each call in a round."""
_MOST_BYTES = 64 * 1024
"""Read of one call in one round."""


class Rounds:
    """Those of one event loop, on which everything is called."""

    def __init__(self) -> None:
        self._members: dict[asyncio.Transport, tuple[int, asyncio.Protocol]] = {}
        """With the number of the socket, which is good until the transport is closing."""
        self._going = False

    def join(self, transport: asyncio.Transport, protocol: asyncio.Protocol) -> None:
        """From now on the transport itself reads nothing; the protocol is told all the same, up to the end.

        Not from within `connection_made`: uvloop begins to read behind it.
        """
        if transport.is_closing():
            return
        transport.pause_reading()
        self._members[transport] = transport.get_extra_info("socket").fileno(), protocol
        if not self._going:
            self._going = True
            self._next(asyncio.get_running_loop().time() + ROUND_S)

    def leave(self, transport: asyncio.Transport) -> None:
        """The connection is gone. Idempotent."""
        self._members.pop(transport, None)

    def _next(self, due_s: float) -> None:
        """A round that took too long is not made up for."""
        loop = asyncio.get_running_loop()
        due_s = max(due_s, loop.time())
        loop.call_at(due_s, self._round, due_s)

    def _round(self, due_s: float) -> None:
        for transport, (socket, protocol) in list(self._members.items()):
            if not transport.is_closing():
                self._read(transport, socket, protocol)
        self._going = bool(self._members)
        if self._going:
            self._next(due_s + ROUND_S)

    def _read(self, transport: asyncio.Transport, socket: int, protocol: asyncio.Protocol) -> None:
        try:
            if data := os.read(socket, _MOST_BYTES):
                protocol.data_received(data)
                return
            protocol.eof_received()
            transport.close()
        except BlockingIOError:
            return
        except OSError:  # the connection broke
            transport.abort()
        except Exception:  # noqa: BLE001 - as in asyncio's own transports: who breaks is cut off, the others go on
            logger.exception("a connection broke its protocol")
            transport.abort()
