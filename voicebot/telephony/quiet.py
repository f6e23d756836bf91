"""Quiet hours: when a number may be called, by the clock where it is.

    may_call(book, "+13035550199", now)        # `now`, or the next moment at which it may; None when there is none

A number does not say where its telephone is: where its prefix leaves several time zones possible, it is called when it
is late in none of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from voicebot.telephony import e164
from voicebot.telephony.phonebook import Phonebook

_STEP = timedelta(minutes=15)
_AHEAD = timedelta(days=2)


def may_call(book: Phonebook, number: str, now: datetime) -> datetime | None:
    """When `number` may be called next; `now`, which is aware, when that is at once."""
    quiet = book.outbound.quiet if book.outbound else None
    if quiet is None:
        return now
    places = zones(book, number)
    moment = now
    while moment < now + _AHEAD:
        if not any(quiet.holds(moment.astimezone(zone).time()) for zone in places):
            return moment
        moment = _next_quarter(moment)
    return None


def zones(book: Phonebook, number: str) -> tuple[ZoneInfo, ...]:
    """Where a number may be; the file's own zone where nothing is known."""
    return e164.zones_of(number) or (book.zone,)


def _next_quarter(moment: datetime) -> datetime:
    full = moment.replace(minute=moment.minute - moment.minute % 15, second=0, microsecond=0)
    return full + _STEP
