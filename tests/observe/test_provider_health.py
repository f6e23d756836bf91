"""A provider that fails too often, or has become slow, is passed over for a while; then it is tried, and is back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from voicebot import clock
from voicebot.breaker import OPEN_S
from voicebot.observe.health import RECENT, TRIES, USUAL, WINDOW_S, Health, Kind, health_of, ward

T = TypeVar("T")
CLOUD = "somebody/model"


def on_a_loop(main: Callable[[], Awaitable[T]]) -> T:
    async def run() -> T:
        return await main()

    return clock.run(run(), skip_idle=True)


def answers(health: Health, seconds: float, times: int) -> None:
    for _ in range(times):
        health.took(seconds)
        health.succeeded()


class Notes:
    """A witness that remembers."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []

    def took(self, kind: Kind, name: str, seconds: float) -> None:
        self.told.append(("took", seconds))

    def tried(self, kind: Kind, name: str, *, ok: bool) -> None:
        self.told.append(("tried", ok))

    def passed_over(self, kind: Kind, name: str, *, yes: bool) -> None:
        self.told.append(("passed over", yes))


def test_failures_in_a_row_have_it_passed_over_and_a_probe_brings_it_back() -> None:
    async def main() -> list[object]:
        health = health_of("tts", CLOUD)
        for _ in range(3):
            health.failed()
        seen: list[object] = [health.allows(), health.why]
        await asyncio.sleep(OPEN_S + 1)
        seen += [health.allows(), health.allows()]
        health.took(0.2)
        health.succeeded()
        return [*seen, health.allows(), health.why]

    assert on_a_loop(main) == [False, "it failed 3 times in a row", True, False, True, ""]


def test_one_that_fails_every_other_time_is_passed_over_too() -> None:
    async def main() -> tuple[list[bool], str]:
        health = health_of("stt", CLOUD)
        allowed = []
        for _ in range(TRIES // 2):
            answers(health, 0.1, 1)
            health.failed()
            allowed.append(health.closed)
        return allowed, health.why

    allowed, why = on_a_loop(main)
    assert allowed == [True] * (TRIES // 2 - 1) + [False]
    assert why == f"{TRIES // 2} of its last {TRIES} tries failed"


def test_failures_of_long_ago_do_not_count() -> None:
    async def main() -> bool:
        health = health_of("stt", CLOUD)
        for _ in range(3 * TRIES):
            answers(health, 0.1, 1)
            health.failed()
            await asyncio.sleep(WINDOW_S / 2)
        return health.closed

    assert on_a_loop(main)


def test_one_that_has_become_slow_is_passed_over_until_it_is_fast_again() -> None:
    async def main() -> list[object]:
        health = health_of("llm", CLOUD)
        answers(health, 0.4, USUAL + RECENT)
        answers(health, 3.0, RECENT // 2)
        seen: list[object] = [health.closed]  # a few slow ones are no reason
        answers(health, 3.0, 1)
        seen += [health.allows(), health.why]
        await asyncio.sleep(OPEN_S + 1)
        seen.append(health.allows())
        answers(health, 2.5, 1)  # the probe is slow as well
        seen.append(health.allows())
        await asyncio.sleep(OPEN_S + 1)
        seen.append(health.allows())
        answers(health, 0.5, 1)
        return [*seen, health.allows(), health.why]

    assert on_a_loop(main) == [True, False, "it takes 3.0 s, usually 0.4 s", True, False, True, True, ""]


def test_one_that_was_always_slow_was_chosen_so() -> None:
    async def main() -> bool:
        health = health_of("llm", CLOUD)
        answers(health, 4.0, USUAL + RECENT)
        return health.closed

    assert on_a_loop(main)


def test_nobody_is_slow_below_a_second() -> None:
    async def main() -> bool:
        health = health_of("tts", CLOUD)
        answers(health, 0.1, USUAL)
        answers(health, 0.9, RECENT)
        return health.closed

    assert on_a_loop(main)


def test_what_runs_in_this_process_is_never_slow_by_itself() -> None:
    async def main() -> tuple[bool, bool]:
        both = health_of("stt", "whisper/base.en"), health_of("stt", "deepgram/nova-3")
        for health in both:
            answers(health, 0.3, USUAL)
            answers(health, 3.0, RECENT)
        return both[0].closed, both[1].closed

    assert on_a_loop(main) == (True, False)


def test_its_state_is_that_of_the_last_minutes() -> None:
    async def main() -> tuple[object, ...]:
        health = health_of("tts", CLOUD)
        answers(health, 9.0, 5)
        await asyncio.sleep(WINDOW_S + 1)
        answers(health, 0.1, 1)
        answers(health, 0.3, 1)
        health.failed()
        state = health.state()
        assert state.latency_s
        return state.tries, state.failures, round(state.latency_s.p50, 3), state.latency_s.n, state.passed_over

    assert on_a_loop(main) == (3, 1, 0.2, 2, "")


def test_witnesses_hear_of_every_change_once() -> None:
    async def main() -> list[tuple[str, object]]:
        notes = Notes()
        ward().witnesses.append(notes)
        health = health_of("tts", CLOUD)
        for _ in range(4):
            health.failed()
        await asyncio.sleep(OPEN_S + 1)
        health.allows()
        answers(health, 0.2, 2)
        return [told for told in notes.told if told[0] == "passed over"]

    assert on_a_loop(main) == [("passed over", True), ("passed over", False)]


def test_models_of_one_name_at_two_places_are_two() -> None:
    async def main() -> bool:
        assert health_of("llm", "openai/double", "here") is health_of("llm", "openai/double", "here")
        return health_of("llm", "openai/double", "here") is health_of("llm", "openai/double", "there")

    assert not on_a_loop(main)
