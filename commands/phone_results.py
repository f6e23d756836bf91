"""What became of a batch: while it runs, as a table, as a file."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.text import Text

if TYPE_CHECKING:
    from voicebot.telephony.batch.ledger import BatchRow, DialRow

    from .terminal import Screen

COLUMNS = ("number", "outcome", "attempts", "call_id", "dialled_at", "detail")
_OPEN = ("waiting", "dialling")
_STYLES = {"answered": "good", "voicemail": "good", "in_doubt": "bad", "lost": "bad", "failed": "bad"}
_WORDS = {"no_answer": "no answer", "in_doubt": "in doubt", "not_called": "not called"}


class Progress:
    """A bar on a terminal, lines in a pipe."""

    def __init__(self, screen: Screen, counts: Mapping[str, int]) -> None:
        self._screen = screen
        self._counts = Counter({name: count for name, count in counts.items() if name not in _OPEN})
        total = sum(counts.values())
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        shown = screen.err.is_terminal and screen.live and not screen.quiet
        self._bar = Bar(*columns, TextColumn("{task.fields[counts]}"), console=screen.err, disable=not shown)
        done = sum(self._counts.values())
        self._task = self._bar.add_task("calling", total=total, completed=done, counts=_listed(self._counts))
        self._plain = not shown

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._bar.stop()

    def tell(self, row: DialRow, outcome: str) -> None:
        """Of one number."""
        if outcome not in ("again", "waits"):
            self._counts[outcome] += 1
        self._bar.update(self._task, completed=sum(self._counts.values()), counts=_listed(self._counts))
        if self._plain:
            self._screen.talk(f"{row.number}: {_WORDS.get(outcome, outcome)}", "dim")


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {_WORDS.get(name, name)}" for name, count in sorted(counts.items()) if count)


def counted(rows: Sequence[DialRow]) -> dict[str, int]:
    """How many numbers have which outcome, or are still open."""
    return dict(Counter(row.outcome if row.state == "done" else row.state for row in rows))


def summary(screen: Screen, name: str, rows: Sequence[DialRow]) -> None:
    """A line for each outcome; --quiet prints the numbers in doubt, which somebody has to look at."""
    counts = counted(rows)
    if screen.quiet:
        for row in rows:
            if row.outcome == "in_doubt":
                screen.data(row.number)
        return
    shown = [
        [Text(_WORDS.get(outcome, outcome), _STYLES.get(outcome, "")), Text(str(count))]
        for outcome, count in sorted(counts.items(), key=lambda each: -each[1])
    ]
    screen.table([name, f"of {len(rows)}"], shown)
    for row in [row for row in rows if row.outcome in ("in_doubt", "lost")][:20]:
        screen.talk(f"{row.number}: {_WORDS.get(row.outcome, row.outcome)} ({row.call_id})")


def all_of_them(screen: Screen, batches: Sequence[tuple[BatchRow, Mapping[str, int]]], *, as_json: bool) -> None:
    if as_json:
        screen.json(
            [{**vars(batch), "created_at": _iso(batch.created_at), "counts": counts} for batch, counts in batches]
        )
    elif screen.quiet:
        for batch, _ in batches:
            screen.data(batch.name)
    elif not batches:
        screen.talk("no batches yet. Begin one: voicebot phone batch contacts.csv --agent ava")
    else:
        rows = [[Text(batch.name, "bold"), Text(batch.agent), Text(_listed(counts))] for batch, counts in batches]
        screen.table(["batch", "agent", "numbers"], rows)


def facts(rows: Sequence[DialRow]) -> dict[str, Any]:
    """For --json and .json."""
    return {"counts": counted(rows), "numbers": [_fact(row) for row in rows]}


def _fact(row: DialRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "outcome": row.outcome if row.state == "done" else row.state,
        "attempts": row.attempts,
        "call_id": row.call_id,
        "dialled_at": _iso(row.dialled_at),
        "detail": row.detail,
        "parameters": dict(row.parameters),
    }


def check(out: Path | None) -> None:
    """Raises BadInput for a file that nothing can be written to, before anybody is called."""
    from voicebot.errors import BadInput

    if out is None:
        return
    if out.suffix not in (".csv", ".json"):
        raise BadInput(f"--out: '{out}' is neither a .csv nor a .json file.")
    if not out.absolute().parent.is_dir():
        raise BadInput(f"--out: there is no folder {out.absolute().parent}.")


def write(out: Path | None, rows: Sequence[DialRow]) -> None:
    """Raises BadInput."""
    from voicebot.errors import BadInput

    if out is None:
        return
    try:
        with out.open("w", newline="", encoding="utf-8") as file:
            if out.suffix == ".json":
                json.dump(facts(rows), file, indent=2, ensure_ascii=False)
            else:
                table = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
                table.writeheader()
                table.writerows(_fact(row) for row in rows)
    except OSError as error:
        raise BadInput(f"--out: {out} cannot be written: {error.strerror}.") from None


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
