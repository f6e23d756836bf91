"""A suite split over several machines: the same split everywhere, every cell in exactly one part."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicebot.errors import BadInput

if TYPE_CHECKING:
    from voicebot.evals.planned import Planned


@dataclass(frozen=True)
class Shard:
    """Part `number` (from 1) of `of`."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def of_plan(self, plan: Sequence[Planned]) -> list[Planned]:
        """The cells are put into the order of their hashes and dealt like cards, so that parts differ by one cell at
        most. All repetitions of a cell stay together: its pass^k needs them all."""
        cells = sorted({planned.case.cell for planned in plan}, key=_hash)
        mine = set(cells[self.number - 1 :: self.of])
        return [planned for planned in plan if planned.case.cell in mine]


def parse(text: str) -> Shard:
    """'2/4'. Raises BadInput."""
    found = re.fullmatch(r"(\d+)/(\d+)", text.strip())
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise BadInput(f"'{text}' is no part of a suite. Write it as 1/4 (the first of four) to 4/4.")
    return Shard(int(found[1]), int(found[2]))


def _hash(cell: str) -> str:
    return hashlib.sha256(cell.encode()).hexdigest()
