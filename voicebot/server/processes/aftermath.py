"""What has to be written down when a process has died: its calls are lost, in the state and in their records.

    python -m voicebot.server.processes.aftermath < deceased.json

A process of its own, because the supervisor stays light and waits for no database. It prints what it wrote.
"""

from __future__ import annotations

import asyncio
import sys

from pydantic import BaseModel, ConfigDict

from voicebot.errors import VoicebotError
from voicebot.server.settings import Settings


class Deceased(BaseModel):
    """Whose calls are lost, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: Settings
    place: int | None = None
    """Of the worker; None: the whole machine's, which an earlier server left behind."""
    why: str
    migrate: bool = False
    """Whether the state is to be brought up to date, or made, before that."""


class Written(BaseModel):
    """What came of it."""

    lost: list[str] = []
    """Ids of the calls."""
    error: str = ""
    """Why it could not be done, for a person."""
    exit_code: int = 0


async def write(dead: Deceased) -> list[str]:
    """Ids of the calls that are lost. Raises BadInput, Unavailable."""
    from voicebot.server import state
    from voicebot.store.lost import close_lost

    settings = dead.settings
    url = state.default_url(settings)
    if dead.migrate:
        await asyncio.to_thread(state.migrate, url)
    async with await state.State.open(url) as kept:
        rows = await kept.calls.lost(settings.machine, dead.place, dead.why)
    for row in rows:
        if settings.calls_dir:
            close_lost(settings.calls_dir / row.id, dead.why)
    return [row.id for row in rows]


def main() -> None:
    dead = Deceased.model_validate_json(sys.stdin.buffer.read())
    try:
        written = Written(lost=asyncio.run(write(dead)))
    except VoicebotError as error:
        written = Written(error=str(error), exit_code=error.exit_code)
    sys.stdout.write(written.model_dump_json())


if __name__ == "__main__":
    main()
