"""What Ava can do: look for a free time, book, find, move and cancel appointments.

Appointments are kept in data/appointments.json, one object each. A "no" (taken, closed, unknown name) is an answer like
any other: the flow in agents/ava.yaml says what to do about each `outcome`.
"""

from __future__ import annotations

import json
import os
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

APPOINTMENTS = Path(__file__).parent / "data" / "appointments.json"

OPEN = {0: (8, 17), 1: (8, 17), 2: (8, 17), 3: (8, 17), 4: (8, 14)}
"""Weekday (Monday is 0) -> from and to, in hours."""
LUNCH = (12, 13)
MINUTES = 30
"""How long an appointment takes."""
PARTS = {"morning": (0, 12), "afternoon": (12, 17), "evening": (17, 24)}
OFFERED = 3
"""How many times or days are offered at once."""


def find_day(day: str) -> dict[str, Any]:
    """Is anything free on this day, and if not, when? `day` is a date such as 2026-12-01, or "any"."""
    if day == "any":
        return {"outcome": "choose", "days": _days_after(date.today())}
    wanted = date.fromisoformat(day)
    if wanted < date.today():
        return {"outcome": "past"}
    if wanted > date.today() + timedelta(days=365):
        return {"outcome": "too_far"}
    if wanted.weekday() not in OPEN:
        return {"outcome": "closed", "days": _days_after(wanted)}
    if not _free(wanted):
        return {"outcome": "full", "days": _days_after(wanted)}
    return {"outcome": "free"}


def find_time(day: str, time: str) -> dict[str, Any]:
    """Is this time free on that day, and if not, which times are?

    `day` is such as 2026-12-01; `time` such as 14:30, or "any", "morning", "afternoon", "evening", "after 14:00",
    "before 11:00".
    """
    wanted = date.fromisoformat(day)
    free = _free(wanted)
    if time in free:
        return {"outcome": "free"}
    if not _is_exact(time):
        return {"outcome": "choose", "times": _spread([each for each in free if _suits(each, time)] or free)}
    return {"outcome": "taken" if time in _starts(wanted) else "outside", "times": _nearest(free, time)}


def book(treatment: str, day: str, time: str, name: str, phone: str | None) -> dict[str, Any]:
    """Book an appointment. `day` is such as 2026-12-01, `time` such as 14:30."""
    free = _free(date.fromisoformat(day))
    if time not in free:
        return {"outcome": "taken", "times": _nearest(free, time)}
    kept = _load()
    number = max((int(each["id"]) for each in kept), default=0) + 1
    new = {"id": number, "name": name, "phone": phone, "treatment": treatment, "day": day, "time": time}
    _save([*kept, new])
    return {"outcome": "booked", "appointment": number}


def find_appointment(name: str) -> dict[str, Any]:
    """The next appointment under a name."""
    found = sorted(
        (each for each in _load() if _same(each["name"], name)), key=lambda each: (each["day"], each["time"])
    )
    coming = [each for each in found if each["day"] >= date.today().isoformat()]
    if not coming:
        return {"outcome": "none"}
    first = coming[0]
    return {
        "outcome": "found",
        "appointment": first["id"],
        "booked_treatment": first["treatment"],
        "booked_day": first["day"],
        "booked_time": first["time"],
    }


def move(appointment: int, day: str, time: str) -> dict[str, Any]:
    """Move an appointment to another day and time."""
    free = _free(date.fromisoformat(day))
    if time not in free:
        return {"outcome": "taken", "times": _nearest(free, time)}
    _save([{**each, "day": day, "time": time} if each["id"] == appointment else each for each in _load()])
    return {"outcome": "moved"}


def cancel(appointment: int) -> dict[str, Any]:
    """Cancel an appointment."""
    _save([each for each in _load() if each["id"] != appointment])
    return {"outcome": "cancelled"}


def _starts(day: date) -> list[str]:
    """Every time at which an appointment may begin on that day."""
    opens, closes = OPEN.get(day.weekday(), (0, 0))
    minutes = range(opens * 60, closes * 60, MINUTES)
    return [f"{each // 60:02d}:{each % 60:02d}" for each in minutes if not LUNCH[0] <= each // 60 < LUNCH[1]]


def _free(day: date) -> list[str]:
    taken = {each["time"] for each in _load() if each["day"] == day.isoformat()}
    return [each for each in _starts(day) if each not in taken]


def _days_after(day: date) -> list[str]:
    """The next days with something free."""
    ahead = (max(day, date.today()) + timedelta(days=n) for n in range(1, 60))
    return [each.isoformat() for each in ahead if _free(each)][:OFFERED]


def _is_exact(wish: str) -> bool:
    return wish[0].isdigit()


def _suits(start: str, wish: str) -> bool:
    if wish.startswith("after "):
        return start >= wish.removeprefix("after ")
    if wish.startswith("before "):
        return start < wish.removeprefix("before ")
    first, last = PARTS.get(wish, (0, 24))
    return first <= time.fromisoformat(start).hour < last


def _spread(times: list[str]) -> list[str]:
    """A few of them, from early to late."""
    step = max(1, len(times) // OFFERED)
    return times[::step][:OFFERED]


def _nearest(times: list[str], wanted: str) -> list[str]:
    def distance(start: str) -> int:
        (hour, minute), (other, rest) = ((int(part) for part in each.split(":")) for each in (start, wanted))
        return abs((hour - other) * 60 + minute - rest)

    return sorted(sorted(times, key=distance)[:OFFERED])


def _same(one: str, other: str) -> bool:
    return one.casefold().split() == other.casefold().split()


def _load() -> list[dict[str, Any]]:
    if not APPOINTMENTS.exists():
        return []
    kept: list[dict[str, Any]] = json.loads(APPOINTMENTS.read_text(encoding="utf-8"))
    return kept


def _save(kept: list[dict[str, Any]]) -> None:
    """Replace the file in one step, so that nobody ever reads half of it."""
    APPOINTMENTS.parent.mkdir(exist_ok=True)
    new = APPOINTMENTS.with_suffix(".new")
    new.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    os.replace(new, APPOINTMENTS)
