"""Bytes that are no HTTP, or nearly: nothing breaks, nothing is told, nobody gets in, nobody is kept waiting."""

from __future__ import annotations

import time

from hypothesis import strategies as st

from tests.doubles.fuzzing import UPGRADE, connected, exchange, for_a_while, mutated, request, statuses, well_behaved
from tests.server.fuzz.conftest import Target

QUIET_S = 0.15
"""For those whose requests never end: so long they are listened to."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
STRANGERS = [
    request("GET", "/v1/agents"),
    request("POST", "/v1/calls", b'{"agent":"ava"}', {"Content-Type": "application/json"}),
    request(
        "PUT",
        "/v1/agents/eve",
        b"name: Eve\nbrain: {llm: openai/x, prompt: Hi.}\n",
        {"Content-Type": "application/yaml"},
    ),
    request("GET", "/metrics"),
    request("POST", "/twilio/voice/ava", b"CallSid=CA1&From=%2B1", {**FORM, "X-Twilio-Signature": "AAAA"}),
    request("GET", "/v1/agents/ava/stream", headers=UPGRADE),
    request("GET", "/v1/agents/ava/stream?ticket=abc", headers=UPGRADE),
    request("GET", "/twilio/stream", headers={**UPGRADE, "X-Twilio-Signature": "AAAA"}),
    request("GET", "/v1/calls/x/events", headers=UPGRADE),
]


def test_requests_of_strangers_after_accidents(target: Target) -> None:
    def check(sent: list[bytes]) -> None:
        for reply in exchange(target.port, sent, within_s=QUIET_S):
            well_behaved(reply)
            assert [status for status in statuses(reply) if status < 300 and status != 100] == [], reply[:500]

    for_a_while(check, st.lists(mutated(STRANGERS), min_size=4, max_size=12))


def test_requests_of_friends_after_accidents(target: Target) -> None:
    def check(accidents: list[bytes]) -> None:
        friends = [
            sent.replace(b"\r\n", f"\r\nAuthorization: {target.key()['Authorization']}\r\n".encode(), 1)
            for sent in accidents
        ]
        for reply in exchange(target.port, friends, within_s=QUIET_S):
            well_behaved(reply)

    for_a_while(check, st.lists(mutated(STRANGERS), min_size=4, max_size=12))


def test_noise(target: Target) -> None:
    def check(sent: list[bytes]) -> None:
        for reply in exchange(target.port, sent, within_s=QUIET_S):
            well_behaved(reply)
            assert all(400 <= status < 500 for status in statuses(reply)), reply[:500]

    for_a_while(check, st.lists(st.binary(min_size=1, max_size=600), min_size=4, max_size=12))


def test_who_dawdles_does_not_keep_others_waiting(target: Target) -> None:
    """A hundred requests that do not end. After a while they are sent away: see test_patience.py."""
    slow = [connected(target.port) for _ in range(100)]
    for line in slow:
        line.sendall(b"GET /v1/agents HTTP/1.1\r\nHost: x\r\n")
    begun_s = time.monotonic()
    assert statuses(exchange(target.port, [request("GET", "/livez")], within_s=2, whole=True)[0]) == [200]
    assert time.monotonic() - begun_s < 0.5
    for line in slow:
        line.close()
