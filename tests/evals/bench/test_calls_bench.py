"""Real callers, real sockets, real servers; only the calls are few and short."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

pytest.importorskip("psutil", reason="psutil is not installed (extra 'server')")
pytest.importorskip("uvloop", reason="uvloop is not installed (extra 'server')")
pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed (extra 'server')")

from websockets.asyncio.server import ServerConnection, serve

from voicebot.evals.bench.calls import level, plan, stubs
from voicebot.evals.bench.calls.caller import FRAME_S, Caller, Reply
from voicebot.evals.bench.calls.figures import figures
from voicebot.evals.bench.calls.line import NoAnswer
from voicebot.evals.bench.calls.script import Script, Turn
from voicebot.evals.bench.calls.study import write_scripts

REPLY_S = 0.5
SCRIPT = Script(b"\xff" * 8000 * 2, [Turn(0.1, 0.3, 0.5)])
"""Two seconds. Of what is said in them the VAD is sure after half of one."""


@asynccontextmanager
async def answering(pieces: Sequence[tuple[float, float]]) -> AsyncIterator[str]:
    """A server that sends sound, as (seconds after the VAD's stop, seconds of sound). Its address."""

    async def answer(socket: ServerConnection) -> None:
        sid, begun = "", 0.0
        async for text in socket:
            message = json.loads(text)
            sid = message.get("streamSid", sid)
            if message["event"] == "media" and base64.b64decode(message["media"]["payload"])[0] == 0xFF:
                begun = begun or asyncio.get_running_loop().time() - FRAME_S
                break
        for after_s, length_s in pieces:
            await asyncio.sleep(begun + 0.5 + after_s - asyncio.get_running_loop().time())
            payload = base64.b64encode(b"\x00" * round(8000 * length_s)).decode()
            await socket.send(json.dumps({"event": "media", "streamSid": sid, "media": {"payload": payload}}))
        await socket.wait_closed()

    async with serve(answer, "127.0.0.1", 0, max_queue=None) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/ws"


async def heard(*pieces: tuple[float, float], reply_s: float | None = REPLY_S) -> Reply:
    async with answering(pieces) as url:
        caller = Caller("0" * 32, [base64.b64encode(b"\x7f" * 160).decode()], 0.0, reply_s)
        await caller.dial(url, {}, {})
        caller.talk(SCRIPT)
        await asyncio.sleep(2.3)
        caller.hang_up()
    return caller.replies[0]


async def test_an_answer_counts_from_the_moment_at_which_the_vad_was_sure():
    reply = await heard((0.2, REPLY_S))
    assert reply.first_audio
    assert reply.first_audio - reply.vad_stopped == pytest.approx(0.2, abs=0.15)
    assert reply.gap_s == 0


async def test_sound_that_comes_ahead_of_time_is_no_gap():
    reply = await heard((0.1, 0.2), (0.15, 0.2), (0.25, 0.1))
    assert reply.heard_s == pytest.approx(REPLY_S)
    assert reply.gap_s == 0


async def test_a_gap_is_as_long_as_the_callers_playback_was_dry():
    reply = await heard((0.1, 0.1), (0.6, 0.4))
    assert reply.gap_s == pytest.approx(0.4, abs=0.15)


async def test_silence_behind_a_whole_reply_is_no_gap():
    assert (await heard((0.1, REPLY_S), (1.0, 0.1))).gap_s == 0


async def test_where_nobody_knows_how_long_a_reply_is_a_long_silence_ends_it():
    assert (await heard((0.1, 0.2), (0.7, 0.2), reply_s=None)).gap_s == pytest.approx(0.4, abs=0.15)
    assert (await heard((0.0, 0.1), (1.3, 0.2), reply_s=None)).gap_s == 0


async def test_no_answer_is_none():
    assert (await heard()).first_audio is None


async def test_a_refusal_is_told_with_its_status():
    async def refuse(connection: ServerConnection, _request: object) -> object:
        return connection.respond(503, "all lines are busy\n")

    async with serve(lambda socket: socket.wait_closed(), "127.0.0.1", 0, process_request=refuse) as server:  # type: ignore[arg-type] # as websockets calls it
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(NoAnswer, match="503"):
            await Caller("0" * 32, [""], 0.0).dial(f"ws://127.0.0.1:{port}/ws", {}, {})


async def test_two_calls_with_each_system(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"_GREETED_S": 4.0, "_FIRST_TURN_S": 0.5, "_SETTLE_S": 3.0, "_VISITS": 2}.items():
        monkeypatch.setattr(plan, name, value)
    window_s = 9.0
    under = level.Conditions(write_scripts(window_s)[:2], window_s, reply_s=stubs.length_s(stubs.REPLY))
    systems = ("voicebot", "bare", "pipecat")
    for measured in await asyncio.gather(*(level.measure(system, 2, under) for system in systems)):
        found = figures(measured)
        assert found.lost == {}, found
        assert found.answered >= 1, found
        assert found.setup, found
        assert found.cpu_s_per_call_minute, found
