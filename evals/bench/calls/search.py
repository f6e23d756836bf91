"""Which level to measure next: twice as many calls until it breaks, then between what fits and what does not."""

from __future__ import annotations


class Search:
    """The highest level that fits, to within `fineness` of itself or one call."""

    def __init__(self, *, first: int = 4, fineness: float = 0.1, most: int = 1000) -> None:
        self.best = 0
        """The highest level that fitted; 0: none did."""
        self.too_many: int | None = None
        """The lowest level that did not."""
        self._first = first
        self._fineness = fineness
        self._most = most

    def next(self) -> int | None:
        """None: found."""
        if self.too_many is None:
            level = min(2 * self.best or self._first, self._most)
            return level if level > self.best else None
        apart = self.too_many - self.best
        if apart <= max(1.0, self._fineness * self.best):
            return None
        return (self.best + self.too_many) // 2

    def tell(self, level: int, *, fits: bool) -> None:
        if fits:
            self.best = max(self.best, level)
        else:
            self.too_many = level if self.too_many is None else min(level, self.too_many)
