"""How a line of the log looks: a JSON object in a pipe, text on a terminal.

`time`, `level`, `message`, what was bound to the line (`worker`, `agent` ...), `call` and `turn` when it was written in
a call, `trace_id` when that call is traced, `by`: the module that says it, and `traceback`.
"""

from __future__ import annotations

import json
import logging
import traceback
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from voicebot.logs.redaction import hidden
from voicebot.observe import context

if TYPE_CHECKING:
    from loguru import Record

    from voicebot.logs.place import InCall

Form = Literal["json", "console"]
_OURS = frozenset({"worker", "call", "turn", "trace_id", "by"})
"""What is bound under these names is ours, and no secret."""
_PLAIN = "\x1b[0m"
_DIM = "\x1b[2m"
_STYLES = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[31m"}


class Line:
    """One line. Made where it is logged, which must be cheap; written on the thread of the log."""

    def __init__(self, record: Record, place: InCall | None) -> None:
        self._record = record
        self._place = place
        self._bound: dict[str, Any] = {}
        if place:
            self._bound = {"call": place.call, "turn": place.turn}
        if trace := context.trace_id():
            self._bound["trace_id"] = trace
        self._bound = {name: _simple(value) for name, value in record["extra"].items()} | self._bound

    def written(self, form: Form, *, colour: bool) -> str:
        """Never raises: what cannot be written is told of, without a word of it."""
        try:
            return self._as_json() if form == "json" else self._as_text(colour=colour)
        except Exception as error:  # noqa: BLE001 - a line of the log is no reason for anything to end
            where = f"{self._record['name']}:{self._record['line']}"
            said = f"a line of {where} cannot be written: {type(error).__name__}"
            return json.dumps({"level": "error", "message": said}) if form == "json" else said

    @cached_property
    def _shown(self) -> dict[str, Any]:
        return {name: value if name in _OURS else self._clean(value) for name, value in self._bound.items()}

    def _as_json(self) -> str:
        record = self._record
        time = record["time"].isoformat(timespec="milliseconds")
        head = {"time": time, "level": record["level"].name.lower(), "message": self._clean(record["message"])}
        fields = {**head, "by": record["name"], **self._shown}
        if told := self._traceback():
            fields["traceback"] = told
        return json.dumps(fields, ensure_ascii=False, default=str)

    def _as_text(self, *, colour: bool) -> str:
        record, told = self._record, self._clean(self._record["message"])
        shown = {name: value for name, value in self._shown.items() if value != "" and name != "trace_id"}
        if bound := "  ".join(f"{name}={value}" for name, value in shown.items()):
            told = f"{told}  {_styled(bound, _DIM, colour)}"
        if record["level"].no > logging.INFO:
            told = f"{record['level'].name.lower()}: {told}"
        told = f"{record['time']:%H:%M:%S} {_styled(told, _STYLES.get(record['level'].name, ''), colour)}"
        return f"{told}\n{trace}" if (trace := self._traceback()) else told

    def _clean(self, value: Any) -> Any:
        return hidden(value, self._place) if isinstance(value, str) else value

    def _traceback(self) -> str:
        if (error := self._record["exception"]) is None or error.type is None:
            return ""
        told = "".join(traceback.format_exception(error.type, error.value, error.traceback))
        return hidden(told.rstrip(), self._place)


def _styled(text: str, style: str, colour: bool) -> str:
    return f"{style}{text}{_PLAIN}" if colour and style else text


def _simple(value: Any) -> Any:
    """What may wait: numbers, texts, and of anything else its text now."""
    return value if isinstance(value, str | bool | int | float | None) else str(value)
