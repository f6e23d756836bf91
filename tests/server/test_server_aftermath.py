"""What is written down when a worker, or a whole server, has died."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.doubles.recorded_call import RecordedCall
from voicebot.server.processes.aftermath import Deceased, Written, write
from voicebot.server.settings import Settings
from voicebot.server.state import CallRow, State, default_url, migrate
from voicebot.store.calls import read

WHY = "its worker was killed by signal 9 (SIGKILL)"


async def test_the_live_calls_of_a_worker_are_lost_and_no_others(tmp_path: Path) -> None:
    settings = Settings(project=tmp_path)
    migrate(default_url(settings))
    places = {"a": 1, "b": 1, "c": 2}
    async with await State.open(default_url(settings)) as kept:
        for id, place in places.items():
            await kept.calls.begin(CallRow(id, "ava", "websocket", machine=settings.machine, worker=place))
            RecordedCall(call_id=id).greets("Hello.").write(tmp_path / "calls")
        await kept.calls.begin(CallRow("d", "ava", "websocket", machine="elsewhere:8080", worker=1))
        assert sorted(await write(Deceased(settings=settings, place=1, why=WHY))) == ["a", "b"]
        rows = {row.id: row for row in (await kept.calls.list()).rows}
        assert {id: row.state for id, row in rows.items()} == {"a": "lost", "b": "lost", "c": "live", "d": "live"}
        assert rows["a"].detail == WHY
        assert read(tmp_path / "calls" / "a").how_it_ended == "lost"
        assert read(tmp_path / "calls" / "c").ended is None
        assert await write(Deceased(settings=settings, why="the server was gone")) == ["c"]
        assert await write(Deceased(settings=settings, why="the server was gone")) == []


def run(dead: Deceased) -> Written:
    """As the supervisor does."""
    command = [sys.executable, "-P", "-m", "voicebot.server.processes.aftermath"]
    done = subprocess.run(command, input=dead.model_dump_json().encode(), capture_output=True, check=True)
    return Written.model_validate_json(done.stdout)


def test_the_first_start_makes_the_state(tmp_path: Path) -> None:
    assert run(Deceased(settings=Settings(project=tmp_path), why="", migrate=True)) == Written()
    assert (tmp_path / ".voicebot" / "state.db").is_file()


def test_a_database_that_is_none_is_a_sentence_without_its_password(tmp_path: Path) -> None:
    settings = Settings(project=tmp_path, database="mysql://ava:secret@db/state")
    written = run(Deceased(settings=settings, why="", migrate=True))
    assert written.exit_code == 2
    assert "mysql" in written.error
    assert "secret" not in written.error
