"""Smart Turn is asked while the pause is still short, because its answer takes time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from voicebot.agent import Turns
from voicebot.media.ear import Ear
from voicebot.media.playout import Playout
from voicebot.stt import STTStream, Transcript
from voicebot.turns.floor import Ending, Floor

TAIL = b"tail"


class Sound:
    """An ear that hears what the test says."""

    rate_hz = 8000
    speaking = False

    def last(self, ms: float) -> bytes:
        return b"heard"

    def pause_to_come(self) -> bytes:
        return TAIL

    def close(self) -> None: ...


class Words:
    """A recogniser that has its words at the end."""

    def __init__(self, text: str) -> None:
        self.text = text

    def start(self) -> None: ...

    def feed(self, pcm: bytes) -> None: ...

    def cancel(self) -> None: ...

    async def finish(self) -> Transcript:
        return Transcript(self.text)

    async def close(self) -> None: ...


class Quiet:
    """A mouth that is closed."""

    busy = paused = False
    unheard_ms = 0.0


class Talk:
    """Remembers how turns ended, and what failed."""

    settled = False

    def __init__(self) -> None:
        self.endings: list[Ending] = []
        self.failures: list[BaseException] = []
        self.guesses: list[str] = []

    def now_ms(self) -> float:
        return asyncio.get_running_loop().time() * 1000

    def settles(self, text: str) -> bool:
        return self.settled

    def turn_likely(self, text: str) -> None:
        self.guesses.append(text)

    def turn_unlikely(self) -> None:
        self.guesses.append("")

    def turn_ended(self, ending: Ending) -> None:
        self.endings.append(ending)

    def failed(self, kind: str, error: BaseException) -> None:
        self.failures.append(error)

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


class Model:
    """Takes `takes_s` to say that a turn is complete."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.takes_s = takes_s
        self.asked: list[bytes] = []
        self.thrown_away = 0
        self.error: Exception | None = None

    async def __call__(self, pcm: bytes, rate_hz: int) -> float:
        self.asked.append(pcm)
        try:
            await asyncio.sleep(self.takes_s)
        except asyncio.CancelledError:
            self.thrown_away += 1
            raise
        if self.error:
            raise self.error
        return 0.9


class Scene:
    def __init__(self, model: Model, words: str = "I would like an appointment", interim: str = "") -> None:
        self.talk, self.model, self.sound = Talk(), model, Sound()
        tell: list[Callable[[str], None]] = []

        def open_stt(on_interim: Callable[[str], None]) -> STTStream:
            tell.append(on_interim)
            return Words(words)

        playout, ear = cast(Playout, Quiet()), cast(Ear, self.sound)
        self.floor = Floor(Turns(), lambda _: ear, open_stt, playout, self.talk, model)
        self.speak()
        if interim:
            tell[0](interim)

    def speak(self) -> None:
        self.sound.speaking = True
        self.floor.speech_started(96.0)

    def pause(self) -> None:
        self.floor.pause_began()

    def stop(self) -> None:
        self.sound.speaking = False
        self.floor.speech_stopped(160.0)


async def test_it_is_asked_once_and_the_answer_is_there_when_the_silence_is_long_enough():
    scene = Scene(model := Model(takes_s=0.05))
    scene.pause()
    await asyncio.sleep(0.1)
    scene.stop()
    await asyncio.sleep(0.01)
    assert [ending.reason for ending in scene.talk.endings] == ["smart_turn"]
    assert model.asked == [b"heard" + TAIL]


async def test_it_is_waited_for_when_it_takes_longer():
    scene = Scene(model := Model(takes_s=0.1))
    scene.pause()
    await asyncio.sleep(0.05)
    scene.stop()
    await asyncio.sleep(0.02)
    assert scene.talk.endings == []
    await asyncio.sleep(0.06)
    assert [ending.reason for ending in scene.talk.endings] == ["smart_turn"]
    assert len(model.asked) == 1


async def test_a_caller_who_goes_on_makes_the_question_void():
    scene = Scene(model := Model(takes_s=0.05))
    scene.pause()
    await asyncio.sleep(0.01)
    scene.floor.pause_over()
    await asyncio.sleep(0.06)
    assert model.thrown_away == 1
    scene.pause()
    scene.stop()
    await asyncio.sleep(0.08)
    assert len(model.asked) == 2
    assert len(scene.talk.endings) == 1


async def test_a_caller_who_speaks_again_after_the_silence_does_too():
    scene = Scene(model := Model(takes_s=0.05))
    scene.pause()
    scene.stop()
    await asyncio.sleep(0.01)
    scene.speak()
    await asyncio.sleep(0.06)
    assert model.thrown_away == 1
    assert scene.talk.endings == []


async def test_the_brain_may_begin_as_soon_as_the_model_thinks_that_the_turn_is_over():
    scene = Scene(Model(), words="when are you open", interim="when are you open")
    scene.pause()
    await asyncio.sleep(0.01)
    assert scene.talk.guesses == ["when are you open"]
    scene.floor.pause_over()
    assert scene.talk.guesses == ["when are you open", ""]
    await scene.floor.close()


@pytest.mark.parametrize(("interim", "settled"), [("I would like to come on the", False), ("yes", True)])
async def test_it_is_not_asked_when_the_words_say_enough(interim: str, settled: bool):
    scene = Scene(model := Model(), interim=interim)
    scene.talk.settled = settled
    scene.pause()
    await asyncio.sleep(0.01)
    assert model.asked == []


async def test_a_model_that_fails_leaves_it_to_the_silence():
    scene = Scene(model := Model())
    model.error = RuntimeError("no model")
    scene.pause()
    scene.stop()
    await asyncio.sleep(0.05)
    assert scene.talk.endings == []
    assert scene.talk.failures == [model.error]
    await scene.floor.close()


async def test_a_call_that_ends_leaves_no_question_behind():
    scene = Scene(model := Model(takes_s=10.0))
    scene.pause()
    await asyncio.sleep(0.01)
    await scene.floor.close()
    await asyncio.sleep(0.01)
    assert model.thrown_away == 1
