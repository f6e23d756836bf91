"""Calls by telephone: from Twilio's first webhook to its last, over the real app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")

from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.doubles.phone_server import Leftovers, served
from tests.doubles.project import project
from tests.doubles.sockets import Dialled
from tests.doubles.stubs import WORD_S, EchoBrain
from tests.doubles.twilio_caller import CALLEE, PUBLIC, TOKEN, Exchange, Ringing, Verb
from tests.doubles.twilio_stream import TwilioStream
from voicebot.brain import HandOver, HangUp, Output, Say
from voicebot.server.twilio.signature import SETTING
from voicebot.store import calls as records
from voicebot.transports.link import Link


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, TOKEN)


async def listen(ringing: Ringing, connect: Verb, words: int = 1000) -> TwilioStream:
    """The caller hangs up after so many words of the agent's, or the agent does."""
    phone = Link("+15550100", rate_hz=8000)
    async with ringing.stream(connect) as connection, asyncio.timeout(10):
        stream = TwilioStream(phone, Dialled(connection), connect.inner[0].parameters, ringing.sid)
        running = asyncio.create_task(stream.run())
        while stream.spoken < words * WORD_S * 8000 and not running.done():  # noqa: ASYNC110 - only plain numbers
            await asyncio.sleep(0.01)
        phone.hang_up()
        await running
    return stream


def ends_with(last: Output) -> Any:
    """A brain that greets and is done."""

    class Ends(EchoBrain):
        async def greet(self) -> AsyncGenerator[Output, None]:
            yield Say("One moment.")
            yield last

    return Ends


async def test_a_call_from_its_first_webhook_to_its_last(tmp_path: Path):
    async with served(tmp_path, greeting="Good morning, this is Ava.") as server:
        leftovers = Leftovers(server)
        ringing = Exchange(server.address).ring("+15550123")
        (connect,) = await ringing.ask("/twilio/voice/ava?campaign=spring%20sale")
        assert connect.name == "Connect"
        (stream,) = connect.inner
        assert stream.attributes["url"] == "wss://voice.example.com/twilio/stream"
        heard = await listen(ringing, connect, words=5)
        assert heard.spoken == pytest.approx(5 * WORD_S * 8000, abs=1)
        (hang_up,) = await ringing.ask(connect.attributes["action"], CallStatus="completed")
        assert hang_up.name == "Hangup"
        await leftovers.none()
        (row,) = (await server.site.state.calls.list()).rows
        call = records.read(tmp_path / "calls" / row.id)
    assert (row.state, row.reason, row.caller, row.callee) == ("ended", "caller_hung_up", "+15550123", CALLEE)
    assert (row.transport, row.outside_id, row.parameters) == ("twilio", ringing.sid, {"campaign": "spring sale"})
    assert (call.state, call.how_it_ended, call.broken, call.cut) == ("ended", "caller hung up", (), False)
    assert (call.started.caller, call.started.transport, call.started.rate_hz) == ("+15550123", "twilio", 8000)


@pytest.mark.parametrize(
    ("last", "verb", "dialled"),
    [
        (HangUp("done"), "Hangup", ""),
        (HandOver("+1 (555) 010-0177", "asked"), "Dial", "+15550100177"),
        (HandOver("sip:desk@example.com", "asked"), "Dial", ""),
    ],
)
async def test_when_the_agent_is_done_twilio_is_told_what_comes_next(
    tmp_path: Path, last: Output, verb: str, dialled: str
):
    async with served(tmp_path, brain=ends_with(last)) as server:
        ringing = Exchange(server.address).ring()
        (connect,) = await ringing.ask("/twilio/voice/ava")
        stream = await listen(ringing, connect)
        assert stream.spoken == pytest.approx(2 * WORD_S * 8000, abs=1)
        assert stream.closed is not None
        (then,) = await ringing.ask(connect.attributes["action"])
        assert (then.name, then.text) == (verb, dialled)
        assert [each.text for each in then.inner] == (["sip:desk@example.com"] if "sip" in str(last) else [])
        if verb == "Dial":
            after = then.attributes["action"]
            busy, hang_up = await ringing.ask(after, DialCallStatus="busy")
            assert (busy.text.split(".")[0], hang_up.name) == ("Nobody can be reached there at the moment", "Hangup")
            (hang_up,) = await ringing.ask(after, DialCallStatus="completed")
            assert hang_up.name == "Hangup"


async def test_a_number_to_put_through_to_survives_the_redaction_of_private_data(tmp_path: Path):
    brain = {"llm": ["openai/double"], "prompt": "You are Ava.", "guardrails": {"pii": "redact"}}
    project(tmp_path, brain, handoff={"to": "+15550100177"})
    async with served(tmp_path, brain=ends_with(HandOver("+15550100177", "asked"))) as server:
        ringing = Exchange(server.address).ring()
        (connect,) = await ringing.ask("/twilio/voice/ava")
        await listen(ringing, connect)
        (dial,) = await ringing.ask(connect.attributes["action"])
        assert (dial.name, dial.text) == ("Dial", "+15550100177")


async def test_a_colleague_who_has_no_number_cannot_be_dialled(tmp_path: Path):
    async with served(tmp_path, brain=ends_with(HandOver("reception", "asked")), overflow="+15550111") as server:
        ringing = Exchange(server.address).ring()
        (connect,) = await ringing.ask("/twilio/voice/ava")
        await listen(ringing, connect)
        (dial,) = await ringing.ask(connect.attributes["action"])
        assert (dial.name, dial.text) == ("Dial", "+15550111")


@pytest.mark.parametrize(
    ("overflow", "names"),
    [("", ["Say", "Hangup"]), ("+15550111", ["Dial"]), ("https://example.com/elsewhere?a=1&b=2", ["Redirect"])],
)
async def test_a_call_for_which_there_is_no_room_is_told_so_or_goes_elsewhere(
    tmp_path: Path, overflow: str, names: list[str]
):
    async with served(tmp_path, calls=0, overflow=overflow) as server:
        verbs = await Exchange(server.address).ring().ask("/twilio/voice/ava")
        assert [verb.name for verb in verbs] == names
        assert verbs[0].text == (overflow or "All our lines are busy. Please call again in a moment.")
        assert server.site.row.refused["full"] == 1
        assert not (await server.site.state.calls.list()).rows


async def test_a_room_that_is_gone_when_the_stream_comes_is_a_refusal_with_a_time(tmp_path: Path):
    async with served(tmp_path, calls=1) as server:
        first, second = Exchange(server.address).ring(), Exchange(server.address).ring()
        (connect,) = await first.ask("/twilio/voice/ava")
        (late,) = await second.ask("/twilio/voice/ava")
        async with first.stream(connect):
            with pytest.raises(InvalidStatus) as refused:
                async with second.stream(late):
                    pass
            response = refused.value.response
            assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
            assert response.headers["Content-Type"] == "application/problem+json"
            say, hang_up = await second.ask(late.attributes["action"])
            assert (say.attributes["language"], hang_up.name) == ("en-US", "Hangup")
        await server.idle()
        await asyncio.sleep(0.1)
        rows = {row.outside_id: row for row in (await server.site.state.calls.list()).rows}
        assert rows[second.sid].reason == "not_opened"


@pytest.mark.parametrize("name", ["nobody", "broken", "ava.yaml", "AVA"])
async def test_a_caller_of_an_agent_that_cannot_answer_hears_so(tmp_path: Path, name: str):
    async with served(tmp_path) as server:
        (tmp_path / "agents" / "broken.yaml").write_text("name: [")
        say, hang_up = await Exchange(server.address).ring().ask(f"/twilio/voice/{name}")
        assert (say.text.split(".")[0], hang_up.name) == ("We cannot take your call right now", "Hangup")


async def test_a_webhook_that_is_repeated_is_answered_again_and_is_one_call(tmp_path: Path):
    async with served(tmp_path, greeting="Hello.") as server:
        leftovers = Leftovers(server)
        ringing = Exchange(server.address).ring()
        (first,), (again,) = await asyncio.gather(*(ringing.ask("/twilio/voice/ava") for _ in range(2)))
        (last,) = await ringing.ask("/twilio/voice/ava")
        assert len({each.attributes["action"] for each in (first, again, last)}) == 1
        async with ringing.stream(last) as connection:
            phone = Link("+15550100", rate_hz=8000)
            stream = TwilioStream(phone, Dialled(connection), last.inner[0].parameters, ringing.sid)
            running = asyncio.create_task(stream.run())
            async with asyncio.timeout(5):
                while not stream.spoken:  # noqa: ASYNC110 - a plain number
                    await asyncio.sleep(0.01)
            (replayed,) = await ringing.ask("/twilio/voice/ava")
            assert replayed.name == "Hangup"
            assert len(server.site.desk.live) == 1
            phone.hang_up()
            await running
        await leftovers.none()
        (replayed,) = await ringing.ask("/twilio/voice/ava")
        assert replayed.name == "Hangup"
        assert len((await server.site.state.calls.list()).rows) == 1
        for each in (first, again, last):
            heard = await refused_stream(ringing, each)
            assert heard.code == 1008
            assert not heard.reason
        assert len(list((tmp_path / "calls").iterdir())) == 1


async def refused_stream(ringing: Ringing, connect: Verb, **about: str) -> Any:
    """How a stream is closed that the server takes for none of its calls'."""
    async with ringing.stream(connect) as connection:
        phone = Link("+15550100", rate_hz=8000)
        parameters = {**connect.inner[0].parameters, **about}
        await TwilioStream(phone, Dialled(connection), parameters, ringing.sid).run()
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
        assert closed.value.rcvd
        return closed.value.rcvd


@pytest.mark.parametrize("ticket", ["", "x", "'; --", "\x00", "é" * 40])
async def test_a_stream_without_the_ticket_of_a_call_learns_nothing(tmp_path: Path, ticket: str):
    async with served(tmp_path) as server:
        leftovers = Leftovers(server)
        ringing = Exchange(server.address).ring()
        (connect,) = await ringing.ask("/twilio/voice/ava")
        closed = await refused_stream(ringing, connect, ticket=ticket)
        assert (closed.code, closed.reason) == (1008, "")
        await leftovers.none()


async def test_a_ticket_is_good_for_its_own_call_only_and_not_for_two(tmp_path: Path):
    async with served(tmp_path) as server:
        leftovers = Leftovers(server)
        exchange = Exchange(server.address)
        mine, other = exchange.ring(), exchange.ring()
        (connect,) = await mine.ask("/twilio/voice/ava")
        assert (await refused_stream(other, connect)).code == 1008
        assert (await refused_stream(mine, connect)).code == 1008
        await leftovers.none()
        (row,) = (await server.site.state.calls.list()).rows
        assert (row.state, row.reason) == ("ended", "failed")


@pytest.mark.parametrize(
    "headers", [{"X-Twilio-Signature": ""}, {"X-Twilio-Signature": "bm8="}, {"Host": "elsewhere.example.com"}]
)
async def test_nothing_that_is_not_signed_gets_through(tmp_path: Path, headers: dict[str, str]):
    async with served(tmp_path) as server:
        exchange = Exchange(server.address)
        form = exchange.ring().form()
        for path in ("/twilio/voice/ava", "/twilio/after/x", "/twilio/status/x", "/twilio/voice/nobody"):
            answer = await exchange.post(path, form, headers)
            assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")
        with pytest.raises(InvalidStatus) as refused:
            async with exchange.open(f"{PUBLIC.replace('http', 'ws')}/twilio/stream", {"X-Twilio-Signature": "bm8="}):
                pass
        assert refused.value.response.status_code == 403
        assert not (await server.site.state.calls.list()).rows


async def test_signatures_may_be_off_for_development(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(SETTING)
    async with served(tmp_path, greeting="Hello.", signatures=False) as server:
        ringing = Exchange(server.address, public=f"http://{server.address}").ring()
        (connect,) = await ringing.ask("/twilio/voice/ava")
        assert connect.inner[0].attributes["url"] == f"ws://{server.address}/twilio/stream"
        assert (await listen(ringing, connect, words=1)).spoken


async def test_news_of_a_stream_do_no_harm_late_twice_or_of_another_call(tmp_path: Path):
    async with served(tmp_path, greeting="Hello.") as server:
        exchange = Exchange(server.address)
        ringing, other = exchange.ring(), exchange.ring()
        (connect,) = await ringing.ask("/twilio/voice/ava")
        status = connect.inner[0].attributes["statusCallback"].removeprefix(PUBLIC)
        news = {"StreamEvent": "stream-error", "StreamError": "Handshake\r\nError"}
        for form in (other.form(**news), ringing.form(StreamEvent="stream-started"), {}):
            assert (await exchange.post(status, form)).status_code == 204
        listening = asyncio.create_task(listen(ringing, connect, words=1))
        async with asyncio.timeout(5):
            while not server.site.desk.live:  # noqa: ASYNC110 - a plain dict
                await asyncio.sleep(0.01)
        for form in (ringing.form(**news), ringing.form(CallStatus="completed")):
            assert (await exchange.post(status, form)).status_code == 204
        await listening
        await server.idle()
        for _ in range(2):
            assert (await exchange.post(status, ringing.form(**news))).status_code == 204
        assert (await exchange.post("/twilio/status/none", ringing.form(**news))).status_code == 204
        (row,) = (await server.site.state.calls.list()).rows
        assert row.reason == "caller_hung_up"


async def test_a_stream_that_twilio_could_not_open_is_in_the_books(tmp_path: Path):
    async with served(tmp_path) as server:
        ringing = Exchange(server.address).ring()
        (connect,) = await ringing.ask("/twilio/voice/ava")
        status = connect.inner[0].attributes["statusCallback"].removeprefix(PUBLIC)
        form = ringing.form(StreamEvent="stream-error", StreamError="Handshake\r\nError")
        await Exchange(server.address).post(status, form)
        await asyncio.sleep(0.2)
        (row,) = (await server.site.state.calls.list()).rows
        assert (row.state, row.reason, row.detail) == ("ended", "not_opened", "HandshakeError")
        assert (await refused_stream(ringing, connect)).code == 1008
