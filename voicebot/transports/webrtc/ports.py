"""The UDP ports of connections: of a range that a firewall lets in, instead of whatever the system chooses.

aioice binds the port 0 and has no setting for it, so the addresses of a connection are found here, with its own parts.
Workers share the range and nothing else: a port that is taken is passed over, and the search begins anywhere.
"""

from __future__ import annotations

import asyncio
import errno
import random
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from aioice import Candidate
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import StunProtocol, get_host_addresses, server_reflexive_candidate
from aioice.turn import UDP_SOCKET_BUFFER_SIZE
from aiortc import RTCPeerConnection
from loguru import logger

from voicebot.errors import BadInput, Unavailable

_LOWEST, _HIGHEST = 1024, 65535


class NoPort(Unavailable):
    """All of them are taken."""


@dataclass(frozen=True)
class Ports:
    """A connection takes one on each address of this machine, and gives them back when it is closed."""

    first: int
    last: int
    """Is one of them."""

    def check(self) -> None:
        """Whether there is one for another connection just now. Raises NoPort."""
        for address in get_host_addresses(use_ipv4=True, use_ipv6=True):
            try:
                self.bind(address).close()
            except OSError:
                continue

    def bind(self, address: str) -> socket.socket:
        """On a port that nobody has. Raises NoPort, and OSError when the address has none at all."""
        count = self.last - self.first + 1
        begin = random.randrange(count)  # noqa: S311 - to meet the other workers rarely, not to be a secret
        found = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            for step in range(count):
                try:
                    found.bind((address, self.first + (begin + step) % count))
                except OSError as error:
                    if error.errno != errno.EADDRINUSE:
                        raise
                else:
                    found.setblocking(False)
                    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_SOCKET_BUFFER_SIZE)
                    return found
            raise NoPort(f"all UDP ports from {self.first} to {self.last} are taken on {address}")
        except BaseException:
            found.close()
            raise

    def use(self, connection: RTCPeerConnection) -> None:
        """Between the browser's description and one's own, which has the ports in it and raises NoPort."""
        carried = [*connection.getReceivers(), *filter(None, (connection.sctp,))]
        for gatherer in {each.transport.transport.iceGatherer for each in carried}:
            ice = gatherer._connection
            ice.get_component_candidates = partial(_candidates, self, ice, ice.get_component_candidates)


def parse(text: str) -> tuple[int, int]:
    """'50000-50199'. Raises BadInput."""
    found = re.fullmatch(r"\s*(\d{1,5})\s*-\s*(\d{1,5})\s*", text)
    if found and _LOWEST <= int(found[1]) <= int(found[2]) <= _HIGHEST:
        return int(found[1]), int(found[2])
    raise BadInput(f"--udp-ports: '{text}' is no range of ports from {_LOWEST} to {_HIGHEST}. Write it as 50000-50199.")


async def _candidates(
    ports: Ports,
    ice: Any,
    usual: Callable[..., Awaitable[list[Candidate]]],
    component: int,
    addresses: Sequence[str],
    timeout: int = 5,  # noqa: ASYNC109 - the parameter is aioice's
) -> list[Candidate]:
    """As aioice's Connection.get_component_candidates, which still asks the TURN server: to that one, any port goes."""
    listening = [each for address in addresses if (each := await _listen(ports, ice, component, address))]
    asked = [_mapped(each, ice.stun_server, timeout) for each in listening if ice.stun_server]
    relayed, mapped = await asyncio.gather(
        usual(component=component, addresses=[], timeout=timeout), asyncio.gather(*asked)
    )
    return [*(each.local_candidate for each in listening), *filter(None, mapped), *relayed]


async def _listen(ports: Ports, ice: Any, component: int, address: str) -> StunProtocol | None:
    """On one address; None: nobody can. Raises NoPort."""
    try:
        bound = ports.bind(address)
    except OSError as error:
        logger.debug(f"webrtc: no port on {address}: {error}")
        return None
    host, port = bound.getsockname()[:2]
    _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(lambda: StunProtocol(ice), sock=bound)
    protocol.local_candidate = Candidate(
        foundation=candidate_foundation("host", "udp", host),
        component=component,
        transport="udp",
        priority=candidate_priority(component, "host"),
        host=host,
        port=port,
        type="host",
    )
    ice._protocols.append(protocol)  # it is closed with the connection from now on
    return protocol


async def _mapped(protocol: StunProtocol, server: tuple[str, int], within_s: float) -> Candidate | None:
    """How the STUN server sees it; None: it does not say."""
    if ":" in protocol.local_candidate.host:
        return None
    try:
        return (await asyncio.wait_for(server_reflexive_candidate(protocol, server), within_s))[0]
    except Exception as error:  # noqa: BLE001 - what comes from a STUN server has no errors of its own
        logger.debug(f"webrtc: the STUN server does not say what it sees: {type(error).__name__}: {error}")
        return None
