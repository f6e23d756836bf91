"""`voicebot phone dev` and `phone call` lose their tunnel. Real processes; ngrok and Twilio are doubles."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'phone')")
pytest.importorskip("pyngrok", reason="the package pyngrok is not installed (extra 'phone')")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")

from tests.doubles import ngrok_agent
from tests.doubles.eventually import eventually
from tests.doubles.outbound_calls import FROM, prepared
from tests.doubles.project import project
from tests.doubles.twilio_rest import Fault, Phone, PhoneCall, TwilioRest

ROOT = Path(__file__).parents[2]
VOICEBOT = str(Path(sys.executable).with_name("voicebot"))
WITHIN_S = 90.0
WAS = {"voice_url": "https://old.example.com/voice", "status_callback": "https://old.example.com/status"}
TO = "+12025550123"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    project(tmp_path, {"llm": ["openai/double"], "prompt": "You are Ava."})
    yield tmp_path
    ngrok_agent.end_all(tmp_path)


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioRest]:
    async with TwilioRest() as twilio:
        twilio.number().update(WAS)
        yield twilio


@contextmanager
def running(
    twilio: TwilioRest, folder: Path, *words: str, ngrok: dict[str, str], give_up_s: float = 120
) -> Iterator[subprocess.Popen[bytes]]:
    """A command of the project, with all that it says in `said`."""
    told = {"VOICEBOT_PARTS": "tests.doubles.impatient_parts:parts", "PYTHONPATH": str(ROOT)}
    told["TUNNEL_GIVEN_UP_S"] = str(give_up_s)
    with (folder / "said").open("ab") as out:
        child = subprocess.Popen(
            [VOICEBOT, "phone", *words],
            cwd=folder,
            env={**os.environ, **twilio.environment, **told, **ngrok},
            stdout=out,
            stderr=out,
        )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def said(folder: Path) -> str:
    return (folder / "said").read_text()


def points_to(twilio: TwilioRest) -> dict[str, str]:
    return {name: twilio.number()[name] for name in WAS}


async def ready(folder: Path) -> tuple[str, int]:
    """The tunnel and its process, when it was seen to lead here."""
    await eventually(lambda: ngrok_agent.served(folder) > 0, within_s=WITHIN_S)
    return ngrok_agent.tunnels(folder)[-1]


async def ended(child: subprocess.Popen[bytes]) -> int:
    return await asyncio.to_thread(child.wait, WITHIN_S)


async def hears_the_agent(call: PhoneCall) -> None:
    stream = await call.streaming(within_s=30)
    await eventually(lambda: stream.spoken > 4000, within_s=30)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGUSR1], ids=["ngrok ends", "its session is lost"])
async def test_a_tunnel_that_is_lost_is_opened_again_and_the_number_points_there(
    twilio: TwilioRest, folder: Path, how: signal.Signals
):
    with running(twilio, folder, "dev", "ava", ngrok=ngrok_agent.installed(folder)) as child:
        first, program = await ready(folder)
        assert points_to(twilio)["voice_url"] == f"{first}/twilio/voice/ava"
        os.kill(program, how)
        await eventually(lambda: "callers come through again" in said(folder), within_s=WITHIN_S)
        second, _ = ngrok_agent.tunnels(folder)[-1]
        assert f"warning: {first} does not lead here any more" in said(folder)
        assert f"{second} leads here" in said(folder)
        assert points_to(twilio) == {
            "voice_url": f"{second}/twilio/voice/ava",
            "status_callback": f"{second}/twilio/status",
        }
        call = await twilio.ring(talk=hears_the_agent)
        assert await call.ended() == "completed"
        child.send_signal(signal.SIGINT)
        assert await ended(child) == 0
    assert points_to(twilio) == WAS
    assert twilio.debugger == []


async def test_one_that_is_killed_while_it_opens_the_tunnel_again_leaves_what_the_number_was(
    twilio: TwilioRest, folder: Path
):
    ngrok = ngrok_agent.installed(folder)
    with running(twilio, folder, "dev", "ava", ngrok=ngrok) as child:
        first, program = await ready(folder)
        twilio.faults.append(Fault("IncomingPhoneNumbers/", status=0, acts=True, times=1000))
        os.kill(program, signal.SIGKILL)
        await eventually(lambda: first not in points_to(twilio)["voice_url"], within_s=WITHIN_S)
        child.kill()
    assert points_to(twilio) != WAS, "Twilio has done it, and its answer was lost"
    twilio.faults.clear()
    with running(twilio, folder, "dev", "--restore", ngrok=ngrok) as child:
        assert await ended(child) == 0
    assert points_to(twilio) == WAS


async def test_a_tunnel_that_does_not_come_back_ends_it_and_the_number_is_as_it_was(twilio: TwilioRest, folder: Path):
    with running(twilio, folder, "dev", "ava", give_up_s=3, ngrok=ngrok_agent.installed(folder)) as child:
        _, program = await ready(folder)
        ngrok_agent.refuse(folder)
        os.kill(program, signal.SIGKILL)
        assert await ended(child) == 3
    assert "the tunnel could not be opened again within 0.05 minutes: no tunnel: another ngrok agent" in said(folder)
    assert "is answered again by https://old.example.com/voice" in said(folder)
    assert "Traceback" not in said(folder)
    assert points_to(twilio) == WAS


async def test_the_tunnel_of_calls_that_go_out_is_watched_too(twilio: TwilioRest, folder: Path):
    prepared(folder)
    twilio.add_number(FROM)
    twilio.second_s = 100  # it rings until the end of the test
    twilio.phones[TO] = Phone("no-answer", ring_s=1000)
    words, ngrok = ("call", TO, "--vars", "name=Jo", "--agent", "ava"), ngrok_agent.installed(folder)
    with running(twilio, folder, *words, give_up_s=10, ngrok=ngrok) as child:
        _, program = await ready(folder)
        os.kill(program, signal.SIGKILL)
        await eventually(lambda: "callers come through again" in said(folder), within_s=WITHIN_S)
        ngrok_agent.refuse(folder)
        os.kill(ngrok_agent.tunnels(folder)[-1][1], signal.SIGKILL)
        assert await ended(child) == 3
    assert "the tunnel could not be opened again" in said(folder)
