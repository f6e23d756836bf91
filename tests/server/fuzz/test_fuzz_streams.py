"""Frames that are none, messages that nobody sends, sockets that are cut: the call ends, others do not notice."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from hypothesis import strategies as st

from tests.doubles.fuzzing import (
    BOMBS,
    UPGRADE,
    connected,
    exchange,
    for_a_while,
    frame,
    in_streams,
    request,
    statuses,
    values,
    well_behaved,
)
from tests.doubles.serve_process import TOKEN
from tests.doubles.twilio_caller import PUBLIC, signature
from tests.server.fuzz.conftest import Target

QUIET_S = 0.2
STREAM = "/v1/agents/ava/stream"
HELLO = json.dumps({"type": "hello", "format": "pcm_s16le", "rate_hz": 8000}).encode()
SID = "CA" + "0" * 32
START = {
    "event": "start",
    "streamSid": "MZ1",
    "start": {
        "streamSid": "MZ1",
        "callSid": SID,
        "accountSid": "AC1",
        "customParameters": {},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    },
}
MEDIA = {"event": "media", "streamSid": "MZ1", "media": {"payload": b64encode(b"\xff" * 160).decode()}}


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


# -- what is said ------------------------------------------------------------------------------------------------------

ours = st.one_of(
    st.sampled_from([HELLO, b'{"type":"hang_up"}', b'{"type":"keys","keys":"1#"}', b'{"type":"played","name":"1"}']),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["hello", "keys", "played", "hang_up", "ready", 1, None])},
        optional={
            "keys": values,
            "name": values,
            "format": values,
            "rate_hz": values,
            "parameters": values,
            "v": values,
            "events": values,
        },
    ).map(_json),
)  # fmt: skip - a table of keys
twilios = st.one_of(
    st.sampled_from([_json(START), _json(MEDIA), b'{"event":"stop"}', b'{"event":"mark","mark":{"name":"1"}}']),
    st.fixed_dictionaries(
        {"event": st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop", "x", 1])},
        optional={
            "start": values,
            "media": values,
            "dtmf": values,
            "mark": values,
            "sequenceNumber": values,
            "streamSid": values,
        },
    ).map(_json),
    st.fixed_dictionaries(
        {"payload": st.one_of(values, st.text("=A+/\n", max_size=30)), "chunk": values, "timestamp": values}
    ).map(lambda media: _json({**MEDIA, "media": media})),
)  # fmt: skip - a table of keys
anything = st.one_of(st.binary(max_size=300), st.sampled_from(BOMBS), values.map(_json), st.just(b"x" * 66_000))


def frames(messages: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[bytes]]:
    """Mostly whole and masked, as the protocol wants them."""
    proper = messages.map(frame)
    binary = st.binary(max_size=700).map(lambda payload: frame(payload, 2))
    broken = st.builds(
        frame,
        st.one_of(messages, anything),
        st.integers(0, 15),
        fin=st.booleans(),
        reserved=st.sampled_from([0, 0, 0, 4, 7]),
        masked=st.sampled_from([True, True, True, False]),
        claims=st.one_of(st.none(), st.none(), st.sampled_from([0, 125, 126, 65_536, 1 << 40, (1 << 64) - 1])),
    )
    parts = messages.map(lambda text: frame(text[:3], fin=False) + frame(b"?", 9) + frame(text[3:], 0))
    closing = st.sampled_from([frame(b"\x03\xe8", 8), frame(b"\x00\x01", 8), frame(b"\x03", 8), frame(b"", 8)])
    one = st.one_of(proper, proper, binary, broken, parts, closing, st.binary(max_size=20))
    return st.lists(one, min_size=1, max_size=12)


# -- where it is said --------------------------------------------------------------------------------------------------


def _own(target: Target) -> bytes:
    return request("GET", STREAM, headers={**UPGRADE, **target.key()})


def _twilios() -> bytes:
    signed = signature(f"{PUBLIC.replace('http', 'ws', 1)}/twilio/stream", {}, TOKEN)
    return request("GET", "/twilio/stream", headers={**UPGRADE, "X-Twilio-Signature": signed})


def _well_behaved(answer: bytes, came: bytes) -> None:
    well_behaved(answer + came)
    assert statuses(answer) in ([101], [503]), answer[:500]


def test_a_client_of_ours_may_send_anything(target: Target) -> None:
    def check(several: list[list[bytes]], with_hello: list[bool]) -> None:
        begun = (frame(HELLO) if hello else b"" for hello in with_hello)
        streams = [(_own(target), first + b"".join(rest)) for first, rest in zip(begun, several, strict=False)]
        for answer, came in in_streams(target.port, streams, within_s=QUIET_S):
            _well_behaved(answer, came)

    for_a_while(check, st.lists(frames(ours), min_size=4, max_size=8), st.lists(st.booleans(), min_size=8, max_size=8))


def test_twilio_may_send_anything(target: Target) -> None:
    def check(several: list[list[bytes]], with_start: list[bool]) -> None:
        begun = (b"".join(map(frame, _started(target))) if start else b"" for start in with_start)
        streams = [(_twilios(), first + b"".join(rest)) for first, rest in zip(begun, several, strict=False)]
        for answer, came in in_streams(target.port, streams, within_s=QUIET_S):
            _well_behaved(answer, came)

    for_a_while(
        check, st.lists(frames(twilios), min_size=3, max_size=6), st.lists(st.booleans(), min_size=6, max_size=6)
    )


def test_frames_may_come_before_the_answer(target: Target) -> None:
    """It is not allowed, and harms nobody but who does it."""

    def check(several: list[list[bytes]]) -> None:
        for reply in exchange(target.port, [_own(target) + b"".join(rest) for rest in several], within_s=QUIET_S):
            well_behaved(reply)

    for_a_while(check, st.lists(frames(ours), min_size=4, max_size=8))


_number = iter(range(1, 1_000_000))


def _started(target: Target) -> list[bytes]:
    """The first messages of a call that the server expects: its webhook has been."""
    sid = f"CA{next(_number):032d}"
    form = {"CallSid": sid, "AccountSid": "AC1", "From": "+15550100", "To": "+15550199", "CallStatus": "ringing"}
    signed = signature(f"{PUBLIC}/twilio/voice/ava", form, TOKEN)
    sent = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signed}
    (reply,) = exchange(
        target.port, [request("POST", "/twilio/voice/ava", urlencode(form).encode(), sent)], within_s=5, whole=True
    )
    told = ElementTree.fromstring(reply.partition(b"\r\n\r\n")[2])
    parameters = {each.get("name"): each.get("value") for each in told.iter("Parameter")}
    start = {**START, "start": {**START["start"], "callSid": sid, "customParameters": parameters}}  # type: ignore[dict-item] # a table of JSON
    return [b'{"event":"connected","protocol":"Call","version":"1.0.0"}', _json(start)]


def test_a_stranger_gets_no_stream_whatever_is_said(target: Target) -> None:
    def check(several: list[list[bytes]]) -> None:
        doors = [
            request("GET", STREAM, headers=UPGRADE),
            request("GET", f"{STREAM}?ticket=x", headers=UPGRADE),
            request("GET", STREAM, headers={**UPGRADE, "Authorization": "Bearer vb_" + "a" * 12 + "_" + "A" * 43}),
            request("GET", "/twilio/stream", headers=UPGRADE),
        ]
        sent = [door + b"".join(rest) for door, rest in zip(doors * 2, several, strict=False)]
        for reply in exchange(target.port, sent, within_s=QUIET_S):
            well_behaved(reply)
            assert 101 not in statuses(reply), reply[:500]

    for_a_while(check, st.lists(frames(ours), min_size=8, max_size=8))


def test_a_ticket_opens_one_stream(target: Target) -> None:
    body = b'{"agent":"ava"}'
    sent = request("POST", "/v1/calls", body, {**target.key(), "Content-Type": "application/json"})
    (reply,) = exchange(target.port, [sent], within_s=5, whole=True)
    ticket = json.loads(reply.partition(b"\r\n\r\n")[2])["ticket"]
    upgrade = request("GET", f"{STREAM}?ticket={ticket}", headers=UPGRADE)
    replies = in_streams(target.port, [(upgrade, frame(HELLO))] * 10, within_s=0.5)
    assert sorted(statuses(answer)[0] for answer, _ in replies) == [101] + [401] * 9
    assert sum(b'"ready"' in came for _, came in replies) == 1


def test_frames_that_never_end_hold_no_memory(target: Target) -> None:
    """A message in a million parts, none of which says that it is the last."""
    line = connected(target.port)
    line.sendall(_own(target))
    time.sleep(0.2)
    line.sendall(frame(HELLO))
    time.sleep(0.5)
    before_mb = target.server.memory_mb()
    part = frame(b"x" * 60_000, 0, fin=False)
    sent = 0
    with suppress(OSError):
        line.sendall(frame(b"x", 1, fin=False))
        while sent < 100_000_000:
            line.sendall(part)
            sent += len(part)
    line.close()
    assert target.server.memory_mb() - before_mb < 30
