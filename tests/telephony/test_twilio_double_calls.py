"""Calls that come in, from a telephone to the last callback: Twilio's double, the real server, real websockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")

from twilio.request_validator import RequestValidator

from tests.doubles.eventually import eventually
from tests.doubles.phone_server import Served, served
from tests.doubles.stubs import EchoBrain
from tests.doubles.twilio_caller import PUBLIC, Exchange, signature
from tests.doubles.twilio_rest import CALLEE, TOKEN, Phone, PhoneCall, TwilioRest
from voicebot.brain import HandOver, Output, Say
from voicebot.server.twilio.signature import SETTING
from voicebot.telephony.numbers import STATUS, VOICE


@asynccontextmanager
async def on_a_number(root: Path, **settings: Any) -> AsyncIterator[tuple[TwilioRest, Served]]:
    """A server, and a number that is pointed at its agent 'ava'."""
    async with served(root, public_url=PUBLIC, **settings) as server, TwilioRest() as twilio:
        twilio.reach(PUBLIC, server.address)
        twilio.number().update(voice_url=f"{PUBLIC}{VOICE}/ava", status_callback=f"{PUBLIC}{STATUS}")
        yield twilio, server
        await server.idle()


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, TOKEN)


async def hears_the_greeting(call: PhoneCall) -> None:
    stream = await call.streaming()
    await eventually(lambda: stream.spoken > 4000, within_s=20)


def test_webhooks_are_signed_as_twilios_own_validator_wants_it():
    form = {"CallSid": "CA1", "From": "+15550100", "Empty": "", "Digits": "1#"}
    url = f"{PUBLIC}/twilio/voice/ava?campaign=spring"
    assert signature(url, form) == RequestValidator(TOKEN).compute_signature(url, form)


async def test_a_caller_is_answered_and_hangs_up(tmp_path: Path):
    async with on_a_number(tmp_path) as (twilio, server):
        call = await twilio.ring(talk=hears_the_greeting)
        assert await call.ended() == "completed"
        await server.idle()
        (row,) = (await server.site.state.calls.list()).rows
        assert (row.caller, row.callee, row.reason) == ("+15550100", CALLEE, "caller_hung_up")
        await eventually(lambda: any(url.endswith(STATUS) for url, _ in twilio.callbacks))
        assert twilio.debugger == [], "nothing that Twilio would complain of"


async def test_callbacks_that_come_twice_and_late_change_nothing(tmp_path: Path):
    async with on_a_number(tmp_path) as (twilio, server):
        twilio.repeats, twilio.late_s = 2, 0.2
        call = await twilio.ring(talk=hears_the_greeting)
        await call.ended()
        await server.idle()
        (before,) = (await server.site.state.calls.list()).rows
        await eventually(lambda: sum(url.endswith(STATUS) for url, _ in twilio.callbacks) == 2)
        await asyncio.sleep(0.1)  # what they could do, they do now
        assert (await server.site.state.calls.list()).rows == [before]
        assert twilio.debugger == []


async def test_a_caller_who_hangs_up_while_it_rings_is_written_down(tmp_path: Path):
    """The number's own status callback is all that the server hears of it."""
    async with on_a_number(tmp_path) as (twilio, server):
        ringing = Exchange(server.address).ring()
        await ringing.ask(f"{VOICE}/ava")
        answer = await Exchange(server.address).post(STATUS, ringing.form(CallStatus="completed"))
        assert answer.status_code == 204
        await eventually(lambda: _is_over(server))
        unsigned = await Exchange(server.address, token="0" * 32).post(STATUS, ringing.form(CallStatus="completed"))
        assert unsigned.status_code == 403
        assert twilio.calls == {}


async def _is_over(server: Served) -> bool:
    (row,) = (await server.site.state.calls.list()).rows
    return row.state == "ended"


async def test_a_full_house_says_so_to_the_caller(tmp_path: Path):
    async with on_a_number(tmp_path, calls=1) as (twilio, _):
        first = await twilio.ring(talk=None)
        await first.streaming()
        second = await twilio.ring(caller="+15550101")
        assert await second.ended() == "completed"
        assert second.said == ["All our lines are busy. Please call again in a moment."]
        first.hang_up()
        await first.ended()


async def test_a_caller_is_put_through_to_a_number_that_is_busy(tmp_path: Path):
    class HandsOver(EchoBrain):
        async def greet(self) -> AsyncGenerator[Output, None]:
            yield Say("One moment.")
            yield HandOver("+15550123", "asked for it")

    async with on_a_number(tmp_path, brain=HandsOver) as (twilio, _):
        twilio.phones["+15550123"] = Phone("busy")
        call = await twilio.ring()
        await call.ended()
        (child,) = call.children
        assert (child.to, child.status) == ("+15550123", "busy")
        assert "Nobody can be reached there" in call.said[-1]


async def test_a_server_that_is_down_is_no_call_that_hangs():
    async with TwilioRest() as twilio:
        twilio.number().update(voice_url="http://127.0.0.1:9/twilio/voice/ava")
        call = await twilio.ring()
        await call.ended()
        assert call.said == ["An application error has occurred."]
        assert twilio.debugger[0][0] == 11205
