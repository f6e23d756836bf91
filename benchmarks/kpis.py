"""What it takes to ask for the KPIs of many calls: python -m benchmarks.kpis [--calls 10000] [--keep FOLDER]

Makes synthetic calls, each different, and asks for their KPIs in a process of its own each time: when nothing is kept
yet, when all is, after one more call, and after a definition has changed.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.doubles.recorded_call import EndReason, RecordedCall, Took

SAYS = (
    "i would like to book a cleaning",
    "tuesday morning please",
    "what did you say",
    "nine thirty is fine",
    "nina lopez",
    "how much is it",
)
ANSWERS = (
    "Of course. What day suits you?",
    "On Tuesday I have nine thirty, ten fifteen, or eleven. Which one would you like?",
    "A cleaning is ninety dollars.",
    "You are booked for Tuesday at nine thirty.",
)
ENDS: tuple[EndReason, ...] = ("caller_hung_up", "agent_hung_up", "handed_over", "failed")


def made(number: int, chance: random.Random) -> RecordedCall:
    """A call of two to seven turns."""
    at = f"2026-11-{1 + number % 22:02d}T{8 + number % 10:02d}:15:00+00:00"
    agent = chance.choice(("Ava", "Ben"))
    call = RecordedCall(f"synthetic-{number:06d}", agent=agent, started_at=at, pid=0).greets("How can I help?")
    for _ in range(chance.randint(2, 7)):
        took = Took(brain=chance.lognormvariate(6, 0.5))
        tool: Any = ("find_slot", {"day": "tuesday"}, ["09:30"]) if chance.random() < 0.3 else None
        used = (1200, 1000, 40, 0.0004) if agent == "Ben" else None
        heard = "Of course." if chance.random() < 0.1 else None
        call.turn(chance.choice(SAYS), chance.choice(ANSWERS), took=took, tool=tool, used=used, heard=heard)
    return call.ended(chance.choices(ENDS, (60, 25, 12, 3))[0])


def write(project: Path, count: int, seed: int = 1) -> int:
    """Returns the bytes of their logs."""
    chance = random.Random(seed)  # noqa: S311 - synthetic calls, no secret
    (project / "agents").mkdir(parents=True, exist_ok=True)
    folders = [made(number, chance).write(project / "calls", audio=False) for number in range(count)]
    return sum((folder / "events.jsonl").stat().st_size for folder in folders)


ASK = """
import sys, time
from pathlib import Path
begun = time.perf_counter()
from voicebot.store import facts, kpis
sql = facts._sql() + sys.argv[2]
facts._sql = lambda: sql
(row,) = kpis.ask(Path(sys.argv[1]), kpis.Question())
print(f"{time.perf_counter() - begun:.2f} {row.calls}")
"""


def ask(project: Path, what: str, definition: str = "") -> None:
    """In a process of its own; its imports are counted."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    arguments = [sys.executable, "-c", ASK, str(project / "calls"), definition]
    told = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout  # noqa: S603 - this very Python
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    seconds, calls = told.split()[-2:]
    sys.stdout.write(f"{what:<44} {calls:>6} calls  {seconds:>5} s  ({cpu_s:.2f} s of CPU)\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--keep", type=Path, help="make them there, and leave them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        project = options.keep or Path(aside)
        begun = time.perf_counter()
        size = write(project, options.calls)
        took_s = time.perf_counter() - begun
        sys.stdout.write(f"made {options.calls} calls, {size / 1e6:.0f} MB of events, in {took_s:.1f} s\n")
        ask(project, "nothing is kept: every event is read")
        ask(project, "all is kept")
        RecordedCall("one-more", started_at="2026-11-23T10:00:00+00:00").ended().write(project / "calls", audio=False)
        ask(project, "one more call")
        ask(project, "a definition has changed: all is read again", "-- changed")


if __name__ == "__main__":
    main()
