"""A provider that fails again and again is left alone for a while; then one caller tries it."""

from __future__ import annotations

import asyncio

from voicebot import clock
from voicebot.breaker import Breaker, breaker_of


def opened(failures: int = 3) -> Breaker:
    breaker = Breaker("api", failures)
    for _ in range(failures):
        breaker.failed()
    return breaker


async def test_it_opens_after_failures_in_a_row() -> None:
    breaker = Breaker("api", failures=3)
    for allowed in (True, True, True, False):
        assert breaker.allows() is allowed
        breaker.failed()


async def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = Breaker("api", failures=2)
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    assert breaker.allows()


def test_only_one_caller_probes_when_the_time_is_up() -> None:
    async def main() -> list[bool]:
        breaker = opened()
        await asyncio.sleep(29.9)
        early = breaker.allows()
        await asyncio.sleep(0.2)
        return [early, *(breaker.allows() for _ in range(5))]

    assert clock.run(main(), skip_idle=True) == [False, True, False, False, False, False]


def test_the_probe_decides() -> None:
    async def main() -> tuple[bool, bool]:
        well, ill = opened(), opened()
        await asyncio.sleep(31)
        for breaker in (well, ill):
            assert breaker.allows()
        well.succeeded()
        ill.failed()
        return well.allows(), ill.allows()

    assert clock.run(main(), skip_idle=True) == (True, False)


def test_a_probe_that_never_reports_does_not_keep_it_open_for_ever() -> None:
    async def main() -> list[bool]:
        breaker = opened()
        answers = []
        for wait_s in (31, 1, 30):
            await asyncio.sleep(wait_s)
            answers.append(breaker.allows())
        return answers

    assert clock.run(main(), skip_idle=True) == [True, False, True]


def test_the_calls_of_a_loop_share_it_by_name() -> None:
    async def main() -> Breaker:
        assert breaker_of("api") is breaker_of("api")
        assert breaker_of("api") is not breaker_of("other")
        return breaker_of("api")

    assert clock.run(main()) is not clock.run(main())
