"""What strangers send: requests and frames that are almost right, and how they are sent.

    for_a_while(check, mutated(REQUESTS))          # check(sent) is called with one after the other
    replies = exchange(port, [sent], whole=False)

The same inputs in the same order, as long as `VOICEBOT_FUZZ_S` says: half a second a test by itself.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import re
import select
import socket
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

SECONDS = float(os.environ.get("VOICEBOT_FUZZ_S", "0.5"))
EXAMPLES = 8
"""Between two looks at the clock, each of several connections."""
TELLTALES = re.compile(rb'Traceback \(|File "|\.py:\d|site-packages|Error\(|object at 0x')
"""What only a traceback or a repr can have brought into an answer."""
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


def for_a_while(check: Callable[..., None], *inputs: st.SearchStrategy[Any], seconds: float = SECONDS) -> None:
    """Call `check` with examples until the time is over."""
    until_s = time.monotonic() + seconds
    chosen = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    for number in itertools.count(1):
        seed(number)(chosen(given(*inputs)(check)))()
        if time.monotonic() >= until_s:
            return


# -- what is sent ------------------------------------------------------------------------------------------------------

# Many small things read best in rows.
# fmt: off
TOKENS: list[bytes] = [
    b"\r\n", b"\n", b"\r", b"\0", b"\r\n\r\n", b" ", b"\t", b"\xff\xfe", b"\xc3\x28", b"\xf0\x9f\x92\xa5", b"?", b"#",
    b"*", b"%", b"%00", b"%0d%0a", b"%2e%2e%2f", b"../", b"..\\", b"//", b"/./", b"http://127.0.0.1/", b"HTTP/0.9",
    b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"PRI * HTTP/2.0", b": nameless\r\n", b"Name With Space: x\r\n",
    b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Content-Length: 99999999999999999999\r\n",
    b"Content-Length: 0x10\r\n", b"Content-Length: 1, 2\r\n", b"Content-Length:\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding: chunked, gzip\r\n",
    b"Host: elsewhere\r\n", b"Host:\r\n", b"X-Forwarded-For: 10.0.0.1\r\n", b"X-Forwarded-Host: a:b:c\r\n",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n", b"Upgrade: h2c\r\n", b"Expect: 100-continue\r\n", b"HTTP/2.0",
    b"Authorization: Bearer vb_x\r\n", b"Authorization: Basic Og==\r\n", b"Last-Event-ID: -1\r\n", b"Cookie: a=b\r\n",
    b"Range: bytes=-1\r\n", b"X: " + b"a" * 70_000 + b"\r\n", b"X: y\r\n" * 500,
]
TRAPS = [
    "..", ".", "%2e%2e", "..%2f..%2fetc%2fpasswd", "ava%00", "ava%0a", "%2Fetc%2Fpasswd", "AVA", "a" * 65, "a" * 5000,
    "ava.yaml", "~", "$(id)", "%ff%fe", "%", "\u00e4", "ava%2f", ";", "*", "ava?x", "{id}", "%E2%80%AE", "validate",
]
FIELDS = ["agent", "caller", "parameters", "text", "to", "detail", "name", "source", "type"]
BOMBS = [
    b"[" * 100_000, b'{"a":' * 50_000, b'"' + b"\\u0041" * 20_000 + b'"', b"1" * 100_000, b"1e999999", b"-",
    b'{"a":1,"a":2}', b"NaN", b'{"agent":"\\ud800"}', b'{"agent":"\\u0000"}', b"\xff\xfe", b"[]]", b"a: &a [*a]",
    b"a: &a [x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c]\ne: [*d,*d,*d,*d]",
]
"""Texts that are small and want to be large, deep or nothing at all."""
# fmt: on


@st.composite
def mutated(draw: st.DrawFn, originals: Sequence[bytes]) -> bytes:
    """One of `originals` after one to four accidents."""
    data = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        between = draw(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=8), st.just(data[start:end] * 2)))
        data = data[:start] + between + data[end:]
    return data


names = st.one_of(st.sampled_from(TRAPS), st.text(max_size=30))
"""What may stand where a path has a name."""
plain = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just("\0\ud800\u202e"))
keys = st.one_of(st.sampled_from(FIELDS), st.text(max_size=8))
values = st.recursive(
    plain, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=5)), max_leaves=12
)
"""Whatever JSON can say, and some things that it cannot."""


def request(method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """A whole request, after which the server closes. `path` may be anything that has no blank in it."""
    sent = {"Host": "voice.example.com", "Connection": "close", **(headers or {})}
    if body:
        sent["Content-Length"] = str(len(body))
    target = re.sub(r"[\s\x00-\x20\x7f]", "", path).encode("utf-8", "surrogatepass")
    first = method.encode() + b" " + target + b" HTTP/1.1"
    return b"\r\n".join([first, *(f"{name}: {value}".encode() for name, value in sent.items()), b"", b""]) + body


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def frame(
    payload: bytes,
    opcode: int = 1,
    *,
    fin: bool = True,
    reserved: int = 0,
    masked: bool = True,
    claims: int | None = None,
) -> bytes:
    """One frame of RFC 6455, or what looks like one: `claims` is the length it says it has."""
    size = len(payload) if claims is None else claims
    first = (0x80 if fin else 0) | (reserved & 7) << 4 | (opcode & 15)
    mask = 0x80 if masked else 0
    if size < 126:
        head = struct.pack(">BB", first, mask | size)
    elif size < 1 << 16:
        head = struct.pack(">BBH", first, mask | 126, size)
    else:
        head = struct.pack(">BBQ", first, mask | 127, size % (1 << 64))
    return head + (b"\0\0\0\0" if masked else b"") + payload


# -- how it is sent ----------------------------------------------------------------------------------------------------


def somewhere() -> str:
    """An address of this machine to come from, another one each time, so that limits by address do not hold us up."""
    return f"127.{random.randint(1, 254)}.{random.randint(0, 254)}.{random.randint(1, 254)}"


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(somewhere(), 0))


def exchange(port: int, sent: Sequence[bytes], *, within_s: float, whole: bool = False) -> list[bytes]:
    """Each on a connection of its own, all at once; what came back until the server closed or the time was over.

    `whole`: these are requests that end, so that a server which has not closed by then hangs.
    """
    lines = [connected(port) for _ in sent]
    for line, data in zip(lines, sent, strict=True):
        _send(line, data)
    came, left = _gather(lines, within_s)
    assert not (whole and left), f"no end to the answer of {[sent[number][:200] for number in left]}"
    return came


def in_streams(port: int, streams: Sequence[tuple[bytes, bytes]], *, within_s: float) -> list[tuple[bytes, bytes]]:
    """(the answer, what came on the stream) of each (upgrade, frames); frames are sent when the answer is there."""
    lines = [connected(port) for _ in streams]
    for line, (upgrade, _) in zip(lines, streams, strict=True):
        _send(line, upgrade)
    answers = [_until_blank_line(line) for line in lines]
    for line, (_, frames) in zip(lines, streams, strict=True):
        _send(line, frames)
    came, _ = _gather(lines, within_s)
    return list(zip(answers, came, strict=True))


def _send(line: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # it has closed in our face, which it may; what it said before can be read
        line.sendall(data)


def _gather(lines: Sequence[socket.socket], within_s: float) -> tuple[list[bytes], list[int]]:
    """What comes on each, and the numbers of those that the server has not closed; we do, then."""
    came = [b""] * len(lines)
    waiting = {line: number for number, line in enumerate(lines)}
    until_s = time.monotonic() + within_s
    while waiting and (left_s := until_s - time.monotonic()) > 0:
        for line in select.select(list(waiting), [], [], left_s)[0]:
            data = _read(line)
            came[waiting[line]] += data
            if not data:
                del waiting[line]
    for line in lines:
        line.close()
    return came, list(waiting.values())


def _until_blank_line(line: socket.socket) -> bytes:
    answer = b""
    while b"\r\n\r\n" not in answer and (data := _read(line)):
        answer += data
    return answer


def _read(line: socket.socket) -> bytes:
    try:
        return line.recv(65536)
    except OSError:
        return b""


def statuses(reply: bytes) -> list[int]:
    """Of all answers on one connection."""
    return [int(status) for status in _STATUS.findall(reply)]


def well_behaved(reply: bytes) -> None:
    """Whatever was asked: nothing broke, and nothing of the inside is told."""
    assert 500 not in statuses(reply), reply[:2000]
    assert not TELLTALES.search(reply), reply[:2000]
