"""Shards: whatever the suite, every call is in exactly one part, and no part has much more to do than another."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles import staged
from voicebot.errors import BadInput
from voicebot.evals.kept import shard
from voicebot.evals.kept.shard import Shard

NAMES = st.lists(st.text("abcdefgh", min_size=1, max_size=4), min_size=1, max_size=30, unique=True)


@given(NAMES, st.integers(1, 8), st.integers(1, 3))
def test_parts_are_disjoint_complete_and_even(names: list[str], of: int, seeds: int) -> None:
    plan = staged.plan(*names, seeds=seeds)
    parts = [Shard(number, of).of_plan(plan) for number in range(1, of + 1)]
    ids = [planned.case.id for part in parts for planned in part]
    assert sorted(ids) == sorted(planned.case.id for planned in plan)
    assert len(ids) == len(set(ids))
    cells = [{planned.case.cell for planned in part} for part in parts]
    assert max(map(len, cells)) - min(map(len, cells)) <= 1
    assert all(len(part) == seeds * len(own) for part, own in zip(parts, cells, strict=True)), "a cell was torn apart"


def test_the_split_is_the_same_in_every_process() -> None:
    """Python's own hash() differs from process to process."""
    code = (
        "from tests.doubles import staged; from voicebot.evals.kept.shard import Shard;"
        "print([p.case.id for p in Shard(1, 3).of_plan(staged.plan(*'abcdefgh'))])"
    )
    outputs = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout for _ in range(2)}
    assert outputs == {str([p.case.id for p in Shard(1, 3).of_plan(staged.plan(*"abcdefgh"))]) + "\n"}


def test_a_plan_keeps_its_order_in_a_part() -> None:
    plan = staged.plan(*"abcdefgh")
    order = [planned.case.id for planned in plan]
    part = [planned.case.id for planned in Shard(2, 3).of_plan(plan)]
    assert part == sorted(part, key=order.index)


def test_parts_are_written_as_a_fraction() -> None:
    assert (shard.parse("2/4"), str(Shard(2, 4))) == (Shard(2, 4), "2/4")
    for wrong in ("0/4", "5/4", "1", "a/b", "1/0", "-1/4"):
        with pytest.raises(BadInput, match=r"Write it as 1/4"):
            shard.parse(wrong)
