"""Who takes a call, by the rules of phone.yaml."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from voicebot.telephony.phonebook import Phonebook
from voicebot.telephony.routing import Asked, Route, agents_counted, choose, lot_of

NUMBER = "+12025550100"
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=BERLIN)
HOURS = """
timezone: Europe/Berlin
holidays: [12-25, 2026-12-24..2027-01-01]
hours:
  office: {open: {mon-fri: 09:00-17:30, sat: [10:00-12:00, 13:00-15:00]}}
  night: {open: {fri: 22:00-02:00}}
  always: {open: {mon-sun: 00:00-24:00}, holidays: false}
"""


def book(*rules: str, rest: str = "") -> Phonebook:
    listed = "".join(f"      - {rule}\n" for rule in rules)
    return Phonebook.parse(
        f"{HOURS}numbers:\n  {NUMBER}:\n    rules:{' []' if not rules else ''}\n{listed}    {rest}\n"
    )


def route(
    found: Phonebook,
    caller: str = "+12025550123",
    at: datetime = MONDAY,
    load: dict[str, int] | None = None,
    **query: str,
) -> Route:
    return choose(found, Asked(NUMBER, caller, query), at, load)


def test_the_first_rule_that_holds_decides_and_says_why() -> None:
    found = book("{name: vip, callers: +12025550123, agent: eva}", "{agent: ava}")
    assert (route(found).agent, route(found).rule, route(found).because) == ("eva", "vip", "+12025550123 calls")
    other = route(found, "+12025550124")
    assert (other.agent, other.rule, other.because) == ("ava", "rule 2", "it is for all calls")
    assert [(tried.rule, tried.holds) for tried in other.tried] == [("vip", False), ("rule 2", True)]


def test_calls_that_no_rule_is_for_go_where_the_number_says_or_to_nobody() -> None:
    never = "{callers: FR, agent: ava}"
    assert route(book(never, rest="number: +12025550199")).target == "+12025550199"
    assert route(book(never, rest="voicemail: Leave a message.")).kind == "voicemail"
    assert route(book(never)).kind == "nobody"
    assert choose(book(never), Asked("+12025550177", ""), MONDAY).because.startswith("+12025550177 is not among")


@pytest.mark.parametrize(
    ("hours", "at", "is_open"),
    [
        ("office", "2026-11-23 09:00", True),
        ("office", "2026-11-23 08:59", False),
        ("office", "2026-11-23 17:30", False),
        ("office", "2026-11-28 12:30", False),
        ("office", "2026-11-28 14:59", True),
        ("office", "2026-11-29 12:00", False),
        ("office", "2026-12-25 12:00", False),
        ("office", "2027-12-25 12:00", False),
        ("office", "2026-12-31 12:00", False),
        ("always", "2026-12-25 12:00", True),
        ("night", "2026-11-27 23:00", True),
        ("night", "2026-11-28 01:59", True),
        ("night", "2026-11-28 02:00", False),
        ("night", "2026-11-27 01:00", False),
        ("night", "2026-12-25 23:00", False),
        ("night", "2026-12-26 01:00", False),
    ],
)
def test_hours_and_holidays(hours: str, at: str, is_open: bool) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=BERLIN).astimezone(UTC)
    assert bool(route(book(f"{{during: {hours}, agent: ava}}"), at=moment).agent) is is_open
    assert bool(route(book(f"{{outside: {hours}, agent: ava}}"), at=moment).agent) is not is_open


def test_hours_stay_what_the_clock_on_the_wall_says_when_summer_time_begins() -> None:
    found = book("{during: office, agent: ava}")
    assert route(found, at=datetime(2026, 3, 27, 8, 30, tzinfo=UTC)).agent == "ava"
    assert route(found, at=datetime(2026, 3, 30, 7, 30, tzinfo=UTC)).agent == "ava"
    assert route(found, at=datetime(2026, 3, 30, 6, 30, tzinfo=UTC)).kind == "nobody"


@pytest.mark.parametrize(
    ("pattern", "caller", "holds"),
    [
        ("+12025550123", "+12025550123", True),
        ("+12025550123", "+12025550124", False),
        ("+4930*", "+4930123456", True),
        ("+4930*", "+4989123456", False),
        ("DE", "+4989123456", True),
        ("us", "+12025550123", True),
        ("CA", "+12025550123", False),
        ("anonymous", "", True),
        ("anonymous", "Restricted", True),
        ("anonymous", "+266696687", True),
        ("anonymous", "+12025550123", False),
        ("DE", "sip:desk@example.com", False),
    ],
)
def test_callers(pattern: str, caller: str, holds: bool) -> None:
    assert bool(route(book(f"{{callers: '{pattern}', agent: ava}}"), caller).agent) is holds


def test_the_language_is_what_the_number_says_or_else_that_of_the_callers_country() -> None:
    found = book("{language: de, agent: anna}", "{language: [fr, pt-BR], agent: zoe}", "{agent: ava}")
    assert route(found, "+4930123456").agent == "anna"
    assert route(found, "+41441234567").agent == "anna"
    assert route(found, "+33123456789").agent == "zoe"
    assert route(found, "+5511912345678").agent == "zoe"
    assert route(found, "+12025550123").agent == "ava"
    assert route(found, "", language="de-AT").agent == "anna"
    assert route(found, "+4930123456", language="en").agent == "ava"
    assert route(found, "+4930123456", language="pt_BR").agent == "zoe"
    assert route(found, "+4930123456", language="pt-PT").agent == "ava"


def test_a_rule_holds_while_its_agent_has_room() -> None:
    found = book("{below: 2, agent: ava}", "{agent: eva}")
    assert agents_counted(found, NUMBER) == ["ava"]
    assert agents_counted(found, "+12025550177") == []
    assert [route(found, load={"ava": count}).agent for count in (0, 1, 2, 3)] == ["ava", "ava", "eva", "eva"]
    assert route(found, load={"ava": 2}).tried[0].because == "ava has 2 calls, and 2 is the limit"


def test_a_share_is_the_same_for_a_caller_each_time_and_right_over_all_of_them() -> None:
    found = book("{name: trial, share: 20%, agent: new}", "{agent: ava}")
    callers = [f"+1202555{number:04}" for number in range(3000)]
    chosen = [route(found, caller).agent for caller in callers]
    assert chosen == [route(found, caller, at=MONDAY.replace(hour=3)).agent for caller in callers]
    assert 0.17 < chosen.count("new") / len(callers) < 0.23
    assert route(found, "anonymous").agent == route(found, "").agent == route(found, "Restricted").agent


def test_shares_of_two_rules_are_drawn_apart() -> None:
    both = [(lot_of(NUMBER, "a", f"+1{n}") < 50, lot_of(NUMBER, "b", f"+1{n}") < 50) for n in range(2000)]
    assert all(400 < both.count(pair) < 600 for pair in {(True, True), (True, False), (False, True), (False, False)})


def test_all_that_a_rule_says_must_be_true() -> None:
    found = book("{during: office, callers: US, below: 1, agent: ava}", rest="voicemail: We are closed.")
    assert route(found).because == "'office' is open, +12025550123 is US, ava has 0 calls, fewer than 1"
    assert route(found, load={"ava": 1}).kind == "voicemail"
    assert route(found, "+4930123456").kind == "voicemail"
    assert route(found, at=MONDAY.replace(hour=20)).kind == "voicemail"
