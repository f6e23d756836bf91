"""The caller's dice: all chance of a simulated call comes from its seed, and each habit throws dice of its own.

So one habit never shifts another's luck: two builds of an agent that do the same meet a caller who does the same, even
when a persona has got one habit more.
"""

from __future__ import annotations

import random


class Dice:
    """`Dice(7).of("reaction")` is the same series of numbers in every run."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._of: dict[str, random.Random] = {}

    def of(self, habit: str) -> random.Random:
        """The habit's own generator; it goes on where it stopped."""
        if habit not in self._of:
            self._of[habit] = random.Random(f"{self.seed}/{habit}")  # noqa: S311 - dice, not secrets
        return self._of[habit]

    def falls(self, habit: str, chance: float) -> bool:
        """Whether it happens this time, once in 1/`chance` times."""
        return self.of(habit).random() < chance

    def seconds(self, habit: str, span_ms: tuple[float, float]) -> float:
        """A random point of a span in milliseconds, in seconds."""
        return self.of(habit).uniform(*span_ms) / 1000
