"""Streams on which something is wrong: the call ends, says why in its record, and gives back all that it had."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.doubles.phone_server import Leftovers, Served, served
from tests.doubles.twilio_caller import TOKEN, Exchange, Ringing, Verb
from tests.doubles.twilio_stream import ACCOUNT_SID, STREAM_SID
from voicebot.server.state import CallRow
from voicebot.server.twilio.signature import SETTING
from voicebot.store import calls as records

LONG = "one two three four five six seven eight nine ten eleven twelve " * 4
MULAW_SILENCE = b64encode(b"\xff" * 160).decode()


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, TOKEN)


def message(event: str, **fields: Any) -> str:
    return json.dumps({"event": event, "streamSid": STREAM_SID, **fields})


def start(ringing: Ringing, connect: Verb) -> str:
    about = {
        "streamSid": STREAM_SID,
        "accountSid": ACCOUNT_SID,
        "callSid": ringing.sid,
        "customParameters": connect.inner[0].parameters,
    }
    return message("start", start=about)


def media(chunk: Any = 1, timestamp: Any = 20, payload: str = MULAW_SILENCE) -> str:
    return message("media", media={"track": "inbound", "chunk": chunk, "timestamp": timestamp, "payload": payload})


class Scene:
    """One call whose caller hears the agent, and whose stream can be given anything."""

    def __init__(self, server: Served, ringing: Ringing, connect: Verb, socket: ClientConnection) -> None:
        self.server = server
        self.ringing = ringing
        self.connect = connect
        self.socket = socket

    async def say(self, *messages: str | bytes) -> None:
        for each in messages:
            await self.socket.send(each)

    async def heard(self, event: str = "media") -> None:
        """The agent speaks."""
        async with asyncio.timeout(5):
            while json.loads(await self.socket.recv())["event"] != event:
                pass

    async def closed(self) -> int | None:
        """How the server closes the stream."""
        async with asyncio.timeout(5):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed as error:
                return error.rcvd.code if error.rcvd else None


@asynccontextmanager
async def scene(root: Path, *, begun: bool = True, **settings: Any) -> AsyncIterator[Scene]:
    """A call in mid-sentence, or one whose stream is only just open. Nothing may be left of it."""
    async with served(root, greeting=LONG, **settings) as server:
        leftovers = Leftovers(server)
        ringing = Exchange(server.address).ring()
        (connect,) = await ringing.ask("/twilio/voice/ava")
        async with ringing.stream(connect) as socket:
            here = Scene(server, ringing, connect, socket)
            await here.say(message("connected", protocol="Call", version="1.0.0"))
            if begun:
                await here.say(start(ringing, connect))
                await here.heard()
            yield here
        await leftovers.none()


async def book(here: Scene) -> CallRow:
    """What is in the books when the call is over."""
    await here.server.idle()
    (row,) = (await here.server.site.state.calls.list()).rows
    return row


async def hang_up(here: Scene) -> None:
    await here.say(message("stop", stop={"callSid": here.ringing.sid}))
    assert await here.closed() == 1000


async def cut(here: Scene) -> None:
    here.socket.transport.abort()


async def oversized(here: Scene) -> None:
    await here.say("x" * (64 * 1024 + 1))
    assert await here.closed() == 1009


async def not_utf8(here: Scene) -> None:
    await here.socket.send(b"\xff\xfe", text=True)
    assert await here.closed() == 1007


def many(*nonsense: str | bytes) -> Callable[[Scene], Awaitable[None]]:
    async def send(here: Scene) -> None:
        await here.say(*(nonsense * 101)[:101])
        assert await here.closed() == 1008

    return send


async def second_start(here: Scene) -> None:
    await here.say(start(here.ringing, here.connect))
    assert await here.closed() == 1008


NO_JSON = ("{", "[]", "null", "1", '{"event":', "\x00", "")
STRANGE = (
    media(payload="no base64!"),
    media(payload=""),
    media(payload="A" * 60_000),
    media(chunk={}),
    media(chunk="9" * 400),
    message("media", media=[]),
    message("mark", mark={"name": 7}),
    message("dtmf", dtmf={"digit": "12"}),
    message("media", streamSid="MZother", media={"payload": MULAW_SILENCE}),
)


@pytest.mark.parametrize(
    ("happens", "detail"),
    [
        (cut, "the line was cut"),
        (oversized, "the line was cut (1009"),
        (not_utf8, "the line was cut (1007"),
        (many(*NO_JSON), "too many messages"),
        (many(*STRANGE), "too many messages"),
        (many(b"\x00" * 160), "too many messages"),
        (second_start, "a second `start` came"),
    ],
    ids=["cut", "oversized", "not UTF-8", "no JSON", "strange", "binary", "second start"],
)
async def test_what_breaks_in_mid_sentence_ends_the_call_with_its_reason(
    tmp_path: Path, happens: Callable[[Scene], Awaitable[None]], detail: str
):
    async with scene(tmp_path) as here:
        await happens(here)
        row = await book(here)
    assert (row.state, row.reason) == ("ended", "failed")
    assert detail in row.detail
    call = records.read(tmp_path / "calls" / row.id)
    assert (call.state, call.broken, call.cut) == ("ended", (), False)
    assert call.ended
    assert (call.ended.reason, call.ended.detail) == ("failed", row.detail)
    assert call.audio


async def test_some_nonsense_is_left_out_and_the_call_goes_on(tmp_path: Path):
    disorder = [media(chunk, 20 * chunk) for chunk in (3, 1, 2, 2, 900_000_000_000_000, -5, 4)]
    async with scene(tmp_path) as here:
        await here.say(*NO_JSON, *STRANGE, b"\x00" * 160, *disorder, message("unheard of"))
        await here.say(message("dtmf", dtmf={"track": "inbound_track", "digit": "5"}))
        await here.heard("clear")
        await hang_up(here)
        row = await book(here)
    assert (row.state, row.reason) == ("ended", "caller_hung_up")
    assert records.read(tmp_path / "calls" / row.id).how_it_ended == "caller hung up"


@pytest.mark.parametrize(
    "first",
    [
        [media()],
        [message("stop", stop={})],
        [message("connected")] * 5,
        ["{"],
        [b"\x00"],
        [message("start", start={})],
        [message("start", start=[])],
        [message("start", start={"streamSid": "../..", "callSid": "x", "accountSid": "y"})],
    ],
    ids=["media", "stop", "never", "no JSON", "binary", "empty", "a list", "strange"],
)
async def test_a_stream_that_does_not_begin_with_start_is_no_call(tmp_path: Path, first: list[str | bytes]):
    async with scene(tmp_path, begun=False) as here:
        await here.say(*first)
        assert await here.closed() == 1008
        row = await book(here)
    assert row.state == "expected"
    assert not (tmp_path / "calls").exists()


async def test_a_stream_that_is_gone_at_once_is_no_call(tmp_path: Path):
    async with scene(tmp_path, begun=False) as here:
        await cut(here)
        assert (await book(here)).state == "expected"


async def test_an_agent_that_is_deleted_or_changed_in_its_call_finishes_it(tmp_path: Path):
    async with scene(tmp_path) as here:
        file = tmp_path / "agents" / "ava.yaml"
        file.write_text(file.read_text().replace("name: Ava", "name: Eva"))
        await here.heard("mark")
        file.unlink()
        (said, _) = await Exchange(here.server.address).ring().ask("/twilio/voice/ava")
        assert said.text.startswith("We cannot take your call")
        await hang_up(here)
        row = await book(here)
    assert row.reason == "caller_hung_up"
    call = records.read(tmp_path / "calls" / row.id)
    assert call.started.agent == "Ava"
    assert "name: Ava" in (call.folder / records.AGENT).read_text()


async def test_an_agent_that_is_deleted_before_its_stream_begins_is_said_to_be_out_of_order(tmp_path: Path):
    async with scene(tmp_path, begun=False) as here:
        (tmp_path / "agents" / "ava.yaml").unlink()
        await here.say(start(here.ringing, here.connect))
        assert await here.closed() == 1000
        (said, _) = await here.ringing.ask(here.connect.attributes["action"])
        assert said.text.startswith("We cannot take your call")
        row = await book(here)
    assert (row.state, row.reason) == ("ended", "failed")
    assert "there is no agent 'ava'" in row.detail


async def test_a_call_uses_the_file_as_it_is_when_its_stream_begins(tmp_path: Path):
    async with scene(tmp_path, begun=False) as here:
        file = tmp_path / "agents" / "ava.yaml"
        file.write_text(file.read_text().replace("name: Ava", "name: Eva"))
        await here.say(start(here.ringing, here.connect))
        await here.heard()
        await hang_up(here)
        row = await book(here)
    assert records.read(tmp_path / "calls" / row.id).started.agent == "Eva"
