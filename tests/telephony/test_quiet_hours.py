"""When a number may be called, by the clock where it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from voicebot.telephony.phonebook import Phonebook
from voicebot.telephony.quiet import may_call

BOOK = Phonebook.parse("timezone: Europe/Berlin\noutbound: {from: '+12025550100'}")


@pytest.mark.parametrize(
    ("number", "now", "allowed"),
    [
        ("+12025550123", "2026-11-23T12:59", "2026-11-23T13:00"),
        ("+12025550123", "2026-11-23T13:00", "2026-11-23T13:00"),
        ("+12025550123", "2026-11-24T01:59", "2026-11-24T01:59"),
        ("+12025550123", "2026-11-24T02:00", "2026-11-24T13:00"),
        ("+13035550123", "2026-11-23T14:30", "2026-11-23T15:00"),
        ("+4930123456", "2026-11-23T05:10", "2026-11-23T07:00"),
        ("+4930123456", "2026-07-23T05:10", "2026-07-23T06:00"),
        ("+870773111632", "2026-11-23T05:10", "2026-11-23T07:00"),
        ("+79161234567", "2026-11-23T12:00", "2026-11-24T06:00"),
    ],
)
def test_a_number_is_called_when_it_is_late_nowhere_it_may_be(number: str, now: str, allowed: str) -> None:
    """The second last is at sea: the file's own zone counts. The last may be in any zone of Russia."""
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert may_call(BOOK, number, moment) == datetime.fromisoformat(allowed).replace(tzinfo=UTC)


def test_a_number_that_may_be_anywhere_is_never_called() -> None:
    """800 numbers of America reach from Samoa to Newfoundland."""
    assert may_call(Phonebook.parse("outbound: {from: '+12025550100', quiet: {from: '12:00', to: '09:00'}}"),
                    "+18005550123", datetime(2026, 11, 23, tzinfo=UTC)) is None  # fmt: skip


def test_without_quiet_hours_the_moment_is_now() -> None:
    now = datetime(2026, 11, 23, 3, tzinfo=UTC)
    assert may_call(Phonebook.parse("outbound: {from: '+12025550100', quiet: null}"), "+12025550123", now) == now
