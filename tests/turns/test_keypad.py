from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from voicebot import clock
from voicebot.turns.keypad import MOST, PAUSE_S, Keypad


def entered(scene: Callable[[Keypad], Awaitable[None]]) -> list[str]:
    answers: list[str] = []

    async def main() -> None:
        await scene(Keypad(answers.append))

    clock.run(main(), skip_idle=True)
    return answers


def test_keys_within_the_pause_are_one_answer():
    async def scene(keypad: Keypad) -> None:
        for key in "4711":
            keypad.press(key)
            await asyncio.sleep(PAUSE_S - 0.1)
        await asyncio.sleep(1)
        keypad.press("2")
        await asyncio.sleep(PAUSE_S + 0.1)

    assert entered(scene) == ["4711", "2"]


def test_the_hash_key_ends_an_answer_at_once():
    async def scene(keypad: Keypad) -> None:
        keypad.press("12#")
        keypad.press("#")
        keypad.press("3")

    assert entered(scene) == ["12", "#"]


def test_nobody_fills_memory_with_keys():
    async def scene(keypad: Keypad) -> None:
        keypad.press("1" * 1000 + "#")

    assert entered(scene) == ["1" * MOST]


def test_a_call_that_ends_answers_nothing_more():
    async def scene(keypad: Keypad) -> None:
        keypad.press("12")
        keypad.close()
        await asyncio.sleep(2 * PAUSE_S)

    assert entered(scene) == []
