"""Who takes a call: what the rules of `phone.yaml` say, and why. Pure: the same question has the same answer.

route = choose(book, Asked("+12025550100", "+4930123456"), now=datetime.now(UTC), load={"ava": 3})
route.agent, route.because
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from voicebot.telephony import e164
from voicebot.telephony.phonebook import ANONYMOUS, Answer, Phonebook, Rule

Kind = Literal["agent", "number", "voicemail", "nobody"]
_KINDS: Final[tuple[Kind, ...]] = ("agent", "number", "voicemail")
_HIDDEN: Final = ("anonymous", "restricted", "unavailable", "unknown", "private", "+266696687", "+7378742833",
                  "+2562533", "+8656696")  # fmt: skip
"""What Twilio gives as the number of a caller who hides it; the numbers spell such words on a keypad."""


@dataclass(frozen=True)
class Asked:
    """What is known of a call that comes in."""

    to: str
    caller: str
    """'' or 'anonymous' when it is hidden."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """The query of the number's webhook."""


@dataclass(frozen=True)
class Tried:
    """One rule that was looked at."""

    rule: str
    holds: bool
    because: str


@dataclass(frozen=True)
class Route:
    """Who takes a call, and the way to that."""

    kind: Kind
    target: str
    """The agent's name, the number, or what the caller is told before the tone; '' for nobody."""
    rule: str
    """Which rule decided: its name."""
    because: str
    tried: tuple[Tried, ...] = ()
    language: str = "en"
    """Of what the caller is told before the tone."""

    @property
    def agent(self) -> str:
        return self.target if self.kind == "agent" else ""


def choose(book: Phonebook, asked: Asked, now: datetime, load: Mapping[str, int] | None = None) -> Route:
    """`now` is aware; `load` holds the calls that each agent has, an agent that is missing in it has none."""
    line = book.numbers.get(asked.to)
    if line is None:
        return Route("nobody", "", "", f"{asked.to or 'the number'} is not among the numbers of phone.yaml")
    tried: list[Tried] = []
    for place, rule in enumerate(line.rules, 1):
        name = rule.name or f"rule {place}"
        wrong, right = _verdict(book, rule, name, asked, now, load or {})
        tried.append(Tried(name, not wrong, wrong or right))
        if not wrong:
            language = rule.language[0] if rule.language else book.language
            return _route(rule, name, right, tried, language)
    rest = "none of its rules is for this call" if line.rules else "it has no rules"
    return _route(line, "otherwise", rest, tried, book.language)


def agents_counted(book: Phonebook, to: str) -> list[str]:
    """The agents whose load the rules of a number ask for: most numbers have none."""
    line = book.numbers.get(to)
    return sorted({rule.agent for rule in line.rules if rule.below and rule.agent}) if line else []


def _route(answer: Answer, name: str, because: str, tried: list[Tried], language: str) -> Route:
    for kind in _KINDS:
        if target := getattr(answer, kind):
            return Route(kind, target, name, because, tuple(tried), language)
    return Route("nobody", "", name, because, tuple(tried), language)


def _verdict(
    book: Phonebook, rule: Rule, name: str, asked: Asked, now: datetime, load: Mapping[str, int]
) -> tuple[str, str]:
    """(why the rule does not hold, or ''; why it does). In the order in which the file's page has them."""
    said: list[str] = []
    for wrong, right in (
        _in_time(book, rule, now),
        _from(rule, asked.caller),
        _speaks(rule, asked),
        _has_room(rule, load),
        _drawn(rule, name, asked),
    ):
        if wrong:
            return wrong, ""
        said += [right] if right else []
    return "", ", ".join(said) or "it is for all calls"


def _in_time(book: Phonebook, rule: Rule, now: datetime) -> tuple[str, str]:
    said = []
    for named, wanted_open in ((rule.during, True), (rule.outside, False)):
        if named is None:
            continue
        closed = book.hours[named].closed_because(now, book.zone, book.holidays)
        sentence = f"'{named}' is closed: {closed}" if closed else f"'{named}' is open"
        if bool(closed) == wanted_open:
            return sentence, ""
        said.append(sentence)
    return "", ", ".join(said)


def _from(rule: Rule, caller: str) -> tuple[str, str]:
    if not rule.callers:
        return "", ""
    shown = ANONYMOUS if is_hidden(caller) else caller
    for pattern in rule.callers:
        if _is(shown, pattern):
            return "", f"{shown} is {pattern}" if pattern != shown else f"{shown} calls"
    return f"{shown} is none of {', '.join(rule.callers)}", ""


def _is(caller: str, pattern: str) -> bool:
    if pattern.endswith("*"):
        return caller.startswith(pattern[:-1])
    return caller == pattern or (len(pattern) == 2 and e164.country_of(caller) == pattern)


def is_hidden(caller: str) -> bool:
    return caller.strip().lower() in ("", *_HIDDEN)


def _speaks(rule: Rule, asked: Asked) -> tuple[str, str]:
    if not rule.language:
        return "", ""
    if given := asked.parameters.get("language", "").strip():
        whence = f"the parameter says {given}"
        spoken: tuple[str, ...] = (given.replace("_", "-"),)
    else:
        spoken = e164.languages_of(asked.caller)
        country = e164.country_of(asked.caller) or "an unknown country"
        whence = f"callers from {country} speak {', '.join(spoken) or 'nobody knows what'}"
    if any(_same_language(one, wanted) for one in spoken for wanted in rule.language):
        return "", whence
    return f"{whence}, not {', '.join(rule.language)}", ""


def _same_language(spoken: str, wanted: str) -> bool:
    """'de' is all German; what is spoken in a country is known by language only."""
    spoken, wanted = spoken.lower(), wanted.lower()
    wider = "-" not in spoken and wanted.startswith(f"{spoken}-")
    return wider or spoken == wanted or spoken.startswith(f"{wanted}-")


def _has_room(rule: Rule, load: Mapping[str, int]) -> tuple[str, str]:
    if rule.below is None or rule.agent is None:
        return "", ""
    has = f"{rule.agent} has {load.get(rule.agent, 0)} calls"
    if load.get(rule.agent, 0) < rule.below:
        return "", f"{has}, fewer than {rule.below}"
    return f"{has}, and {rule.below} is the limit", ""


def _drawn(rule: Rule, name: str, asked: Asked) -> tuple[str, str]:
    if rule.share is None:
        return "", ""
    lot = lot_of(asked.to, name, ANONYMOUS if is_hidden(asked.caller) else asked.caller)
    sentence = f"the caller's lot is {lot:.2f} of 100, and the share {rule.share:g}"
    return ("", sentence) if lot < rule.share else (sentence, "")


def lot_of(to: str, rule: str, caller: str) -> float:
    """From 0 to 100, even over callers, and always the same for one caller, number and rule."""
    digest = hashlib.sha256(f"{to}\n{rule}\n{caller}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * 100
