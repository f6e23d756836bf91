"""The `flow:` section: what it accepts, and how it says what is wrong."""

from __future__ import annotations

import subprocess
import sys
from copy import deepcopy
from typing import Any

import pytest

from voicebot.flow import Flow, placeholders

SECTION: dict[str, Any] = {
    "slots": {
        "day": {"type": "date", "ask": "Which day?"},
        "room": {"type": "choice", "ask": "Which room?", "values": ["single", "double"]},
    },
    "checks": {"free": {"tool": "find", "with": ["day"], "outcomes": {"full": {"say": "Full.", "ask": "day"}}}},
    "goals": {
        "book": {
            "title": "book a room",
            "examples": ["I'd like a {room} on {day}"],
            "ask": ["day", "room"],
            "check": ["free"],
            "confirm": "A {room} on {day}?",
            "do": {"tool": "book", "with": ["day", "room"]},
        }
    },
}


def changed(path: str, value: Any) -> dict[str, Any]:
    section = deepcopy(SECTION)
    *parents, last = path.split(".")
    place = section
    for key in parents:
        place = place[key]
    place[last] = value
    return section


def test_section_is_read() -> None:
    flow = Flow.model_validate(SECTION)
    assert flow.tools() == {"find", "book"}
    assert flow.slots["room"].values == {"single": [], "double": []}


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("goals.book.ask", ["dya"], "unknown slot 'dya'. Did you mean 'day'?"),
        ("goals.book.check", ["fee"], "unknown check 'fee'. Did you mean 'free'?"),
        ("goals.book.examples", ["a {rom} please"], "unknown slot 'rom'. Did you mean 'room'?"),
        ("goals.book.examples", [], "at least 1 item"),
        ("goals.book.confirm", "A room on {day}?", "so `confirm` must say it"),
        ("goals.book.confirm", "", "needs a `confirm` sentence"),
        ("goals.book.do", None, "there is no `do`"),
        ("goals.book.colour", "red", "Extra inputs are not permitted"),
        ("slots.room.values", [], "a choice needs `values`"),
        ("slots.day.values", ["monday"], "`values` is for a slot of type choice"),
        ("slots.room.wishes", True, "`wishes` is for a date or a time"),
        ("slots.day.type", "dat", "Input should be"),
        ("checks.free.outcomes", {"full": {"say": "Full."}}, "an outcome needs `ask: <slot>`"),
        ("checks.free.outcomes", {"full": {"say": "Full.", "ask": "dy"}}, "unknown slot 'dy'"),
        ("checks.free.outcomes", {"full": {"say": "x", "then": "stop", "options": "days"}}, "name it with `ask`"),
        ("hours", {"open": "8"}, "'8' is not a time of day"),
    ],
)
def test_mistake_is_named(path: str, value: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=r"(?s).*") as error:
        Flow.model_validate(changed(path, value))
    assert complaint in str(error.value)


def test_placeholders_are_found() -> None:
    assert placeholders("A {room} on {day}[, phone {phone}]") == ["room", "day", "phone"]


def test_schema_is_light_to_import() -> None:
    heavy = {"dateutil", "num2words", "phonenumbers", "rapidfuzz", "text_to_num", "Stemmer", "langchain_core"}
    code = f"import sys, voicebot.flow; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
