"""The database goes away: calls that run do not notice, and new ones are turned away in a way that each side reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.doubles.phone_server import Leftovers, Served, served
from tests.doubles.twilio_caller import PUBLIC, TOKEN, Exchange
from tests.doubles.twilio_stream import ACCOUNT_SID, STREAM_SID
from voicebot.errors import Unavailable
from voicebot.server.twilio.signature import SETTING


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, TOKEN)


def unplug(server: Served, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Nothing that is asked of the database has an answer. Returns what plugs it in again."""

    async def away(work: object) -> None:
        raise Unavailable("the database does not answer.")

    with_database = (server.site.state.calls, server.site.state.keys)
    for each in with_database:
        monkeypatch.setattr(each._database, "run", away)
    return monkeypatch.undo


async def test_new_calls_are_turned_away_and_the_running_one_does_not_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with served(tmp_path, greeting="one two three four five six") as server:
        _, secret = await server.site.state.keys.create("kiosk", ["calls:stream"])
        leftovers = Leftovers(server)
        exchange = Exchange(server.address)
        running, late = exchange.ring(), exchange.ring()
        (first,), (second,) = await running.ask("/twilio/voice/ava"), await late.ask("/twilio/voice/ava")
        start = {"streamSid": STREAM_SID, "accountSid": ACCOUNT_SID}
        async with running.stream(first) as talk, late.stream(second) as stream:
            about = {"callSid": running.sid, "customParameters": first.inner[0].parameters}
            await talk.send(json.dumps({"event": "start", "start": {**start, **about}}))
            while json.loads(await talk.recv())["event"] != "media":
                pass
            plug_in = unplug(server, monkeypatch)
            say, _ = await exchange.ring().ask("/twilio/voice/ava")
            assert say.text.startswith("All our lines are busy")
            about = {"callSid": late.sid, "customParameters": second.inner[0].parameters}
            await stream.send(json.dumps({"event": "start", "start": {**start, **about}}))
            with pytest.raises(ConnectionClosed) as closed:
                await stream.recv()
            assert closed.value.rcvd
            assert closed.value.rcvd.code == 1013
            (hang_up,) = await late.ask(second.attributes["action"])
            assert hang_up.name == "Hangup"
            status = second.inner[0].attributes["statusCallback"].removeprefix(PUBLIC)
            assert (await exchange.post(status, late.form(CallStatus="completed"))).status_code == 204
            assert await upgrade_status(server, query="?ticket=x") == 503
            assert await upgrade_status(server, {"Authorization": f"Bearer {secret}"}) == 503
            while json.loads(await talk.recv())["event"] != "mark":
                pass
            await talk.send(json.dumps({"event": "stop", "streamSid": STREAM_SID}))
            async for _ in talk:  # until it is closed
                pass
            plug_in()
            await leftovers.none()
        rows = {row.outside_id: row for row in (await server.site.state.calls.list()).rows}
        assert rows[running.sid].reason == "caller_hung_up"
        assert server.site.row.refused["state"] == 1


async def upgrade_status(server: Served, headers: Mapping[str, str] | None = None, query: str = "") -> int:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(
            f"ws://{server.address}/v1/agents/ava/stream{query}", additional_headers=headers, proxy=None
        ):
            pass
    assert "database" in json.loads(refused.value.response.body or b"")["detail"]
    return refused.value.response.status_code
