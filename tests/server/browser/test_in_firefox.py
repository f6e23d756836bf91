"""The page in the other browser engine: Firefox."""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")
pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")
pytest.importorskip("aiortc", reason="aiortc is not installed (extra 'webrtc')")

from tests.doubles import firefox as browsers
from tests.doubles.phone_server import served
from tests.doubles.sound_card import SoundCard, missing, sound_card
from tests.doubles.stubs import EchoBrain, ScriptSTT, ToneTTS
from voicebot import paths

pytestmark = pytest.mark.skipif(browsers.PROGRAM is None, reason="there is no Firefox here (Debian: firefox-esr)")
LONG = " ".join(["word"] * 40)
"""12 seconds."""
LOUD = 1000
LEVEL = "parseFloat(document.documentElement.style.getPropertyValue('--level-agent'))"


@pytest.fixture
def card() -> Iterator[SoundCard]:
    if why := missing():
        pytest.skip(why)
    with tempfile.TemporaryDirectory(prefix="voicebot-card-") as folder, sound_card(Path(folder)) as card:
        yield card


async def test_a_call_from_firefox_is_heard_typed_in_and_hung_up(tmp_path: Path, card: SoundCard):
    def parts(agent: Any) -> dict[str, Any]:
        return {"stt": ScriptSTT([]), "tts": ToneTTS(), "brain": EchoBrain(["fine"], greeting=LONG)}

    async with served(tmp_path, parts=parts) as server, browsers.firefox(card.environment) as browser:
        await browser.go(f"http://{server.address}/talk/ava")
        with card.recording(tmp_path / "loudspeaker.raw"):
            await browser.click("#start")
            await browser.until("document.querySelectorAll('#transcript .agent.line').length === 1")
            assert LONG in await browser.text("#transcript")
            await browser.until(f"{LEVEL} > 0.3")
            await browser.until("document.querySelector('#level').value > 0.1")
            await browser.until("document.querySelector('#bars').dataset.bars > 0")
            for name in ("rtt", "loss", "jitter"):
                await browser.until(f"/[0-9]/.test(document.querySelector('#{name}').textContent)")
        await browser.run("document.querySelector('#text').value = 'how are you'")
        await browser.run("document.querySelector('#type').requestSubmit()")
        await browser.until("document.querySelectorAll('#transcript .agent.line').length === 2")
        assert "how are you" in await browser.text("#transcript .caller.line")
        await browser.click("#end")
        await browser.until("document.body.dataset.state === 'ended'")
        assert await browser.text("#status") == "You hung up."
        await server.idle()
        (row,) = (await server.site.state.calls.list()).rows
        assert (row.transport, row.reason) == ("webrtc", "caller_hung_up")
        assert browser.console == []
    played = np.frombuffer((tmp_path / "loudspeaker.raw").read_bytes(), np.int16)
    assert np.abs(played.astype(int)).max() > LOUD, "the agent comes out of the loudspeaker"
    with wave.open(str(paths.calls_dir(tmp_path) / row.id / "call.wav")) as record:
        both = np.frombuffer(record.readframes(record.getnframes()), np.int16).reshape(-1, 2)
    assert np.abs(both.astype(int)).max(axis=0).min() > LOUD, "the caller is in the record, and the agent"
