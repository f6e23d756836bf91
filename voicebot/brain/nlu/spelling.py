"""Words said letter by letter: "e m m a", "e double m a", "e as in echo", "echo mike mike alpha"."""

from __future__ import annotations

from collections.abc import Iterator

from .amounts import NATO
from .text import Mention, Utterance, words

_TWICE = {"double": 2, "triple": 3}
_AS_IN = (("as", "in"), ("like", "in"), ("like",), ("for",), ("as",))
_CLOCK = words("am pm")
"""What `Utterance` makes of the letters a m and p m."""
_ALSO_WORDS = words("a i o")
LEAST_LETTERS = 2
LEAST_CODE_WORDS = 3
"""Fewer are rather names: "oscar", "mike"."""


def find_spelled(utterance: Utterance) -> list[Mention]:
    """Runs of letters as one lower-case word each. Code words ("echo mike") and plain letters are not mixed."""
    found, place, tokens = [], 0, utterance.tokens
    while place < len(tokens):
        mention = _plain(tokens, place) or _code_words(tokens, place)
        if mention:
            found.append(mention)
        place = mention.end if mention else place + 1
    return found


def _plain(tokens: tuple[str, ...], start: int) -> Mention | None:
    if tokens[start : start + 2] == ("i", "am"):
        return None
    parts = list(_letters(tokens, start))
    letters = "".join(part for part, _ in parts)
    telling = {part for part, _ in parts} - _ALSO_WORDS - _CLOCK
    if len(letters) < LEAST_LETTERS or not telling:
        return None
    return Mention("letters", letters, start, parts[-1][1])


def _letters(tokens: tuple[str, ...], place: int) -> Iterator[tuple[str, int]]:
    """(letters, one past their last token), for as long as there are any."""
    while place < len(tokens):
        times = _TWICE.get(tokens[place], 1)
        place += times > 1
        word = tokens[place] if place < len(tokens) else ""
        if not (len(word) == 1 and word.isalpha()) and word not in _CLOCK:
            return
        place += 1 + _example(tokens, place + 1, word)
        yield word * times, place


def _example(tokens: tuple[str, ...], place: int, letter: str) -> int:
    """How many tokens explain the letter ("as in echo")."""
    for saying in _AS_IN:
        after = place + len(saying)
        if tokens[place:after] == saying and after < len(tokens) and len(tokens[after]) > 1:
            return len(saying) + 1 if tokens[after].startswith(letter) else 0
    return 0


def _code_words(tokens: tuple[str, ...], start: int) -> Mention | None:
    end = start
    while end < len(tokens) and tokens[end] in NATO:
        end += 1
    if end - start < LEAST_CODE_WORDS:
        return None
    return Mention("letters", "".join(word[0] for word in tokens[start:end]), start, end)
