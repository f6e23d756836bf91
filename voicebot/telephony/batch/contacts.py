"""The file of a batch: a CSV with a column of numbers; the other columns are the variables of each call.

    number,name,date
    +12025550123,Maria,Tuesday

Separated by commas, semicolons or tabs. A file of bare numbers, one a line, needs no header.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from voicebot.errors import BadInput, did_you_mean
from voicebot.telephony.batch.ledger import DialRow
from voicebot.telephony.e164 import e164

COLUMNS = ("number", "phone", "to", "telephone", "mobile", "phone_number")
MOST_BYTES = 50_000_000
_LONGEST = 1000
"""Characters of one variable."""
_MOST_VARIABLES = 64


@dataclass(frozen=True)
class Contacts:
    """What a file holds."""

    rows: list[DialRow]
    """One a number; those that are none are done already, as `invalid`."""
    repeated: int
    """Lines with a number that had its line before: they are left out."""


def read(path: Path, batch: str, column: str = "") -> Contacts:
    """Raises BadInput for a file that is no list of numbers; a line that holds none is no reason."""
    text = _text(path)
    lines = list(csv.reader(text.splitlines(), delimiter=_delimiter(text)))
    lines = [[cell.strip() for cell in line] for line in lines]
    header, place, first = _header(path, lines, column)
    found: dict[str, DialRow] = {}
    repeated = 0
    for count, line in enumerate(lines[first:], first + 1):
        if not any(line):
            continue
        row = _row(batch, count, line, header, place)
        repeated += row.number in found
        found.setdefault(row.number, row)
    if not found:
        raise BadInput(f"{path} has no numbers. Write one a line, or a CSV with a column 'number'.")
    return Contacts(list(found.values()), repeated)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"{path} is larger than {MOST_BYTES // 1_000_000} MB. Split it into several batches.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not UTF-8 text. Save the file as CSV UTF-8.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max((",", ";", "\t"), key=first.count)


def _header(path: Path, lines: list[list[str]], column: str) -> tuple[list[str], int, int]:
    """(names of the columns, which of them has the number, where the lines begin)."""
    first = lines[0] if lines else []
    if not column and first and re.fullmatch(r"\+?[0-9 ()./-]{5,}", first[0]):
        return [f"column_{number}" for number in range(1, len(first) + 1)], 0, 0
    names = [re.sub(r"\W+", "_", cell.strip().lower()).strip("_") for cell in first]
    wanted = (column.lower(),) if column else COLUMNS
    for name in wanted:
        if name in names:
            return names, names.index(name), 1
    if column:
        raise BadInput(f"{path}:1 no column '{column}'.{did_you_mean(column, [name for name in names if name])}")
    raise BadInput(
        f"{path}:1 no column of numbers, such as '{COLUMNS[0]}'. Name it: --column {names[0] if names else 'x'}"
    )


def _row(batch: str, count: int, line: list[str], header: list[str], place: int) -> DialRow:
    written = line[place] if place < len(line) else ""
    parameters = dict(_variables(line, header, place))
    try:
        return DialRow(batch, e164(written), count, parameters)
    except BadInput as error:
        detail = f"line {count}: {error}"
        return DialRow(batch, written or f"(line {count})", count, parameters, "done", outcome="invalid", detail=detail)


def _variables(line: list[str], header: list[str], place: int) -> Iterator[tuple[str, str]]:
    for number, (name, value) in enumerate(zip(header, line, strict=False)):
        if number != place and name and value and number < _MOST_VARIABLES:
            yield name[:64], value[:_LONGEST]
