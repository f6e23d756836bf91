"""What must survive word for word: numbers, codes, spelled words, dates, addresses, names; found by rule.

Digits, e-mail addresses, codes, letters said one by one and redactions are found in any language; spoken numbers in
English; days, months, signs of a name and of a correction in those of signs.yaml. Too much is found rather than too
little: words kept in vain cost some tokens, a lost phone number costs the call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from voicebot.brain.nlu.amounts import NATO, digit_runs
from voicebot.brain.nlu.text import Utterance, words

Kind = Literal["redacted", "email", "phone", "code", "spelled", "name", "detail", "date", "time", "number"]
Side = Literal["caller", "agent"]

NEAR_CHARACTERS = 40
"""Values closer together than this are quoted together; as much is quoted before the first of them."""
AFTER_CHARACTERS = 24
"""Quoted after the last."""
LEAST_PHONE_DIGITS = 7
LONGEST_NUMBER_CHARACTERS = 120
"""What is longer was not dictated by a person; it is kept, and only its digits are compared."""
LONGEST_CHARACTERS = 6000
"""Of one turn so much is looked at: about six minutes of speech."""
SHORT_ANSWER_WORDS = 8
"""An answer no longer than this is nothing but what was asked for."""


@dataclass(frozen=True)
class Mark:
    """A value in a quote, from character `start` to `end`."""

    kind: Kind
    value: str
    """By this the same value is known again, however it was said."""
    start: int
    end: int
    owner: str = ""
    """Whose or of what it is, as far as that was said ("mobile", "people"): a correction is about the same one."""


@dataclass(frozen=True)
class Quote:
    """Words as they were said, and the values in them."""

    text: str
    side: Side
    marks: tuple[Mark, ...]
    corrects: bool = False
    """It sounds like a correction of what was said before."""
    anew: bool = False
    """It says "my number is" or the like, which holds for one number only."""
    denied: tuple[str, ...] = ()
    """Values that it says are wrong: "not 0123"."""


_SIGNS: dict[str, Any] = yaml.load(Path(__file__).with_name("signs.yaml").read_bytes(), yaml.CSafeLoader)


def _any(of: Iterable[str]) -> str:
    return "(?:" + "|".join(of) + ")"


def _signs(name: str) -> re.Pattern[str]:
    return re.compile(rf"\b{_any(_SIGNS[name])}\b", re.I)


_NUMBER, _ORDINAL, _DAY, _MONTH = (_any(_SIGNS[name].split()) for name in ("numbers", "ordinals", "days", "months"))
_SURE_MONTH = _any(set(_SIGNS["months"].split()) - set(_SIGNS["ambiguous months"].split()))
_LETTER = r"[^\W\d_]"
_PIECE = rf"(?:\b{_NUMBER}(?:[- ]{_NUMBER})*\b|[+#$€£]?\w*\d(?:[\w.:/'°%-]*[\w°%])?|\b{_LETTER}\b(?!'))"
_JOINT = rf"(?:,? |-|/|\.(?=\d)|(?<=\b{_LETTER})\. ?| ?[()] ?|[ ]- | dash | hyphen | slash | point )"
_RUN = re.compile(rf"(?<![\w']){_PIECE}(?:{_JOINT}{_PIECE})*(?!\w)", re.I)
_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)+"
    rf"|(?<![\w.+-])(?<!\b{_LETTER} )(?:\b{_LETTER} )*[\w.+-]+(?: (?:dot|point|punkt|underscore|dash|minus) [\w+-]+)*"
    r" (?:at|ät) [\w-]+(?: (?:dot|point|punkt) [\w-]+)+",
    re.I,
)
_CODE_WORD = _any(sorted(NATO))
_SPELLED = re.compile(
    rf"\b{_CODE_WORD}(?:[ ,-]+{_CODE_WORD}){{2,}}\b"
    rf"|(?<!')\b(?P<letter>{_LETTER}),? (?:as in|like|for|wie|comme|como) (?P=letter){_LETTER}+\b",
    re.I,
)
_DATE = re.compile(
    rf"\b(?:{_DAY}|{_SURE_MONTH}|(?:next|this|last) (?:week|month|year)|(?:in|of|this|next) {_MONTH}"
    rf"|(?:the|{_MONTH}) (?:(?:twenty|thirty)[ -])?{_ORDINAL}(?: of {_MONTH})?)\b",
    re.I,
)
_NAME = re.compile(rf"\b{_any(_SIGNS['name signs'])} (?P<name>{_LETTER}[\w'-]*(?: {_LETTER}[\w'.-]*){{0,3}})", re.I)
_CALLED = re.compile(
    rf"\b{_any(_SIGNS['name signs before a capital'])} (?P<name>[A-Z][\w'-]*{_LETTER}(?: [A-Z][\w'-]*{_LETTER}){{0,2}})"
)
_PATTERNS: tuple[tuple[Kind, re.Pattern[str], frozenset[str]], ...] = (
    ("redacted", re.compile(r"\[[^\[\]\n]{1,40}\]"), frozenset()),
    ("email", _EMAIL, words("at ät @")),
    ("spelled", _SPELLED, NATO | words("as like for wie comme como")),
    (
        "date",
        _DATE,
        words(" ".join(_SIGNS[each] for each in ("days", "months", "ordinals"))) | words("week month year"),
    ),
    ("name", _NAME, words(_SIGNS["words of name signs"])),
    ("name", _CALLED, frozenset()),
    ("number", _RUN, words(_SIGNS["numbers"]) | words("# b c d e f g h j k l m n o p q r s t u v w x y z")),
    ("code", re.compile(r"\b[A-Z]{3,}(?:-[A-Z]+)*\b"), frozenset()),
)
"""What is looked for, in this order, and the words without one of which looking is in vain: @ and # stand for a sign
and for any digit."""
_NAME_ENDS = frozenset(_SIGNS["name ends"].split())
_ASKS_NAME, _ASKS_DETAIL = _signs("asks for a name"), _signs("asks for details")
_CORRECTION, _ADDITION, _OWNER = _signs("corrections"), _signs("additions"), _signs("owners")
_DENIAL = re.compile(rf"\b{_any(_SIGNS['denials'])}(?: the| on| at)? $", re.I)
_MY = re.compile(r"\bmy (?:\w+ ){0,2}(?:name|number|phone|e-?mail|address)(?: address| number)?(?: is|'s)\b", re.I)


def quotes(text: str, side: Side, asked: str = "") -> list[Quote]:
    """The passages of `text` that hold values. `asked` is what the agent had said before the caller's words."""
    text = text[:LONGEST_CHARACTERS]
    plain = text.replace("\u2019", "'")
    groups: list[list[Mark]] = []
    for mark in _marks(plain, asked if side == "caller" else ""):
        if groups and mark.start - groups[-1][-1].end < NEAR_CHARACTERS:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    ends = [0, *(group[-1].end for group in groups)]
    starts = [*(group[0].start for group in groups), len(text)]
    return [_quote(plain, text, side, group, ends[at], starts[at + 1]) for at, group in enumerate(groups)]


def _quote(plain: str, text: str, side: Side, group: list[Mark], earliest: int, latest: int) -> Quote:
    start, end = group[0].start, group[-1].end
    left = _word_start(plain, max(start - NEAR_CHARACTERS, earliest), start)
    right = _word_end(plain, end, min(end + AFTER_CHARACTERS, latest))
    before = plain[max(start - 2 * NEAR_CHARACTERS, 0) : end]
    replaces = side == "caller" and not _ADDITION.search(plain[left:end])
    corrects, anew = (replaces and bool(pattern.search(before)) for pattern in (_CORRECTION, _MY))
    denied = tuple(mark.value for mark in group if _DENIAL.search(plain[max(mark.start - 20, 0) : mark.start]))
    marks = tuple(Mark(mark.kind, mark.value, mark.start - left, mark.end - left, mark.owner) for mark in group)
    return Quote(text[left:right], side, marks, corrects, anew, denied)


def _word_start(text: str, at: int, before: int) -> int:
    """Where a word begins, from `at` on; where a sentence begins, if one does before `before`."""
    sentences = list(re.finditer(r"[.!?;\n]\s+", text[at:before]))
    if sentences:
        return at + sentences[-1].end()
    while 0 < at < before and not text[at - 1].isspace():
        at += 1
    return at + len(text[at:before]) - len(text[at:before].lstrip(" ,"))


def _word_end(text: str, after: int, at: int) -> int:
    """Where a word ends, up to `at`; where a sentence ends, if one does from `after` on."""
    sentence = re.search(r"[.!?;\n](?=\s|$)", text[after:at])
    if sentence:
        return after + sentence.start()
    while after < at < len(text) and not text[at].isspace():
        at -= 1
    return after + len(text[after:at].rstrip(" ,"))


def _marks(text: str, asked: str) -> list[Mark]:
    found: list[Mark] = []
    left = text
    said = set(re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower()))
    said |= {sign for sign, there in (("@", "@" in text), ("#", bool(re.search(r"\d", text)))) if there}
    for kind, pattern, needed in _PATTERNS:
        for match in pattern.finditer(left) if not needed or needed & said else ():
            mark = _mark(kind, text, match)
            if mark:
                found.append(mark)
                left = f"{left[: mark.start]}{chr(0) * (mark.end - mark.start)}{left[mark.end :]}"
    if len(text.split()) <= SHORT_ANSWER_WORDS and text.strip():
        kinds = {mark.kind for mark in found}
        if _ASKS_NAME.search(asked) and not kinds:
            found.append(_whole("name", text))
        elif _ASKS_DETAIL.search(asked) and not kinds:
            found.append(_whole("detail", text))
    return sorted(found, key=lambda mark: mark.start)


def _whole(kind: Kind, text: str) -> Mark:
    start = len(text) - len(text.lstrip())
    return Mark(kind, _bare(text), start, len(text.rstrip()))


def _mark(kind: Kind, text: str, match: re.Match[str]) -> Mark | None:
    start, end = match.span()
    if kind == "name":
        start, end = match.span("name")
        end = start + _name_length(text[start:end])
        value = _bare(text[start:end])
    elif kind == "number":
        start += _article_length(match[0])
        kind, value = _number(text[start:end])
    else:
        value = match[0].lower() if kind == "redacted" else _bare(match[0])
    return Mark(kind, value, start, end, _owner(kind, text, start, end)) if value else None


def _name_length(text: str) -> int:
    """Up to the first word that is in no name."""
    end = 0
    for word in re.finditer(r"\S+", text):
        if word[0].lower().strip(".,") in _NAME_ENDS:
            break
        end = word.end()
    return end


def _article_length(run: str) -> int:
    """The "a" of "a 2 person table" and the "I" of "I 2" are words; beside other letters they are letters."""
    alone = re.match(rf"[aiAI] (?!.*\b{_LETTER}\b)", run)
    return alone.end() if alone else 0


def _number(run: str) -> tuple[Kind, str]:
    """What kind of number, code or spelling a run of digits, number words and letters is; '' as its value: none."""
    if len(run) > LONGEST_NUMBER_CHARACTERS:
        return "phone", re.sub(r"\D", "", run) or _bare(run)
    letters = re.findall(rf"\b{_LETTER}\b", run)
    if len(letters) >= 3 and len(letters) == len(re.findall(r"\w+", run)):
        return "spelled", _bare(run)
    runs = digit_runs(Utterance.of(run), letters=bool(letters))
    digits = "".join(text for _, _, text in runs) or re.sub(r"\D", "", run)
    if not re.search(r"\d", digits) or run.lower() == "one":
        return "number", ""
    if re.search(r"\d:\d|\d ?[ap]\.?m\b", run, re.I):
        return "time", _bare(run)
    if re.search(r"\d/\d|\d(?:st|nd|rd|th)\b|\d{4}-\d\d-\d\d", run, re.I):
        return "date", _bare(run)
    if re.search(rf"{_LETTER}\d|\d-?{_LETTER}{{1,4}}(?:-|\d|\b)", run) or letters:
        return "code", digits.lower() if letters else _bare(run)
    return ("phone" if len(digits) >= LEAST_PHONE_DIGITS else "number"), digits


def _owner(kind: Kind, text: str, start: int, end: int) -> str:
    if kind == "number":
        after = re.match(r"\s*(\w+)", text[end:])
        return after[1].lower() if after else ""
    before = text[max(start - NEAR_CHARACTERS, 0) : start]
    return " ".join(sorted({each.lower() for each in _OWNER.findall(before)}))


def _bare(text: str) -> str:
    return re.sub(r"[^\w@+]", "", text).lower()
