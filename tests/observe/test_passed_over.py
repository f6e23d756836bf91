"""A provider that has become slow is passed over in calls, and comes back; one that is alone is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from tests.doubles.openai_endpoint import OpenAIEndpoint, answer
from tests.doubles.project import a_call, llm_agent, outputs_of
from voicebot import clock
from voicebot.brain import Failed, Say
from voicebot.breaker import OPEN_S
from voicebot.observe import health
from voicebot.observe.health import RECENT, USUAL, ward
from voicebot.providers import Candidate
from voicebot.stt import STT, Transcript
from voicebot.stt.failover import Ears
from voicebot.tts import TTS, Speech
from voicebot.tts.failover import Voices

T = TypeVar("T")
SLOW_S = 0.3
MOST = RECENT // 2 + 1
"""Of the last answers: so many slow ones make it slow."""


class Voice:
    """Says anything, `wait_s` after it was asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.wait_s = 0.0

    async def load(self) -> None: ...

    async def speak(self, text: str) -> AsyncGenerator[Speech, None]:
        await asyncio.sleep(self.wait_s)
        yield Speech(bytes(320), 8000)


class Recogniser:
    """Hears anything, `wait_s` after it was asked. It is its own stream."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.wait_s = 0.0
        self.heard = 0

    async def load(self) -> None: ...

    def stream(self, rate_hz: int, on_interim: Callable[[str], None]) -> Recogniser:
        return self

    def start(self) -> None: ...

    def feed(self, pcm: bytes) -> None: ...

    def cancel(self) -> None: ...

    async def close(self) -> None: ...

    async def finish(self) -> Transcript:
        self.heard += 1
        await asyncio.sleep(self.wait_s)
        return Transcript("yes")


def itself(one: T) -> T:
    return one


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test need not wait for seconds."""
    monkeypatch.setattr(health, "SLOW_S", SLOW_S / 2)


def test_a_voice_that_has_become_slow_is_passed_over_and_comes_back() -> None:
    async def main() -> list[str]:
        first, second = Voice("cloud/one"), Voice("cloud/two")
        candidates: list[Candidate[TTS]] = [Candidate(one.name, partial(itself, one)) for one in (first, second)]
        voices = Voices(candidates, lambda name, error, remedy: None)

        async def say(times: int) -> str:
            for _ in range(times):
                assert [chunk async for chunk in voices.speak("Yes.")]
            return voices.name

        spoke = [await say(USUAL + RECENT)]
        first.wait_s = SLOW_S
        spoke += [await say(MOST), await say(1)]
        first.wait_s = 0.0
        await asyncio.sleep(OPEN_S + 1)
        return [*spoke, await say(1)]

    assert clock.run(main(), skip_idle=True) == ["cloud/one", "cloud/one", "cloud/two", "cloud/one"]


def test_a_recogniser_that_has_become_slow_is_passed_over_and_comes_back() -> None:
    async def main() -> list[int]:
        first, second = Recogniser("cloud/one"), Recogniser("cloud/two")
        candidates: list[Candidate[STT]] = [Candidate(one.name, partial(itself, one)) for one in (first, second)]
        stream = Ears(candidates, lambda name, error, remedy: None).stream(8000, lambda text: None)

        async def hear(times: int) -> int:
            """How much the second one has heard by then."""
            for _ in range(times):
                stream.start()
                stream.feed(bytes(320))
                await stream.finish()
            return second.heard

        heard = [await hear(USUAL + RECENT)]
        first.wait_s = SLOW_S
        heard += [await hear(MOST), await hear(2)]
        first.wait_s = 0.0
        await asyncio.sleep(OPEN_S + 1)
        return [*heard, await hear(2)]

    assert clock.run(main(), skip_idle=True) == [0, 0, 2, 2]


async def test_a_slow_model_that_is_alone_is_asked_all_the_same(tmp_path: Path) -> None:
    async with OpenAIEndpoint(answer("We open at eight.")) as server, a_call(llm_agent(tmp_path, server)) as brain:
        await outputs_of(brain, "hello")
        [model] = ward()
        for seconds in [0.1] * (USUAL + RECENT) + [5.0] * RECENT:
            model.took(seconds)
            model.succeeded()
        assert (model.closed, model.merely_slow) == (False, True)
        outputs = await outputs_of(brain, "hello")
    assert [output for output in outputs if isinstance(output, Failed)] == []
    assert "".join(output.text for output in outputs if isinstance(output, Say)) == "We open at eight."


async def test_the_time_to_the_first_token_is_told_once_for_each_answer(tmp_path: Path) -> None:
    steady = answer("We open at eight.", first_s=0.2, token_s=0.05)
    async with OpenAIEndpoint(steady) as server, a_call(llm_agent(tmp_path, server)) as brain:
        await outputs_of(brain, "hello")
        [model] = ward()
        state = model.state()
    assert state.latency_s
    assert state.latency_s.n == state.tries == 1
    assert state.latency_s.p50 >= 0.2
