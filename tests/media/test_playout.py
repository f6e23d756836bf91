from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from voicebot import clock
from voicebot.media.playout import Playout
from voicebot.media.schedule import Schedule
from voicebot.tts import Word

RATE = 1000
"""One sample a millisecond."""


class Line:
    """A transport that only plays."""

    name = caller = "test"
    rate_hz = RATE

    def __init__(self) -> None:
        self.schedule = Schedule(RATE)

    def play(self, pcm: bytes) -> None:
        self.schedule.play(len(pcm) // 2)

    def clear(self) -> None:
        self.schedule.clear()

    def played(self) -> int:
        return self.schedule.played()

    async def run(self, ear: Any) -> Any: ...


class Follower:
    def __init__(self) -> None:
        self.log: list[Any] = []

    def agent_started(self, *, filler: bool) -> None:
        self.log.append("started")

    def agent_clause(self, text: str, starts_in_ms: float, length_ms: float, *, filler: bool) -> None:
        self.log.append((text, round(starts_in_ms), round(length_ms)))

    def agent_audio(self, pcm: bytes) -> None:
        self.log.append(len(pcm) // 2)

    def agent_silenced(self) -> None:
        self.log.append("silenced")

    def agent_finished(self) -> None:
        self.log.append("finished")


def ms(length: int) -> bytes:
    return bytes(2 * length)


def skip(main: Coroutine[Any, Any, None]) -> None:
    clock.run(main, skip_idle=True)


def speaking(*clauses: tuple[str, int]) -> tuple[Playout, Follower]:
    follower = Follower()
    playout = Playout(Line(), follower)
    playout.begin()
    for text, length in clauses:
        playout.clause(text)
        playout.audio(ms(length))
        playout.clause_complete()
    playout.end()
    return playout, follower


def test_a_reply_is_finished_when_all_of_it_was_heard():
    async def main() -> None:
        playout, follower = speaking(("One two. ", 1000), ("Three.", 500))
        assert follower.log == [1000, "started", ("One two. ", 0, 1000), 500, ("Three.", 1000, 500)]
        await asyncio.sleep(1.2)
        assert playout.speaking
        assert playout.heard() == "One two."
        await asyncio.sleep(0.4)
        assert not playout.busy
        assert follower.log[-1] == "finished"
        assert playout.heard() == "One two. Three."

    skip(main())


@pytest.mark.parametrize(
    ("at_s", "heard"),
    [(0.05, ""), (0.3, "alpha"), (0.75, "alpha bravo"), (0.9, "alpha bravo"), (1.2, "alpha bravo charlie")],
)
def test_what_was_heard_is_known_to_the_word(at_s: float, heard: str):
    async def main() -> None:
        playout, _ = speaking(("alpha bravo charlie ", 1200), ("delta echo", 800))
        await asyncio.sleep(at_s)
        assert playout.drop() == heard

    skip(main())


def test_word_timings_of_the_provider_are_used():
    async def main() -> None:
        playout = Playout(Line(), Follower())
        playout.begin()
        playout.clause("Hello there world")
        playout.audio(ms(1000), (Word("Hello", 0), Word("there", 800), Word("world", 900)))
        playout.clause_complete()
        playout.end()
        await asyncio.sleep(0.7)
        assert playout.drop() == "Hello"

    skip(main())


def test_resume_goes_on_from_the_start_of_the_word_where_it_stopped():
    async def main() -> None:
        playout, follower = speaking(("aaaa bbbb cccc dddd", 1900))
        await asyncio.sleep(0.7)  # in the middle of bbbb, which begins at 500
        playout.pause()
        await asyncio.sleep(5)
        assert playout.heard() == "aaaa"
        playout.resume()
        assert follower.log[-2:] == ["silenced", 1400]
        await asyncio.sleep(1.3)
        assert playout.busy
        await asyncio.sleep(0.2)
        assert not playout.busy
        assert playout.heard() == "aaaa bbbb cccc dddd"

    skip(main())


def test_audio_that_comes_during_a_pause_waits():
    async def main() -> None:
        playout, follower = speaking(("one", 300))
        playout.begin()
        playout.pause()
        playout.clause("two")
        playout.audio(ms(400))
        playout.clause_complete()
        playout.end()
        await asyncio.sleep(10)
        assert playout.heard() == ""
        assert not playout.speaking
        playout.resume()
        await asyncio.sleep(0.5)
        assert follower.log[-1] == "finished"

    skip(main())


def test_after_a_drop_late_audio_is_ignored():
    async def main() -> None:
        playout, follower = speaking(("one two", 1000))
        await asyncio.sleep(0.6)
        assert playout.drop() == "one"
        playout.clause("three")
        playout.audio(ms(500))
        playout.clause_complete()
        playout.end()
        assert follower.log[-1] == "silenced"
        assert playout.said == "one two"

    skip(main())


def test_a_second_reply_starts_from_nothing():
    async def main() -> None:
        playout, _ = speaking(("first reply", 1000))
        await asyncio.sleep(0.8)
        playout.drop()
        playout.begin()
        playout.clause("second reply")
        playout.audio(ms(1000))
        playout.clause_complete()
        playout.end()
        await asyncio.sleep(0.7)
        assert playout.heard() == "second"
        await asyncio.sleep(0.4)
        assert playout.heard() == "second reply"

    skip(main())
