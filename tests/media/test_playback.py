"""What marks prove of what the caller has heard, and what the clock says in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from voicebot import clock
from voicebot.media.playback import Playback

RATE_HZ = 8000


def on_a_line(scene: Callable[[Playback], Awaitable[None]]) -> None:
    async def main() -> None:
        await scene(Playback(RATE_HZ))

    clock.run(main(), skip_idle=True)


def test_without_marks_the_clock_tells():
    async def scene(playback: Playback) -> None:
        playback.play(8000)
        await asyncio.sleep(0.25)
        assert playback.played() == pytest.approx(2000, abs=8)
        await asyncio.sleep(5)
        assert playback.played() == 8000

    on_a_line(scene)


def test_a_mark_proves_what_is_before_it_and_its_lack_that_nothing_behind_it_was_heard():
    async def scene(playback: Playback) -> None:
        playback.play(8000)
        half, whole = playback.mark(behind=4000), playback.mark()
        await asyncio.sleep(0.6)  # the line has a delay of 0.3 s: 0.3 s of the audio was heard
        assert 3800 <= playback.played() < 4000
        await asyncio.sleep(0.2)
        playback.marked(half)
        assert playback.played() == 4000
        await asyncio.sleep(0.25)
        assert playback.played() == pytest.approx(6000, abs=8)
        await asyncio.sleep(0.25)
        assert playback.played() < 8000
        playback.marked(whole)
        assert playback.played() == 8000

    on_a_line(scene)


def test_what_is_sent_next_is_expected_as_late_as_the_line_is():
    async def scene(playback: Playback) -> None:
        playback.play(800)
        mark = playback.mark()
        await asyncio.sleep(0.4)
        playback.marked(mark)
        await asyncio.sleep(1)
        playback.play(8000)
        playback.mark()
        await asyncio.sleep(0.2)
        assert playback.played() == 800
        await asyncio.sleep(0.3)
        assert playback.played() == pytest.approx(800 + 1600, abs=8)

    on_a_line(scene)


def test_what_nobody_asked_about_was_heard_all_the_same():
    async def scene(playback: Playback) -> None:
        playback.play(1600)
        half = playback.mark(behind=800)
        await asyncio.sleep(0.4)
        playback.marked(half)
        await asyncio.sleep(1)
        playback.play(8000)
        assert playback.played() == 1600

    on_a_line(scene)


def test_what_was_cleared_never_counts_though_its_marks_come_back():
    async def scene(playback: Playback) -> None:
        playback.play(8000)
        marks = [playback.mark(behind=4000), playback.mark()]
        await asyncio.sleep(0.25)
        playback.clear()
        heard = playback.played()
        for mark in marks:
            playback.marked(mark)
        await asyncio.sleep(2)
        assert playback.played() == heard == pytest.approx(2000, abs=8)
        playback.play(800)
        again = playback.mark()
        await asyncio.sleep(0.1)
        playback.marked(again)
        assert playback.played() == heard + 800

    on_a_line(scene)


def test_a_mark_that_was_on_its_way_when_the_rest_was_cleared_changes_nothing_any_more():
    async def scene(playback: Playback) -> None:
        playback.play(8000)
        mark = playback.mark(behind=4000)
        await asyncio.sleep(0.45)
        playback.clear()
        heard = playback.played()
        await asyncio.sleep(0.15)
        playback.marked(mark)
        assert playback.played() == heard < 4000

    on_a_line(scene)


def test_a_mark_that_never_comes_holds_nothing_up_for_long():
    async def scene(playback: Playback) -> None:
        playback.play(4000)
        playback.mark()
        await asyncio.sleep(1)
        assert playback.played() < 4000
        await asyncio.sleep(0.6)
        assert playback.played() == 4000
        playback.play(4000)  # from now on the clock is all there is
        mark = playback.mark()
        await asyncio.sleep(0.51)
        assert playback.played() == 8000
        playback.marked(mark)  # late and unknown by now
        assert playback.played() == 8000

    on_a_line(scene)


def test_a_far_side_that_answers_again_is_believed_again():
    async def scene(playback: Playback) -> None:
        playback.play(800)
        playback.mark()
        await asyncio.sleep(3)
        assert playback.played() == 800
        playback.play(1600)
        mark = playback.mark()
        await asyncio.sleep(0.2)
        playback.marked(mark)
        playback.play(1600)
        playback.mark()
        await asyncio.sleep(0.5)
        assert playback.played() < 4000

    on_a_line(scene)


def test_a_mark_that_comes_sooner_than_the_audio_lasts_is_not_believed():
    async def scene(playback: Playback) -> None:
        playback.play(16000)
        playback.marked(playback.mark())
        await asyncio.sleep(0.5)
        assert playback.played() == pytest.approx(4000, abs=8)

    on_a_line(scene)


def test_a_mark_that_is_a_little_early_is_proof_for_the_other_clock_is_fast():
    async def scene(playback: Playback) -> None:
        playback.play(8000)
        mark = playback.mark(behind=4000)
        await asyncio.sleep(0.45)
        playback.marked(mark)
        assert playback.played() == 4000

    on_a_line(scene)


def test_a_later_mark_speaks_for_the_ones_before_it():
    async def scene(playback: Playback) -> None:
        playback.play(1600)
        playback.mark(behind=800)
        last = playback.mark()
        await asyncio.sleep(0.25)
        playback.marked(last)
        assert playback.played() == 1600

    on_a_line(scene)


def test_marks_of_nobody_say_nothing():
    async def scene(playback: Playback) -> None:
        playback.play(8000)
        playback.mark()
        for name in ("", "2", "99", "x" * 1000):
            playback.marked(name)
        assert playback.played() == 0

    on_a_line(scene)


def test_heard_never_becomes_less_when_marks_jitter():
    async def scene(playback: Playback) -> None:
        playback.play(16000)
        marks = [playback.mark(behind=16000 - 1600 * n) for n in range(1, 11)]
        seen = [playback.played()]
        for number, mark in enumerate(marks):
            due_s = 0.2 * (number + 1) + (0.15 if number % 2 else 0.02)
            loop = asyncio.get_running_loop()
            loop.call_later(due_s, playback.marked, mark)
        for _ in range(120):
            await asyncio.sleep(0.02)
            seen.append(playback.played())
        assert seen == sorted(seen)
        assert seen[-1] == 16000

    on_a_line(scene)
