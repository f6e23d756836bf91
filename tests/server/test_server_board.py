"""The figures that all processes of a server share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from voicebot.server.capacity.board import Board


def test_what_one_process_writes_another_reads(tmp_path: Path) -> None:
    board = Board.create(tmp_path / "board", places=3)
    program = (
        "import sys; from pathlib import Path; from voicebot.server.capacity.board import Board;"
        "row = Board.open(Path(sys.argv[1])).row(2); row.begin(25, 1.5); row.call_began(); row.call_began();"
        "row.count_refused('full'); row.count_ended('failed'); row.measured(12.5, 1000); row.ready = True"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "board")], check=True)
    row = board.row(2)
    assert (row.calls, row.limit, row.started, row.lag_ms, row.memory_bytes) == (2, 25, 2, 12.5, 1000)
    assert row.refused["full"] == row.ended["failed"] == 1
    assert row.ready
    assert board.rows() == [row]


def test_only_the_user_of_the_server_can_read_it(tmp_path: Path) -> None:
    Board.create(tmp_path / "board", places=1)
    assert (tmp_path / "board").stat().st_mode & 0o777 == 0o600


def test_counters_go_on_when_another_worker_takes_the_place() -> None:
    row = Board.alone().row(0)
    row.begin(25, 1.0)
    row.call_began()
    row.count_ended("lost")
    row.refuse("lagging")
    assert row.leave() == 1
    row.begin(30, 2.0)
    assert (row.calls, row.limit, row.started, row.ended["lost"], row.refusing) == (0, 30, 1, 1, None)
