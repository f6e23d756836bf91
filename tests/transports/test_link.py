from __future__ import annotations

import asyncio

import numpy as np
import pytest

from voicebot import clock
from voicebot.transports.link import Link


class Listener:
    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def audio(self, pcm: bytes) -> None:
        self.chunks.append(pcm)

    def text(self, text: str) -> None:
        raise AssertionError("a caller on a line does not type")


def on_the_line(caller, rate_hz: int = 8000) -> np.ndarray:
    """Everything the agent heard while `caller(link)` was on the line."""
    listener = Listener()

    async def call() -> None:
        link = Link("test", rate_hz)
        line = asyncio.create_task(link.run(listener))
        await caller(link)
        link.hang_up()
        assert await line == "caller_hung_up"

    clock.run(call(), skip_idle=True)
    assert {len(chunk) for chunk in listener.chunks} == {rate_hz // 25}
    return np.frombuffer(b"".join(listener.chunks), np.int16)


def test_speech_arrives_whole_between_line_noise():
    said = np.full(8000, 5000, np.int16)

    async def speak(link: Link) -> None:
        await asyncio.sleep(1)
        assert await link.speak(said.tobytes())
        await asyncio.sleep(1)

    heard = on_the_line(speak)
    assert len(heard) == pytest.approx(24000, abs=320)
    assert (heard == 5000).sum() == 8000
    quiet = heard[heard != 5000].astype(float)
    assert 0 < np.sqrt((quiet**2).mean()) < 60


def test_a_caller_can_stop_in_mid_sentence():
    async def stop(link: Link) -> None:
        speaking = asyncio.create_task(link.speak(np.full(16000, 5000, np.int16).tobytes()))
        await asyncio.sleep(0.5)
        link.stop()
        assert await speaking is False

    assert (on_the_line(stop) == 5000).sum() == pytest.approx(4000, abs=320)


def test_what_the_agent_plays_is_heard_by_the_clock():
    async def listen(link: Link) -> None:
        link.play(bytes(2 * 8000))
        await asyncio.sleep(0.25)
        assert link.agent_speaking
        assert link.played() == pytest.approx(2000, abs=20)
        link.clear()
        assert not link.agent_speaking
        await asyncio.sleep(1)
        assert link.played() == pytest.approx(2000, abs=20)

    on_the_line(listen)
