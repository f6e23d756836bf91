from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicebot import clock
from voicebot.errors import BadInput
from voicebot.transports.wav import QUIET_S, WavCaller, read_mono


def write(path: Path, seconds: float, rate_hz: int, channels: int = 1) -> Path:
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    tone = 0.5 * np.sin(2 * np.pi * 440 * t)
    soundfile.write(path, np.stack([tone] * channels, axis=1), rate_hz)
    return path


class Listener:
    def __init__(self) -> None:
        self.heard = b""

    def audio(self, pcm: bytes) -> None:
        self.heard += pcm

    def text(self, text: str) -> None:
        raise AssertionError("a recording does not type")


@pytest.mark.parametrize(("rate_hz", "channels"), [(16000, 1), (44100, 2), (8000, 1), (48000, 6)])
def test_any_rate_and_any_number_of_channels_will_do(tmp_path: Path, rate_hz: int, channels: int):
    samples = read_mono(write(tmp_path / "in.wav", 1.0, rate_hz, channels), 16000)
    assert len(samples) == pytest.approx(16000, abs=2)
    spectrum = np.abs(np.fft.rfft(samples[:16000]))
    assert int(spectrum.argmax()) == 440


def test_the_whole_file_is_delivered_in_real_order_and_then_the_call_ends(tmp_path: Path):
    listener = Listener()

    async def play() -> float:
        caller = WavCaller(write(tmp_path / "in.wav", 2.0, 16000))
        began = asyncio.get_running_loop().time()
        assert await caller.run(listener) == "input_ended"
        return asyncio.get_running_loop().time() - began

    assert clock.run(play(), skip_idle=True) == pytest.approx(2 + QUIET_S, abs=0.1)
    assert np.frombuffer(listener.heard, np.int16)[:32000].any()
    assert not np.frombuffer(listener.heard, np.int16)[32000:].any()


def test_the_call_goes_on_while_the_agent_speaks(tmp_path: Path):
    async def play() -> float:
        caller = WavCaller(write(tmp_path / "in.wav", 1.0, 16000))
        began = asyncio.get_running_loop().time()
        caller.play(bytes(2 * 16000 * 10))
        await caller.run(Listener())
        return asyncio.get_running_loop().time() - began

    assert clock.run(play(), skip_idle=True) == pytest.approx(10 + QUIET_S, abs=0.1)


def test_what_is_no_recording_is_one_sentence(tmp_path: Path):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("hello")
    soundfile.write(tmp_path / "nothing.wav", np.zeros(0), 16000)
    for name in ("empty.wav", "text.wav", "nothing.wav", "missing.wav"):
        with pytest.raises(BadInput) as error:
            read_mono(tmp_path / name, 16000)
        assert name in str(error.value)
        assert "\n" not in str(error.value)
