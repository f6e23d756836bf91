"""What Max can do: find an order, say which days are delivered on, change the day.

Orders are kept in data/orders.json, one object each. A "no" (unknown number, no delivery that day) is an answer like
any other: the flow in agents/max.yaml says what to do about each `outcome`.
"""

from __future__ import annotations

import json
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ORDERS = Path(__file__).parent / "data" / "orders.json"

SUNDAY = 6
SOONEST_DAYS = 2
FARTHEST_DAYS = 28
OFFERED = 3
"""How many days are offered at once."""
STATUS = {"packed": "is packed and ready to be sent", "on its way": "is on its way to you",
          "delivered": "has been delivered"}  # fmt: skip


def find_order(order: str) -> dict[str, Any]:
    """Where an order is. `order` is its number, such as 10442."""
    found = next((each for each in _load() if each["order"] == order), None)
    if found is None:
        return {"outcome": "unknown"}
    state = found["state"]
    planned = state == "packed" and found["delivery"]
    return {
        "outcome": state.replace(" ", "_"),
        "items": found["items"],
        "status": "will be delivered" if planned else STATUS[state],
        "delivery": found["delivery"],
    }


def check_delivery_day(day: str) -> dict[str, Any]:
    """Can an order be delivered on this day? `day` is a date such as 2026-12-01, or "any"."""
    if day == "any":
        return {"outcome": "choose", "days": _days_after(date.today())}
    wanted = date.fromisoformat(day)
    if wanted < date.today() + timedelta(days=SOONEST_DAYS):
        return {"outcome": "too_soon", "days": _days_after(date.today())}
    if wanted > date.today() + timedelta(days=FARTHEST_DAYS):
        return {"outcome": "too_far"}
    if wanted.weekday() == SUNDAY:
        return {"outcome": "no_delivery", "days": _days_after(wanted)}
    return {"outcome": "possible"}


def change_delivery(order: str, day: str) -> dict[str, Any]:
    """Have an order delivered on another day. `day` is such as 2026-12-01."""
    orders = _load()
    found = next((each for each in orders if each["order"] == order), None)
    if found is None or found["state"] != "packed":
        return {"outcome": "too_late"}
    found["delivery"] = day
    _save(orders)
    return {"outcome": "changed"}


def _days_after(day: date) -> list[str]:
    """The next days on which orders are delivered."""
    first = max(day + timedelta(days=1), date.today() + timedelta(days=SOONEST_DAYS))
    ahead = (first + timedelta(days=n) for n in range(OFFERED * 2))
    return [each.isoformat() for each in ahead if each.weekday() != SUNDAY][:OFFERED]


def _load() -> list[dict[str, Any]]:
    orders: list[dict[str, Any]] = json.loads(ORDERS.read_text(encoding="utf-8"))
    return orders


def _save(orders: list[dict[str, Any]]) -> None:
    """Replace the file in one step, so that nobody ever reads half of it."""
    new = ORDERS.with_suffix(".new")
    new.write_text(json.dumps(orders, indent=2) + "\n", encoding="utf-8")
    os.replace(new, ORDERS)
