"""Warm transfers: the real server and the real SDK, and Twilio's double between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")

from tests.doubles.phone_server import Served, served
from tests.doubles.project import project
from tests.doubles.stubs import EchoBrain
from tests.doubles.twilio_caller import PUBLIC
from tests.doubles.twilio_rest import CALLEE, Fault, Phone, PhoneCall, TwilioRest
from voicebot import events
from voicebot.brain import HandOver, HangUp, Output, Say
from voicebot.server.state import SCOPES, CallRow
from voicebot.server.twilio import operator
from voicebot.store import calls as records

COLLEAGUE = "+15550177"
SORRY = "Nobody is there right now."


class Hands(EchoBrain):
    """Greets, hands the caller over, and goes on when that comes to nothing."""

    async def greet(self) -> AsyncGenerator[Output, None]:
        yield Say("One moment.")
        yield HandOver(COLLEAGUE, "It is about an invoice.")


@dataclass
class Scene:
    server: Served
    twilio: TwilioRest
    root: Path
    caller: PhoneCall

    async def row(self) -> CallRow:
        (row,) = (await self.server.site.state.calls.list()).rows
        return row

    async def colleague(self) -> PhoneCall:
        """Their call, when it has been made."""
        called = await until(lambda: [each for each in self.twilio.calls.values() if each.to == COLLEAGUE])
        assert isinstance(called[0], PhoneCall)
        return called[0]

    async def happened(self, kind: type[Any], **fields: Any) -> Any:
        """The event, when it has happened."""
        live = await until(lambda: next(iter(self.server.site.desk.live.values()), None))

        def found() -> Any:
            told = (events.parse(line) for line in _lines(self.root, live.row.id))
            return next((e for e in told if isinstance(e, kind) and fields.items() <= vars(e).items()), None)

        return await until(found)

    async def record(self) -> records.CallRecord:
        await self.server.idle(10)
        return records.read(self.root / "calls" / (await self.row()).id)

    async def moves(self) -> list[str]:
        return [each.state for each in (await self.record()).events if isinstance(each, events.TransferMoved)]


def _lines(root: Path, call_id: str) -> list[str]:
    file = root / "calls" / call_id / "events.jsonl"
    return [line for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")] if file.exists() else []


async def until(what: Callable[[], Any], within_s: float = 15.0) -> Any:
    async with asyncio.timeout(within_s):
        while not (found := what()):  # noqa: ASYNC110 - what it looks at tells nobody that it changes
            await asyncio.sleep(0.01)
    return found


@asynccontextmanager
async def scene(
    root: Path, monkeypatch: pytest.MonkeyPatch, phone: Phone, brain: type[EchoBrain] = Hands, **sections: Any
) -> AsyncIterator[Scene]:
    """A caller is on the line."""
    monkeypatch.setattr(operator, "_SURE_S", 0.2)
    monkeypatch.setattr(operator, "_JOINS_S", 0.5)
    brains = {"llm": ["openai/double"], "prompt": "You are Ava."}
    project(root, brains, **{"handoff": {"to": COLLEAGUE, "warm": {"sorry": SORRY, "ring": 5}}, **sections})
    async with TwilioRest() as twilio, served(root, brain=brain, public_url=PUBLIC) as server:
        for name, value in twilio.environment.items():
            monkeypatch.setenv(name, value)
        twilio.reach(PUBLIC, server.address)
        twilio.phones[COLLEAGUE] = phone
        twilio.number()["voice_url"] = f"{PUBLIC}/twilio/voice/ava"
        yield Scene(server, twilio, root, await twilio.ring())
        for call in twilio.calls.values():
            call.hang_up()
            await call.ended()
        await server.idle(10)
        assert server.site.desk.live == {}
        assert server.site.row.calls == 0


async def test_whoever_says_yes_meets_the_caller_in_a_conference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with scene(tmp_path, monkeypatch, Phone(choices=["1"])) as act:
        colleague = await act.colleague()
        room = await until(lambda: next(iter(act.twilio.conferences.values()), None))
        await until(lambda: len(room.participants) == 2)
        assert set(room.participants) == {act.caller.sid, colleague.sid}
        assert colleague.caller == CALLEE
        assert "It is about an invoice." in colleague.said[0]
        assert "press 1" in colleague.said[0]
        record = await act.record()
        row = await act.row()
        assert (row.reason, row.detail) == ("handed_over", f"{COLLEAGUE} in a conference")
        assert record.ended
        assert record.ended.reason == "handed_over"
        assert await act.moves() == ["ringing", "answered", "accepted"]
        (handed,) = (each for each in record.events if isinstance(each, events.HandedOver))
        assert (handed.to, handed.reason) == (COLLEAGUE, "It is about an invoice.")
        colleague.hang_up()
        assert await act.caller.ended() == "completed"


@pytest.mark.parametrize(
    ("phone", "state"),
    [
        (Phone(choices=["2"]), "declined"),
        (Phone(choices=["", "No, not now."]), "declined"),
        (Phone(choices=["What?", ""]), "declined"),
        (Phone("busy"), "busy"),
        (Phone("no-answer"), "no_answer"),
        (Phone("failed"), "failed"),
    ],
)
async def test_when_nobody_takes_the_call_the_agent_goes_on_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phone: Phone, state: str
):
    async with scene(tmp_path, monkeypatch, phone) as act:
        colleague = await act.colleague()
        await act.happened(events.CallerBack, why="not_taken")
        await act.happened(events.AgentSpeechStopped, heard=SORRY)
        assert len(act.caller.streams) == 1
        assert not act.caller.hung_up.is_set()
        await colleague.ended()
        act.caller.hang_up()
        assert (await act.moves())[-1] == state
        record = await act.record()
        assert record.ended
        assert record.ended.reason == "caller_hung_up"
        assert not act.twilio.conferences


async def test_a_yes_that_is_spoken_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with scene(tmp_path, monkeypatch, Phone(choices=["", "Yes, please."])) as act:
        room = await until(lambda: next(iter(act.twilio.conferences.values()), None))
        await until(lambda: len(room.participants) == 2)
        assert (await act.moves())[-1] == "accepted"


async def test_the_caller_does_not_have_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with scene(tmp_path, monkeypatch, Phone("no-answer", ring_s=400)) as act:
        colleague = await act.colleague()
        await act.happened(events.TransferMoved, state="ringing")
        act.caller.stream.press("*")
        await act.happened(events.TransferMoved, state="cancelled")
        assert await colleague.ended() in ("canceled", "completed", "no-answer")
        await act.happened(events.AgentSpeechStopped, heard="All right.")


async def test_a_caller_who_hangs_up_while_they_wait_stops_the_ringing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with scene(tmp_path, monkeypatch, Phone(choices=["", "", ""])) as act:
        colleague = await act.colleague()
        await act.happened(events.TransferMoved, state="answered")
        act.caller.hang_up()
        await colleague.ended()
        await act.server.idle(10)
        row = await act.row()
        assert row.reason == "caller_hung_up"
        assert not act.twilio.conferences


async def test_who_says_yes_to_a_caller_that_is_gone_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with scene(tmp_path, monkeypatch, Phone("no-answer", ring_s=400)) as act:
        colleague = await act.colleague()
        await act.happened(events.TransferMoved, state="ringing")
        url = colleague.settings["Url"][0]
        act.caller.hang_up()
        await act.server.idle(10)
        answer = await act.twilio.webhook(url.replace("answered", "choice"), colleague.about(Digits="1"))
        assert "The caller has hung up." in answer.text
        for _ in range(2):
            answer = await act.twilio.webhook(
                url.replace("answered", "status"), colleague.about(CallStatus="completed")
            )
            assert answer.status_code == 204


async def test_a_yes_needs_the_token_of_its_transfer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with scene(tmp_path, monkeypatch, Phone("no-answer", ring_s=400)) as act:
        colleague = await act.colleague()
        await act.happened(events.TransferMoved, state="ringing")
        url = colleague.settings["Url"][0].replace("/answered", "/choice")
        base, _, token = url.removesuffix("/choice").rpartition("/")
        answer = await act.twilio.webhook(f"{base}/{'x' * len(token)}/choice", colleague.about(Digits="1"))
        assert "The caller has hung up." in answer.text
        assert (await act.row()).state == "live"
        act.caller.hang_up()


async def test_twilios_refusal_to_call_leaves_the_caller_with_the_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with scene(tmp_path, monkeypatch, Phone()) as act:
        act.twilio.faults.append(Fault("/Calls.json", status=400, code=21210, message="not verified"))
        moved = await act.happened(events.TransferMoved, state="failed")
        assert "neither bought nor verified" in moved.detail
        await act.happened(events.AgentSpeechStopped, heard=SORRY)
        act.caller.hang_up()


async def test_whoever_says_yes_is_not_left_alone_when_the_caller_has_just_hung_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with scene(tmp_path, monkeypatch, Phone(choices=["1"])) as act:
        colleague = await act.colleague()
        await until(lambda: act.twilio.conferences)
        act.caller.hang_up()
        assert await colleague.ended() == "completed"


# -- in the call, by REST ----------------------------------------------------------------------------------------------


class Chats(EchoBrain):
    async def greet(self) -> AsyncGenerator[Output, None]:
        yield Say("Good morning.")


async def test_what_rest_asks_for_in_a_call_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with scene(tmp_path, monkeypatch, Phone(choices=["1"]), Chats) as act:
        await act.happened(events.AgentSpeechStopped)
        (live,) = act.server.site.desk.live.values()
        _, secret = await act.server.site.state.keys.create("tests", SCOPES)
        headers = {"Authorization": f"Bearer {secret}"}
        api = httpx.AsyncClient(base_url=f"http://{act.server.address}", headers=headers, trust_env=False)
        path = f"/v1/calls/{live.row.id}"
        for action, body in (("hold", {"say": "One moment."}), ("resume", {"say": "I am back."})):
            assert (await api.post(f"{path}/{action}", json=body)).status_code == 202
            await act.happened({"hold": events.CallerHeld, "resume": events.CallerBack}[action])
        await act.happened(events.AgentSpeechStopped, heard="I am back.")
        for action in ("pause", "twilio", "resume"):
            assert (await api.post(f"{path}/recording", json={"action": action})).status_code == 202
            by = "twilio" if action == "twilio" else "us"
            state = {"pause": "paused", "twilio": "started", "resume": "resumed"}[action]
            await act.happened(events.RecordingChanged, state=state, by=by)
        await act.happened(events.RecordingChanged, state="resumed", by="twilio")
        assert (await api.post(f"{path}/recording", json={"action": "stop"})).status_code == 422
        warm = {"to": COLLEAGUE, "warm": True, "brief": "Somebody is angry.", "say": "I will ask."}
        assert (await api.post(f"{path}/transfer", json=warm)).status_code == 202
        room = await until(lambda: next(iter(act.twilio.conferences.values()), None))
        await until(lambda: len(room.participants) == 2)
        assert (await act.colleague()).said[0].startswith("Somebody is angry.")
        await api.aclose()


async def test_what_twilio_reports_of_a_call_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with scene(tmp_path, monkeypatch, Phone(), Chats) as act:
        await act.happened(events.AgentSpeechStopped)
        (live,) = act.server.site.desk.live.values()
        url = f"{PUBLIC}/twilio/status/{live.row.id}"
        news = {"StreamEvent": "stream-error", "StreamError": "Line\r\nnoise", "StreamSid": "MZ1"}
        for form in (news, news, {"CallStatus": "in-progress"}, {}):
            answer = await act.twilio.webhook(url, act.caller.about(**form))
            assert answer.status_code == 204
        act.caller.hang_up()
        record = await act.record()
        for form in (news, {"CallStatus": "completed"}):
            assert (await act.twilio.webhook(url, act.caller.about(**form))).status_code == 204
        told = [(each.kind, each.text) for each in record.events if isinstance(each, events.LineNews)]
        assert [each for each in told if each[0] == "stream-error"] == [("stream-error", "Linenoise")]
        assert len(told) == len(set(told))
        assert isinstance((await act.record()).events[-1], events.CallEnded)


class Leaves(EchoBrain):
    async def greet(self) -> AsyncGenerator[Output, None]:
        yield Say("Goodbye.")
        yield HangUp("done")


async def test_a_call_that_the_agent_ends_is_over_though_nobody_can_be_asked_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with scene(tmp_path, monkeypatch, Phone(), Leaves) as act:
        act.twilio.stuck.add("/twilio/after/")
        assert await act.caller.ended() == "completed"
        ended = [each for each in act.twilio.requests if each.path.endswith(f"/Calls/{act.caller.sid}.json")]
        assert [each.sent["Status"] for each in ended if each.method == "POST"] == [["completed"]]


async def test_twilio_records_a_call_whose_agent_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    recording = {"twilio": True, "announce": "This call is recorded."}
    async with scene(tmp_path, monkeypatch, Phone(), Chats, recording=recording) as act:
        await act.happened(events.RecordingChanged, state="started", by="twilio")
        await act.happened(events.AgentSpeechStopped, heard="This call is recorded. Good morning.")
        act.caller.hang_up()
