"""Who gets a connection, and what becomes of it when that process dies."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.doubles.eventually import eventually
from voicebot.errors import BadInput, Unavailable
from voicebot.server.capacity.board import Board, BoardRow
from voicebot.server.processes.channel import SupervisorEnd, WorkerEnd
from voicebot.server.processes.crew import Worker
from voicebot.server.processes.doorway import Doorway, Expected, listen


@dataclass
class Hand:
    """A worker that keeps the connections it is given."""

    row: BoardRow
    has: list[socket.socket] = field(default_factory=list)
    takes: bool = True

    def hand(self, connection: socket.socket) -> bool:
        if self.takes:
            self.has.append(connection)
        return self.takes

    def __hash__(self) -> int:
        return id(self)


@pytest.fixture
def hands() -> Iterator[list[Hand]]:
    board = Board.alone(places=3)
    made = [Hand(board.row(place)) for place in range(3)]
    for hand in made:
        hand.row.begin(limit=25, since_s=0.0)
        hand.row.ready = True
    yield made
    for hand in made:
        for connection in hand.has:
            connection.close()


@pytest.fixture
async def door(hands: list[Hand]) -> AsyncIterator[tuple[str, int]]:
    server = listen("127.0.0.1", 0)
    doorway = Doorway(server, lambda: cast(list[Worker], hands))
    address = server.getsockname()
    doorway.open()
    yield address
    doorway.close()


async def knock(door: tuple[str, int], times: int, hands: list[Hand]) -> list[int]:
    """So many connections at once; how many each has then."""
    before = sum(len(hand.has) for hand in hands)
    callers = [await asyncio.open_connection(*door) for _ in range(times)]
    await eventually(lambda: sum(len(hand.has) for hand in hands) == before + times)
    for _, writer in callers:
        writer.close()
    return [len(hand.has) for hand in hands]


async def test_a_burst_is_spread_evenly_before_any_of_it_is_a_call(door: tuple[str, int], hands: list[Hand]) -> None:
    assert await knock(door, 30, hands) == [10, 10, 10]


async def test_who_has_more_room_gets_more(door: tuple[str, int], hands: list[Hand]) -> None:
    for _ in range(20):
        hands[0].row.call_began()
    assert await knock(door, 30, hands) == [0, 15, 15]


async def test_calls_that_have_begun_are_not_counted_twice(door: tuple[str, int], hands: list[Hand]) -> None:
    await knock(door, 6, hands)
    for hand in hands[:2]:
        hand.row.call_began()
        hand.row.call_began()
    assert await knock(door, 3, hands) == [3, 3, 3]


def test_what_became_of_a_connection_long_ago_hides_none_that_has_just_come(hands: list[Hand]) -> None:
    row = hands[0].row
    expected = Expected(row)
    for now_s in (0.0, 0.0, 0.9):
        expected.given(now_s)
    assert expected.count(0.9) == 3
    for _ in range(3):
        row.call_began()
    assert expected.count(1.0) == 0
    expected.given(1.5)
    assert expected.count(1.5) == 1
    assert expected.count(2.6) == 0, "it has not become a call"


async def test_requests_that_become_no_calls_send_no_call_to_a_full_worker(
    door: tuple[str, int], hands: list[Hand]
) -> None:
    await knock(door, 90, hands)
    for hand in hands[:2]:
        for _ in range(25):
            hand.row.call_began()
    assert await knock(door, 5, hands) == [30, 30, 35]


async def test_who_drains_starts_or_refuses_gets_none(door: tuple[str, int], hands: list[Hand]) -> None:
    hands[0].row.draining = True
    hands[1].row.refuse("lagging")
    assert await knock(door, 10, hands) == [0, 0, 10]
    hands[2].row.ready = False
    assert await knock(door, 2, hands) == [0, 2, 10], "somebody has to answer"


async def test_when_all_drain_they_share_the_refusing(door: tuple[str, int], hands: list[Hand]) -> None:
    for hand in hands:
        hand.row.draining = True
    assert await knock(door, 6, hands) == [2, 2, 2]


async def test_what_one_cannot_take_goes_to_the_next(door: tuple[str, int], hands: list[Hand]) -> None:
    hands[0].takes = hands[1].takes = False
    assert await knock(door, 6, hands) == [0, 0, 6]


async def test_a_connection_waits_while_nobody_is_there(door: tuple[str, int], hands: list[Hand]) -> None:
    for hand in hands:
        hand.row.ready = False
    _, writer = await asyncio.open_connection(*door)
    await asyncio.sleep(0.1)
    assert not any(hand.has for hand in hands)
    hands[1].row.ready = True
    await eventually(lambda: bool(hands[1].has))
    writer.close()


def test_a_port_that_is_taken_is_said_so() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(Unavailable, match=r"is taken .* --port \d+"):
        listen("127.0.0.1", first.getsockname()[1])


def test_a_host_that_is_none_of_this_machine_is_said_so() -> None:
    with pytest.raises(BadInput, match=r"203\.0\.113\.7"):
        listen("203.0.113.7", 0)


# -- the line to a worker -----------------------------------------------------------------------------------------


async def test_a_connection_goes_to_the_worker_and_is_closed_here_when_it_has_it() -> None:
    heard: list[dict[str, Any]] = []
    ours, theirs = socket.socketpair()
    end = SupervisorEnd(ours, heard.append)
    taken: list[socket.socket] = []
    worker = WorkerEnd(theirs)
    worker.listen(taken.append, lambda: None)
    caller, connection = socket.socketpair()
    assert end.hand(connection)
    worker.tell(ready={"agents": []})
    await eventually(lambda: bool(taken and heard) and connection.fileno() < 0)
    taken[0].sendall(b"hello")
    assert caller.recv(10) == b"hello"
    assert heard == [{"ready": {"agents": []}}]
    assert end.close() == []


async def test_connections_that_a_dead_worker_did_not_take_come_back() -> None:
    ours, theirs = socket.socketpair()
    end = SupervisorEnd(ours, lambda _told: None)
    pairs = [socket.socketpair() for _ in range(3)]
    taken: list[socket.socket] = []
    worker = WorkerEnd(theirs)
    assert end.hand(pairs[0][1])
    worker.listen(taken.append, lambda: None)
    await eventually(lambda: pairs[0][1].fileno() < 0)
    asyncio.get_running_loop().remove_reader(theirs.fileno())
    assert end.hand(pairs[1][1])
    assert end.hand(pairs[2][1])
    theirs.close()
    assert end.close() == [pairs[1][1], pairs[2][1]]
    assert not end.hand(pairs[1][1])
    pairs[1][1].sendall(b"still open")
    assert pairs[1][0].recv(20) == b"still open"


async def test_a_worker_notices_that_its_supervisor_is_gone() -> None:
    ours, theirs = socket.socketpair()
    gone = asyncio.Event()
    WorkerEnd(theirs).listen(lambda _connection: None, gone.set)
    ours.close()
    async with asyncio.timeout(2):
        await gone.wait()


async def test_a_busy_worker_is_not_buried_under_connections() -> None:
    ours, theirs = socket.socketpair()
    end = SupervisorEnd(ours, lambda _told: None)
    with theirs:
        connections = [socket.socket() for _ in range(400)]
        taken = Counter(end.hand(connection) for connection in connections)
        assert 0 < taken[True] <= 128
        assert len(end.close()) == taken[True]
