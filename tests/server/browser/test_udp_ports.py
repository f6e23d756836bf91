"""The UDP ports of calls from browsers: of the range that was named, and of no other."""

from __future__ import annotations

import asyncio
import random
import re
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")
pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")
pytest.importorskip("aiortc", reason="aiortc is not installed (extra 'webrtc')")

from aioice import stun
from aioice.ice import get_host_addresses

from tests.doubles.browser_caller import BrowserCaller
from tests.doubles.phone_server import Leftovers, served
from tests.doubles.serve_process import Server, serving
from voicebot.evals.bench.calls import stubs
from voicebot.transports.webrtc import Ports

MAPPED = ("198.51.100.7", 3999)


def ports(count: int) -> Ports:
    """A range that nobody uses just now, outside of the one from which a system chooses."""
    while True:
        first = random.randrange(20000, 30000)
        found = Ports(first, first + count - 1)
        try:
            for port in range(found.first, found.last + 1):
                taken(port).close()
        except OSError:
            continue
        return found


def taken(port: int) -> ExitStack:
    """By another program, on each address."""
    with ExitStack() as stack:
        for address in get_host_addresses(use_ipv4=True, use_ipv6=True):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            stack.enter_context(socket.socket(family, socket.SOCK_DGRAM)).bind((address, port))
        return stack.pop_all()


def offered(caller: BrowserCaller, kind: str = "host") -> set[int]:
    """Ports at which the server said it is to be reached."""
    assert caller._connection
    sdp = caller._connection.remoteDescription.sdp
    return {int(port) for port in re.findall(rf"a=candidate:\S+ \d udp \d+ \S+ (\d+) typ {kind}\b", sdp)}


async def refused(caller: BrowserCaller, ticket: str) -> None:
    connection = await caller._offer()
    try:
        answer = await caller.http.post("calls", json={"ticket": ticket, "sdp": connection.localDescription.sdp})
    finally:
        await connection.close()
    assert answer.status_code == 503, answer.text
    assert answer.json()["detail"] == "All ports for calls from browsers are taken."
    assert int(answer.headers["retry-after"]) > 0


async def test_a_port_that_is_taken_is_passed_over_and_a_range_without_one_refuses_until_a_call_ends(tmp_path: Path):
    range_ = ports(3)
    async with served(tmp_path, udp_ports=(range_.first, range_.last)) as server:
        url = f"http://{server.address}"
        async with BrowserCaller(url) as first, BrowserCaller(url) as second, BrowserCaller(url) as third:
            spare = await third.ticket()
            leftovers = Leftovers(server)
            with taken(range_.first + 1):
                for caller in (first, second):
                    await caller.call()
                    await caller.until_it_sounds()
                assert offered(first) | offered(second) == {range_.first, range_.last}
                assert (await third.http.post("ticket")).status_code == 503
                await refused(third, spare)
                moved = await second._offer()
                answer = await second.ask("offer", {"sdp": moved.localDescription.sdp})
                assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
                await moved.close()
                assert server.site.row.refused["ports"] == 3
                assert len(server.site.desk.live) == 2, "the calls there are do not notice"
                await first.hang_up()
                await first.until("ended")
                await first.vanish()
                async with asyncio.timeout(20):
                    while len(server.site.desk.live) > 1 or server.site.row.calls > 1:  # noqa: ASYNC110 - nobody tells when
                        await asyncio.sleep(0.02)
                await third.call(spare)
                await third.until_it_sounds()
                assert offered(third) == offered(first)
            await second.move()
            assert offered(second) == {range_.first + 1}
            await second.hang_up()
            await third.hang_up()
            await asyncio.gather(second.until("ended"), third.until("ended"))
            await asyncio.gather(second.vanish(), third.vanish())
        await leftovers.none()


async def test_a_port_that_is_lost_after_the_look_is_refused_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Another worker was faster; and what was bound on the other addresses by then is given back."""
    range_ = ports(1)
    monkeypatch.setattr(Ports, "check", lambda self: None)
    *_, last = get_host_addresses(use_ipv4=True, use_ipv6=True)
    async with (
        served(tmp_path, udp_ports=(range_.first, range_.last)) as server,
        BrowserCaller(f"http://{server.address}") as caller,
    ):
        ticket, spare = await caller.ticket(), await caller.ticket()
        with socket.socket(socket.AF_INET6 if ":" in last else socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((last, range_.first))
            await refused(caller, ticket)
            (row,) = [row for row in (await server.site.state.calls.list()).rows if row.state != "expected"]
            assert (row.reason, "are taken on" in row.detail) == ("failed", True)
        assert server.site.row.calls == 0
        await caller.call(spare)
        assert offered(caller) == {range_.first}


def udp_ports_of(server: Server) -> set[int]:
    """On which its workers listen."""
    return {each.laddr.port for worker in server.workers for each in worker.net_connections(kind="udp")}


async def test_workers_share_the_range_and_listen_on_nothing_else(tmp_path: Path):
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "ava.yaml").write_text(stubs.AGENT)
    range_ = ports(4)
    options = ("--workers", "2", "--calls", "3", "--drain", "1s")
    with serving(tmp_path, *options, VOICEBOT_UDP_PORTS=f"{range_.first}-{range_.last}") as server:
        callers = [BrowserCaller(server.url, headers={"connection": "close"}) for _ in range(4)]  # each is handed anew
        try:
            for caller in callers:
                await begun(caller)
            for caller in callers:
                await caller.until_it_sounds()
            assert udp_ports_of(server) == set(range(range_.first, range_.last + 1))
            assert sum(bool(worker.net_connections(kind="udp")) for worker in server.workers) == 2
            answer = await callers[0].http.post("ticket")
            assert (answer.status_code, "all ports" in answer.text.lower()) == (503, True)
        finally:
            for caller in callers:
                await caller.__aexit__(None, None, None)


async def begun(caller: BrowserCaller) -> None:
    """On a busy machine a real server says for a while that it has no room."""
    async with asyncio.timeout(60):
        while not caller.id:
            try:
                await caller.call()
            except AssertionError as error:
                if "problem:no-room" not in str(error):
                    raise
                await asyncio.sleep(1)


class Stun(asyncio.DatagramProtocol):
    """A STUN server behind which everybody has the same address."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.asked: list[int] = []
        """Ports from which it was asked."""

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.asked.append(addr[1])
        asked = stun.parse_message(data)
        answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=asked.transaction_id)
        answer.attributes["XOR-MAPPED-ADDRESS"] = MAPPED
        self._transport.sendto(bytes(answer), addr)


async def test_a_stun_server_is_asked_from_the_port_of_the_range(tmp_path: Path):
    range_ = ports(1)
    address = next(each for each in get_host_addresses(use_ipv4=True, use_ipv6=False))
    loop = asyncio.get_running_loop()
    transport, server_of_stun = await loop.create_datagram_endpoint(Stun, local_addr=(address, 0))
    told = f"stun:{address}:{transport.get_extra_info('sockname')[1]}"
    try:
        async with (
            served(tmp_path, udp_ports=(range_.first, range_.last), ice_servers=(told,)) as server,
            BrowserCaller(f"http://{server.address}") as caller,
        ):
            await caller.call()
            await caller.until_it_sounds()
            assert offered(caller) == {range_.first}
            assert offered(caller, "srflx") == {MAPPED[1]}
            assert set(server_of_stun.asked) == {range_.first}
    finally:
        transport.close()
