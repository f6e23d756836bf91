"""phone.yaml: what may stand in it, and where the error is when it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.errors import BadInput
from voicebot.telephony.phonebook import Phonebook

WHOLE = """
timezone: Europe/Berlin
holidays: [12-25, 2026-04-03, 2026-12-24..2027-01-01]
hours:
  office: {open: {mon-fri: 09:00-17:30, sat: [10:00-12:00, 13:00-15:00]}}
  late: {open: {fri: 22:00-02:00}, timezone: America/New_York, holidays: false}
numbers:
  +12025550100:
    rules:
      - {name: friends, callers: [+12025550111, +4930*, DE, anonymous], agent: ava}
      - {outside: office, voicemail: We are closed.}
      - {language: de, share: 10%, below: 20, agent: ava}
    number: sip:desk@example.com
outbound:
  from: [+12025550100]
  countries: [us, DE]
  ring: 20s
  voicemail: "Hello {{name}}."
  quiet: {from: "20:30", to: 09:00}
  retry: {times: 2, after: 30m, when: [busy, no_answer]}
"""


def test_a_whole_file_is_read() -> None:
    book = Phonebook.parse(WHOLE)
    line = book.numbers["+12025550100"]
    assert [rule.name for rule in line.rules] == ["friends", None, None]
    assert line.rules[2].share == 10
    assert line.number == "sip:desk@example.com"
    assert book.outbound is not None
    assert (book.outbound.from_, book.outbound.countries, book.outbound.ring) == (["+12025550100"], ["US", "DE"], 20.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("numbrs: {}", "<phone>:1:1 unknown key 'numbrs'. Did you mean 'numbers'?"),
        ("timezone: Europe/Berln", "<phone>:1:11 unknown time zone 'Europe/Berln'. Did you mean 'Europe/Berlin'?"),
        ("numbers: {12345: {agent: a}}", "is no telephone number. Write it with its country, as +12025550123."),
        ("hours: {a: {open: {mon: 9-17}}}", "<phone>:1:25 '9-17' are no times. Write them as 09:00-17:30."),
        (
            "hours: {a: {open: {mo: 09:00-17:00}}}",
            "'mo' are no days. Write them as mon, or mon-fri. Did you mean 'mon'?",
        ),
        ("hours: {a: {open: {mon: 09:00-25:00}}}", "there is no 25:00"),
        ("hours: {a: {open: {}}}", "'open' must"),
        ("holidays: [24.12.]", "<phone>:1:12 '24.12.' is no date."),
        ("holidays: [2026-01-02..2026-01-01]", "ends before it begins"),
        ("outbound: {from: +12025550100, quiet: {from: late}}", "'late' is no time. Write it as 21:00."),
        ("outbound: {ring: 20s}", "missing key 'from' in 'outbound'."),
        ("outbound: {from: []}", "'from' must"),
        ("outbound: {from: +12025550100, countries: [XX]}", "'XX' is no country."),
        ("outbound: {from: +12025550100, retry: {when: [in_doubt]}}", "cannot be 'in_doubt'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(BadInput) as error:
        Phonebook.parse(text)
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("{agent: ava, voicemail: Hi}", "7:31 only one of 'agent', 'number' and 'voicemail' can take a call."),
        ("{callers: [DE]}", "a rule says who takes the call: 'agent', 'number' or 'voicemail'."),
        ("{number: +12025550199, below: 3}", "only an agent has calls that can be counted"),
        ("{during: offce, agent: ava}", "unknown hours 'offce'. Did you mean 'office'?"),
        ("{callers: [XY], agent: ava}", "'XY' is no country."),
        ("{callers: [+], agent: ava}", "is no telephone number"),
        ("{language: german, agent: ava}", "is no language code"),
        ("{share: 0, agent: ava}", "'share' must"),
        ("{share: many, agent: ava}", "'share' must be a number, not 'many'."),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rule: str, sentence: str) -> None:
    text = f"hours:\n  office: {{open: {{mon: 09:00-17:00}}}}\nnumbers:\n  +12025550100:\n    rules:\n\n    - {rule}\n"
    with pytest.raises(BadInput) as error:
        Phonebook.parse(text)
    assert sentence in str(error.value)


def test_agents_and_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "ava.yaml").write_text("")
    (tmp_path / "phone.yaml").write_text(
        "numbers: {+12025550100: {agent: eva}}\noutbound: {from: +12025550100, do_not_call: no.txt}\n"
    )
    with pytest.raises(BadInput) as error:
        Phonebook.load(tmp_path)
    first, second = str(error.value).splitlines()
    assert first.endswith("phone.yaml:1:33 no agent 'eva' in agents/. Did you mean 'ava'?")
    assert second.endswith("phone.yaml:2:45 no.txt does not exist.")


def test_a_project_without_the_file_has_no_phonebook(tmp_path: Path) -> None:
    assert Phonebook.load(tmp_path) is None
