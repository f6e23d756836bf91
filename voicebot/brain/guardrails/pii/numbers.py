"""Digits as they are dictated: words, figures and both; in groups, doubled, with "oh", fillers and pauses between.

"four one one one", "forty one eleven", "four triple one", "double oh seven", "nineteen eighty four" and "4111" are runs
of pieces; which pieces make up a card or a telephone number is for others to say. Unlike `voicebot.brain.nlu`, which
reads what a caller means, this keeps the place of every piece in the text and knows several languages at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib import resources
from typing import Any

import yaml
from num2words import num2words

from voicebot.brain.guardrails.reading import Reading, fold
from voicebot.brain.nlu.amounts import HOMOPHONES

LANGUAGES = ("en", "de", "es", "fr", "it", "nl", "pt")
MOST_FILLERS = 4
"""Signs and filler words between two pieces of one number."""
_SIGNS = frozenset("-.,()/…_*")
_MONEY = frozenset("$€£¥")
_NO_DIGIT_AFTER_ONE = frozenset("moment second sec minute of more thing".split())


@dataclass(frozen=True, slots=True)
class Piece:
    """Digits said or written in one go, as the tokens from `first` up to `end`."""

    digits: str
    first: int
    end: int


@dataclass(frozen=True)
class Run:
    """Pieces that follow one another with nothing but pauses between."""

    pieces: tuple[Piece, ...]

    @cached_property
    def digits(self) -> str:
        return "".join(piece.digits for piece in self.pieces)

    @property
    def first(self) -> int:
        return self.pieces[0].first

    @property
    def end(self) -> int:
        return self.pieces[-1].end

    def part(self, start: int, end: int) -> Run:
        return Run(self.pieces[start:end])


@dataclass(slots=True)
class Branch:
    """A tree of sayings: what may follow word by word, and the digits of what has been said so far."""

    words: dict[str, Branch] = field(default_factory=dict)
    digits: str = ""

    def __contains__(self, word: str) -> bool:
        return word in self.words

    def grow(self, saying: Iterable[str], digits: str) -> None:
        """Add a saying; the first of two that are the same counts."""
        here = self
        for word in saying:
            here = here.words.setdefault(word, Branch())
        here.digits = here.digits or digits


@dataclass(frozen=True)
class Numerals:
    """How numbers are said by callers of one language, and the digits of the others."""

    phrases: Branch
    """All sayings and their digits, by their words."""
    repeats: dict[str, int]
    plurals: dict[str, str]
    fillers: frozenset[str]
    asides: Branch
    units: frozenset[str]
    english: bool


@lru_cache(maxsize=16)
def numerals(language: str) -> Numerals:
    """The numerals of a language ('de'), built once a process."""
    data: dict[str, Any] = yaml.load((resources.files(__package__) / "numbers.yaml").read_bytes(), yaml.CSafeLoader)
    first = language if language in LANGUAGES else "en"
    fillers = frozenset(data["fillers"][first].split()) | (frozenset("uh um er".split()) if first != "pt" else set())
    phrases, asides = Branch(), Branch()
    for each in (first, *LANGUAGES):
        for saying, digits in _sayings(each, data["digits"][each], largest=999 if each == first else 9):
            if digits and (each == first or saying[0] not in fillers):
                phrases.grow(saying, digits)
    for aside in (aside for lang in {first, "en"} for aside in data["asides"].get(lang, ())):
        asides.grow(fold(aside).split(), "-")
    return Numerals(
        phrases,
        data["repeats"]["en"] | data["repeats"][first],
        data["plurals"].get(first, {}),
        fillers,
        asides,
        frozenset(data["units"].split()) | {"%"},
        first == "en",
    )


def _sayings(language: str, more: dict[str, str], largest: int) -> Iterator[tuple[tuple[str, ...], str]]:
    for word, digits in more.items():
        yield (word,), digits
    for number in range(largest + 1):
        said = fold(str(num2words(number, lang=language))).replace("-", " ")
        yield tuple(said.split()), str(number)
        if language == "en" and " and " in said:
            yield tuple(said.replace(" and ", " ").split()), str(number)
    for number in range(10, 100) if language == "en" and largest > 99 else ():
        yield (*fold(str(num2words(number))).replace("-", " ").split(), "hundred"), f"{number}00"
    for year in range(1900, 2031) if largest > 99 and language != "en" else ():
        for form in ("year", "cardinal"):
            yield tuple(fold(str(num2words(year, lang=language, to=form))).replace("-", " ").split()), str(year)


def runs(reader: Dictation) -> list[Run]:
    """All numbers in a text, from left to right; prices, times, dates with slashes and quantities left out."""
    found, place, size = list[Run](), 0, len(reader.reading)
    while place < size:
        piece = reader.piece(place, None)
        if piece is None:
            place += 1
            continue
        pieces = [piece]
        while following := reader.following(pieces[-1]):
            pieces.append(following)
        place = pieces[-1].end
        if reader.is_quantity(pieces[-1]):
            pieces.pop()
        if pieces:
            found.append(Run(tuple(pieces)))
    return found


class Dictation:
    """Reads one piece after the other."""

    def __init__(self, reading: Reading, known: Numerals) -> None:
        self.reading = reading
        self._reading, self._tokens, self._known = reading, reading.tokens, known
        self._alone: dict[int, Piece | None] = {}
        self.letters: dict[int, Any] = {}
        """What `letters.py` has found behind a place."""

    def following(self, before: Piece) -> Piece | None:
        """The next piece of the same number: what only sounds like a digit counts between two single digits."""
        for place in self.pauses(before.end):
            if piece := self.piece(place, before):
                return piece
        return None

    def pauses(self, place: int) -> Iterator[int]:
        """This place, and those to which one gets from it over signs, fillers and asides."""
        for _ in range(MOST_FILLERS + 1):
            if self._reading.new_line(place) or place >= len(self._reading):
                return
            aside = self._aside(place)
            if not aside:
                yield place
            word = self._reading.token(place)
            if not aside and word not in _SIGNS and word not in self._known.fillers:
                return
            place += aside or 1

    def piece(self, place: int, before: Piece | None = None) -> Piece | None:
        """The piece that begins at a token; some words are digits only behind another piece, `before`."""
        if before is not None:
            return self._read(place, before)
        if place not in self._alone:
            self._alone[place] = self._read(place, None)
        return self._alone[place]

    def _read(self, place: int, before: Piece | None) -> Piece | None:
        word = self._reading.token(place)
        if not word:
            return None
        if word.isdigit():
            return self._figures(place)
        if word in self._known.repeats:
            return self._repeated(place)
        if word in self._known.phrases and not (
            before is None and word in ("o", "oh") and not self._is_digit(place + 1)
        ):
            return self._said(place)
        if before and len(before.digits) == 1 and word in HOMOPHONES and self._known.english:
            after = self.piece(place + 1, None)
            if after and len(after.digits) == 1 and after.first == place + 1:
                return Piece(HOMOPHONES[word], place, place + 1)
        return None

    def piece_in_code(self, place: int) -> Piece | None:
        """Digits among letters, where figures may touch letters and "o" is a letter."""
        word = self._reading.token(place)
        if word.isdigit():
            return Piece(word, place, place + 1)
        if word == "oh" and self._known.english:
            return Piece("0", place, place + 1)
        return None if word == "o" else self.piece(place, None)

    def is_quantity(self, piece: Piece) -> bool:
        """Whether a unit follows, or a currency stands before."""
        return self._reading.token(piece.end) in self._known.units or self._reading.token(piece.first - 1) in _MONEY

    def _is_digit(self, place: int) -> bool:
        word = self._reading.token(place)
        return word.isdigit() or word in self._known.phrases or word in self._known.repeats

    def _aside(self, place: int) -> int:
        """How many tokens an aside takes ("let me see")."""
        return next((end - place for _, end in self._along(self._known.asides, place)), 0)

    def _figures(self, place: int) -> Piece | None:
        """A group of figures that is not part of a code, a time, a date, an ordinal or a price."""
        reading, after = self._reading, self._reading.token(place + 1)
        before = reading.token(place - 1)
        if reading.glued(place):
            of_time = before in (":", "/") and reading.token(place - 2).isdigit()
            if before.isalpha() or before in _MONEY or of_time or (before == "." and self._is_decimal(place - 2)):
                return None
        if reading.glued(place + 1):
            of_time = after in (":", "/") and reading.token(place + 2).isdigit()
            is_code = after.isalpha() and after not in ("x", "ext")
            if is_code or of_time or after == "%" or (after == "." and self._is_decimal(place)):
                return None
        piece = Piece(self._tokens[place], place, place + 1)
        return self._large(piece) if self._known.english and len(piece.digits) <= 2 else piece

    def _is_decimal(self, place: int) -> bool:
        """12.50: two figures at most behind the point, and no further point."""
        reading = self._reading
        whole, behind = reading.token(place), reading.token(place + 2)
        if not (whole.isdigit() and behind.isdigit() and reading.glued(place + 1) and reading.glued(place + 2)):
            return False
        more = reading.token(place + 3) == "." and reading.token(place + 4).isdigit() and reading.glued(place + 4)
        return len(behind) <= 2 and not more and reading.token(place - 1) != "."

    def _repeated(self, place: int) -> Piece | None:
        if self._reading.token(place + 1) in self._known.repeats:
            return None
        piece = self.piece(place + 1, None)
        if piece is None and self._reading.token(place + 1) in ("o", "oh"):
            piece = Piece("0", place + 1, place + 2)
        if piece is None or len(piece.digits) != 1:
            return None
        return Piece(piece.digits * self._known.repeats[self._tokens[place]], place, piece.end)

    def _said(self, place: int) -> Piece | None:
        piece = self._phrase(place)
        if piece is None or self._is_pronoun(piece):
            return None
        plural = self._known.plurals.get(self._reading.token(piece.end))
        if plural and piece.digits in "2345":
            return Piece(plural * int(piece.digits), place, piece.end + 1)
        return self._large(piece) if self._known.english else piece

    def _phrase(self, place: int) -> Piece | None:
        for digits, end in self._along(self._known.phrases, place):
            if not self._goes_on(place, end, digits):
                return Piece(digits, place, end)
        return None

    def _along(self, tree: Branch, place: int) -> list[tuple[str, int]]:
        """(digits, one past the last token) of all sayings that begin here, the longest first; hyphens may stand in
        them."""
        found, here = list[tuple[str, int]](), tree
        while (following := here.words.get(self._reading.token(place))) is not None:
            here, place = following, place + 1
            if here.digits:
                found.append((here.digits, place))
            if self._reading.token(place) == "-" and self._reading.token(place + 1) in here:
                place += 1
        return found[::-1]

    def _goes_on(self, place: int, end: int, digits: str) -> bool:
        """ "eight hundred five five five": the five belongs to what follows. "eight hundred and five" is one."""
        if not self._known.english or end - place != 3 or len(digits) != 3 or digits[1] != "0":
            return False
        after = self._known.phrases.words.get(self._reading.token(end))
        return self._tokens[place + 1] == "hundred" and after is not None and len(after.digits) == 1

    def _is_pronoun(self, piece: Piece) -> bool:
        if self._tokens[piece.first] != "one" or piece.end != piece.first + 1:
            return False
        return self._reading.token(piece.end) in _NO_DIGIT_AFTER_ONE or self._reading.token(piece.first - 1) in (
            "no",
            "which",
        )

    def _large(self, piece: Piece) -> Piece:
        """ "nineteen hundred", "two thousand and five", "four thousand one hundred eleven"."""
        word, value = self._reading.token(piece.end), int(piece.digits)
        zeros = {"hundred": 2, "thousand": 3}.get(word, 0)
        if not zeros or not 0 < value < (100 if zeros == 2 else 1000) or piece.digits[0] == "0":
            return piece
        end = piece.end + 1
        joined = self._reading.token(end) == "and"
        rest = self._phrase(end + joined)
        fits = rest is not None and 0 < int(rest.digits) < 10**zeros
        if rest is None or not fits or (not joined and len(rest.digits) == 1 and self._is_digit(rest.end)):
            return Piece(piece.digits + "0" * zeros, piece.first, end)
        return Piece(str(value * 10**zeros + int(rest.digits)), piece.first, rest.end)
