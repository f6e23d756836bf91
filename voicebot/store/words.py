"""What was said and done in the calls of a folder, in memory, to be searched.

    words = Words(calls)
    words.read()                 # again whenever there may be new calls: only those are read
    words.having(["thursday"])   # {'20270301-093000-ab12': 'On Thursday I have nine thirty.'}

Nothing of it is written anywhere: the records remain the only place where callers' words lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from voicebot.store import views
from voicebot.store.calls import EVENTS
from voicebot.store.kept import BATCH, Stamp, stamps

_FIELDS = ("type", "text", "heard", "name", "arguments", "to", "error", "detail")
_TYPES = ("turn_ended", "agent_speech_stopped", "tool_called", "handed_over", "provider_failed", "call_ended")
_SAID = """
select call, string_agg(coalesce(nullif(concat_ws(' ', text, heard, name, arguments::varchar, "to", error, detail), ''),
    ''), chr(10) order by seq),
    arg_min(text, seq) filter (type = 'turn_ended' and text <> '')
from events group by call
"""


class Words:
    """Of one folder. All methods block, and may be called from any one thread at a time."""

    def __init__(self, calls: Path) -> None:
        self._calls = calls
        self._stamps: dict[str, Stamp] = {}
        self._said: dict[str, tuple[str, str]] = {}
        """Call -> as it was written, and without regard to case."""
        self.openings: dict[str, str] = {}
        """Call -> what its caller said first; without calls in which nobody said anything."""

    def read(self) -> None:
        """Take in calls that are new or have grown, and forget those that are gone."""
        now = stamps(self._calls)
        for gone in self._said.keys() - now.keys():
            del self._said[gone]
            self.openings.pop(gone, None)
        stale = sorted(name for name, stamp in now.items() if self._stamps.get(name) != stamp)
        for start in range(0, len(stale), BATCH):
            self._said |= self._of(stale[start : start + BATCH])
        self._stamps = now

    def _of(self, names: list[str]) -> dict[str, tuple[str, str]]:
        with duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"}) as db:
            views.load_events(db, [self._calls / name / EVENTS for name in names], _FIELDS, _TYPES)
            rows = db.execute(_SAID).fetchall()
        self.openings |= {names[number]: opening for number, _, opening in rows if opening}
        return {names[number]: (text, text.casefold()) for number, text, _ in rows if text}

    def having(self, wanted: Sequence[str]) -> dict[str, str]:
        """Call -> the first line with the first of the words; only calls that have them all."""
        folded = [each.casefold() for each in wanted]
        found = {}
        for call, (text, low) in self._said.items():
            if all(each in low for each in folded):
                found[call] = _line_at(text, low.find(folded[0])) if folded else ""
        return found


def _line_at(text: str, place: int) -> str:
    """The line with this place in it. Folding may move it by a letter; the line is nearly always the same."""
    begin = text.rfind("\n", 0, place) + 1
    end = text.find("\n", place)
    return text[begin : end if end >= 0 else len(text)]
