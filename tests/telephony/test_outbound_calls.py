"""Calls that go out, from the request to what became of them: the real server, the real SDK, Twilio's double."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

pytest.importorskip("fastapi", reason="FastAPI is not installed (extra 'server')")
pytest.importorskip("twilio", reason="Twilio's SDK is not installed (extra 'phone')")

from tests.doubles.outbound_calls import FROM, PHONE_YAML, calling_out
from tests.doubles.project import project
from tests.doubles.twilio_account.phones import Answer
from tests.doubles.twilio_rest import Fault, Phone, PhoneCall
from voicebot.call.opening import new_id
from voicebot.errors import BadInput
from voicebot.events import LineNews
from voicebot.server import outbound
from voicebot.server.state import CallRow
from voicebot.store import calls as records

TO = "+12025550123"


async def listens(call: PhoneCall) -> None:
    """A person who hears the greeting, and hangs up."""
    stream = await call.streaming()
    while stream.spoken < 8000:  # noqa: ASYNC110 - a plain number that nobody tells of
        await asyncio.sleep(0.01)


async def test_somebody_answers_and_talks_with_the_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with calling_out(tmp_path, monkeypatch) as scene:
        scene.twilio.phones[TO] = Phone(talk=listens, detection_s=0.5)
        answer = await scene.ask(TO)
        assert answer.status_code == 201, answer.text
        said = answer.json()
        assert (said["direction"], said["caller"], said["callee"], said["state"]) == ("outbound", FROM, TO, "expected")
        row = await scene.over(said["id"])
        (call,) = [each for each in scene.twilio.calls.values() if each.to == TO]
    assert (row.reason, row.answered_by, row.outside_id) == ("caller_hung_up", "human", call.sid)
    assert call.settings["Timeout"] == ["20"]
    record = records.read(tmp_path / "calls" / row.id)
    assert record.started.caller == TO
    assert ("answered_by", "human") in [(e.kind, e.text) for e in record.events if isinstance(e, LineNews)]


@pytest.mark.parametrize(
    ("answer", "reason", "detail"),
    [("busy", "busy", "SIP 486"), ("no-answer", "no_answer", "SIP 487"), ("failed", "failed", "SIP 404")],
)
async def test_nobody_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer, reason: str, detail: str
):
    async with calling_out(tmp_path, monkeypatch) as scene:
        scene.twilio.phones[TO] = Phone(answer)
        scene.twilio.repeats = 2
        row = await scene.over((await scene.ask(TO)).json()["id"])
    assert (row.state, row.reason, row.detail, row.started_at) == ("ended", reason, detail, None)


async def test_an_answering_machine_is_left_the_message_behind_its_tone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with calling_out(tmp_path, monkeypatch, greeting="one " * 400) as scene:
        scene.twilio.phones[TO] = Phone("machine", detection_s=40)
        row = await scene.over((await scene.ask(TO)).json()["id"])
        (call,) = [each for each in scene.twilio.calls.values() if each.to == TO]
        assert await call.ended() == "completed"
    record = records.read(tmp_path / "calls" / row.id)
    assert (row.reason, row.detail, row.answered_by) == ("agent_hung_up", "a message was left", "machine")
    spoken = [event for event in record.events if event.type == "agent_speech_stopped"]
    assert spoken[-1].said == "Good day Maria, please call us back."
    assert not spoken[-1].interrupted


async def test_without_a_message_the_agent_hangs_up_on_a_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = f"outbound: {{from: '{FROM}', quiet: null}}"
    async with calling_out(tmp_path, monkeypatch, text) as scene:
        scene.twilio.phones[TO] = Phone("machine", detection_s=5)
        row = await scene.over((await scene.ask(TO)).json()["id"])
    assert (row.reason, row.detail, row.answered_by) == ("agent_hung_up", "a machine answered", "machine")


@pytest.mark.parametrize(
    ("outbound_settings", "to", "title", "detail"),
    [
        ("", TO, "No outbound calls", "phone.yaml has no 'outbound'"),
        (f"outbound: {{from: '{FROM}', quiet: null}}", "+4930123456", "Country not allowed", "is in DE"),
        (f"outbound: {{from: '{FROM}', quiet: null}}", "+19005550123", "Country not allowed", "costs more than a call"),
        (f"outbound: {{from: '{FROM}', quiet: null, do_not_call: no.txt}}", TO, "Do not call", "must not be called"),
    ],
)
async def test_a_call_that_may_not_be_made_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outbound_settings: str, to: str, title: str, detail: str
):
    (tmp_path / "no.txt").write_text(f"# asked us not to\n{TO}, Maria\n")
    async with calling_out(tmp_path, monkeypatch, f"timezone: UTC\n{outbound_settings}\n") as scene:
        answer = await scene.ask(to)
        assert (answer.status_code, answer.json()["title"]) == (409, title), answer.text
        assert detail in answer.json()["detail"]
        assert scene.dialled(to) == 0
        assert not (await scene.server.site.state.calls.list()).rows


async def test_nobody_is_called_in_quiet_hours_unless_the_request_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    there = datetime.now(ZoneInfo("America/New_York"))
    quiet = f"{{from: '{there - timedelta(hours=1):%H:%M}', to: '{there + timedelta(hours=2):%H:%M}'}}"
    async with calling_out(tmp_path, monkeypatch, f"outbound: {{from: '{FROM}', quiet: {quiet}}}\n") as scene:
        answer = await scene.ask(TO)
        assert (answer.status_code, answer.json()["title"]) == (409, "Quiet hours"), answer.text
        assert 6000 < int(answer.headers["retry-after"]) <= 2 * 3600 + 900
        assert scene.dialled(TO) == 0
        assert (await scene.ask(TO, at_any_hour=True)).status_code == 201
        assert scene.dialled(TO) == 1


async def test_a_variable_that_the_call_does_not_have_stops_it_before_anybody_is_dialled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with calling_out(tmp_path, monkeypatch) as scene:
        answer = await scene.ask(TO, parameters={})
        assert (answer.status_code, scene.dialled(TO)) == (422, 0)
        assert "no variable 'name'" in answer.json()["detail"]


async def test_the_same_id_is_dialled_once_whoever_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with calling_out(tmp_path, monkeypatch) as scene:
        scene.twilio.phones[TO] = Phone("busy")
        answers = await asyncio.gather(*(scene.ask(TO, call_id := "20260131-174502-9f86d0") for _ in range(8)))
        assert {answer.status_code for answer in answers} == {201}
        await scene.over(call_id)
        again = await scene.ask(TO, call_id)
        assert (again.json()["reason"], scene.dialled(TO)) == ("busy", 1)
        assert (await scene.ask("+12025550124", call_id)).status_code == 409


async def test_what_twilio_refuses_is_said_and_is_no_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = PHONE_YAML.replace(FROM, "+12025550111")
    async with calling_out(tmp_path, monkeypatch, text) as scene:
        answer = await scene.ask(TO, call_id := new_id())
        assert (answer.status_code, answer.json()["title"]) == (409, "Refused by Twilio")
        row = await scene.over(call_id)
        assert (row.reason, scene.dialled(TO)) == ("failed", 0)


async def test_a_request_that_surely_did_not_arrive_may_be_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with calling_out(tmp_path, monkeypatch) as scene:
        scene.twilio.phones[TO] = Phone("busy")
        scene.twilio.faults.append(Fault("/Calls.json", status=429, code=20429, message="Too many requests"))
        assert (await scene.ask(TO, call_id := new_id())).status_code == 503
        assert (await scene.ask(TO, call_id)).status_code == 201
        assert (await scene.over(call_id)).reason == "busy"
        assert scene.dialled(TO) == 1


async def test_a_call_whose_confirmation_is_lost_is_known_by_its_webhooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with calling_out(tmp_path, monkeypatch) as scene:
        scene.twilio.phones[TO] = Phone("busy")
        scene.twilio.faults.append(Fault("/Calls.json", status=0, acts=True))
        answer = await scene.ask(TO, call_id := new_id())
        assert answer.status_code == 201
        row = await scene.over(call_id)
        assert (row.reason, scene.dialled(TO)) == ("busy", 1)


async def test_no_call_goes_out_while_the_tunnel_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Twilio would not come through, and whoever answers would hear its error; afterwards, it knows where we are."""
    async with calling_out(tmp_path, monkeypatch) as scene:
        scene.twilio.phones[TO] = Phone("busy")
        address = scene.server.site.address
        address.lost = True
        refused = await scene.ask(TO)
        assert (refused.status_code, scene.dialled(TO)) == (503, 0)
        assert "does not lead here any more" in refused.text
        address.url, address.lost = "https://other.example.com", False
        scene.twilio.reach(address.url, scene.server.address)
        row = await scene.over((await scene.ask(TO)).json()["id"])
        assert (row.reason, scene.dialled(TO)) == ("busy", 1)
        assert {url.split("/twilio")[0] for url, _ in scene.twilio.callbacks} == {"https://other.example.com"}


async def test_a_call_of_which_nothing_is_heard_again_is_in_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outbound, "_LOOK_S", (0.05, 0.05))
    async with calling_out(tmp_path, monkeypatch) as scene:
        scene.twilio.faults.append(Fault("/Calls.json", status=500))
        answer = await scene.ask(TO, call_id := new_id())
        assert (answer.status_code, answer.json()["reason"]) == (201, "in_doubt")
        assert (await scene.ask(TO, call_id)).json()["reason"] == "in_doubt"
        assert scene.dialled(TO) == 0


async def test_a_call_that_was_being_made_when_the_server_died_is_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its row is there, Twilio has made the call, and no webhook came through."""
    monkeypatch.setattr(outbound, "_LOOK_S", (0.05, 0.05))
    async with calling_out(tmp_path, monkeypatch) as scene:
        site, twilio = scene.server.site, scene.twilio
        row = CallRow(new_id(), "ava", "twilio", caller=FROM, callee=TO, machine=site.machine, worker=site.worker)
        made = await site.state.outgoing.intend(row, 60)
        lost = await site.state.outgoing.intend(replace(row, id=new_id(), callee="+12025550124"), 60)
        twilio.phones[TO] = Phone("no-answer")
        twilio.reach("https://dead.example.com", "127.0.0.1:1")
        from voicebot.telephony import outbound as calls
        from voicebot.telephony.account import Account

        wanted = calls.Wanted(made.id, TO, FROM, "https://dead.example.com")
        sid = await Account.from_settings(site.settings).ask(lambda client: calls.dial(client, wanted), "call")
        await twilio.calls[sid].ended()
        await outbound.Outbound(site).settle_orphans()
        found, doubtful = await site.state.calls.get(made.id), await site.state.calls.get(lost.id)
        assert found is not None
        assert doubtful is not None
        assert (found.outside_id, found.reason) == (sid, "no_answer")
        assert (doubtful.reason, doubtful.outside_id) == ("in_doubt", "")
        assert (scene.dialled(TO), scene.dialled("+12025550124")) == (1, 0)


async def test_webhooks_of_calls_that_go_out_are_nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with calling_out(tmp_path, monkeypatch) as scene:
        scene.twilio.phones[TO] = Phone("no-answer", ring_s=500)
        call_id = (await scene.ask(TO)).json()["id"]
        exchange = scene.twilio.exchange("https://voice.example.com/")
        for path in ("answered", "dialled", "amd"):
            form = {"CallSid": "CA" + "f" * 32, "CallStatus": "busy", "AnsweredBy": "human"}
            answer = await exchange.post(f"/twilio/{path}/{call_id}", form)
            assert answer.status_code == (200 if path == "answered" else 204)
            assert "Stream" not in answer.text
            unsigned = await exchange.post(f"/twilio/{path}/{call_id}", form, {"X-Twilio-Signature": "x"})
            assert unsigned.status_code == 403
        row = await scene.server.site.state.calls.get(call_id)
        assert row is not None
        assert (row.state, row.answered_by) == ("expected", "")


def test_the_variables_of_a_call_stand_in_its_greeting_and_prompt_and_are_not_kept_for_other_calls(tmp_path: Path):
    brain = {"llm": ["openai/double"], "prompt": "You call {{name}} about {{ due }}."}
    agent = project(tmp_path, brain, greeting="Hello {{name}}, it is Ava.", handoff={"to": "Jo", "say": "One moment."})
    spoken = outbound.spoken_for(agent, {"name": "Maria {{due}}", "due": "Tuesday"})
    assert (spoken.greeting, spoken.brain.prompt) == (
        "Hello Maria {{due}}, it is Ava.",
        "You call Maria {{due}} about Tuesday.",
    )
    assert (agent.says_often, spoken.says_often) == (["Hello {{name}}, it is Ava.", "One moment."], ["One moment."])
    assert (spoken.root, spoken.file) == (agent.root, agent.file)
    with pytest.raises(BadInput, match=r"agent 'Ava': the call has no variable 'due', which stands as \{\{due\}\}"):
        outbound.spoken_for(agent, {"name": "Maria"})
