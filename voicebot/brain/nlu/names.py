"""Names of people. Any word can be a name, so unless one was asked for it needs a sign: "my name is", "for Maria".

A name ends at the first word that is hardly anybody's (names.yaml): what is heard around it must not become part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import yaml
from rapidfuzz import fuzz

from .spelling import find_spelled
from .text import TAKEN, Mention, Utterance, whole_words, words

_STRONG = whole_words(r"(?:my name is|my name's|the name is|the name's|name is|my full name is|my name was)")
_WEAK = whole_words(
    r"(?:this is|i'm|i am|it's|it is|its|for|under|that's|under the name|under the name of|named|call me|"
    r"i said|no|the name|that is|it's under|it is under|not)"
)
_ENDS = words(
    "and i on at for please calling here speaking from with to in the a an is it this that my your of but so or "
    "can could would want need like have am are we do you what when how not no yes yeah yep okay ok sorry "
    "actually thanks thank bye um uh er hmm well then also today tomorrow next monday tuesday wednesday thursday "
    "friday saturday sunday morning afternoon evening appointment book cancel move change name number phone time "
    "day date order under there if as i'm i'd i'll it's that's let's don't didn't can't won't isn't was were be "
    "been will should just maybe about hello hi why who where which because me him her us them they he she good "
    "fine great right correct sure really very much any some all nothing something anything one two get got give "
    "make take put see say said tell know think by up out off over down again already still only too later "
    "earlier before after until noon past half quarter wrong different another incorrect mistake missing"
)
_ORDINARY = words(yaml.load(Path(__file__).with_suffix(".yaml").read_bytes(), yaml.CSafeLoader)["ordinary"])
_WORD = re.compile(r"[^\W\d_](?:[\w'-]*\w)?")
LONGEST = 4
"""Words in a name, at most."""
ALIKE = 60
"""rapidfuzz ratio (0 to 100) from which a word may be meant for a part of a name that was misheard."""


class Names:
    """Recognises names; `given` and `family` are known ones, which need less of a sign, `others` are no names."""

    def __init__(self, given: Iterable[str], family: Iterable[str] = (), others: Iterable[str] = ()) -> None:
        self._given, self._family = _words_of(given), _words_of(family)
        self._known = self._given | self._family
        self._others = _words_of(others) - self._known
        self._ends = _ENDS | (_ORDINARY - self._known)

    def find(self, utterance: Utterance, *, expected: bool = False) -> list[Mention]:
        """The name in it. `expected`: it was asked for, so the bare words count too."""
        spelled = {each.start: each for each in find_spelled(utterance)}
        for pattern, trusted in ((_STRONG, True), (_WEAK, expected)):
            for _, end, _match in utterance.find(pattern):
                name = self._from(utterance, end, spelled, trusted=trusted)
                if name:
                    return [name]
        if expected:
            tokens = enumerate(utterance.tokens)
            first = next((place for place, word in tokens if place in spelled or not self._is_end(word)), None)
            name = None if first is None else self._from(utterance, first, spelled, trusted=True)
            if name and self._is_answer(utterance, name):
                return [name]
        return self._given_and_family(utterance)

    def put_right(self, utterance: Utterance, misheard: str) -> list[Mention]:
        """The name `misheard` with the part that is now spelled, or said alone: "e m m a" after "Anna Wilson" is
        "Emma Wilson". The whole name when that was said."""
        spelled = find_spelled(utterance)
        if spelled:
            whole = misheard
            for letters in spelled:
                whole = self._with_part(whole, str(letters.value))
            return [Mention("name", whole, spelled[0].start, spelled[-1].end)]
        found = self.find(utterance, expected=True)
        if any(" " in each.value for each in found) or any(utterance.find(_STRONG)):
            return found
        return [replace(each, value=self._with_part(misheard, each.value)) for each in found]

    def _with_part(self, misheard: str, said: str) -> str:
        """The name with one part replaced: the one that sounds like it, else the family or the given name."""
        parts, said = misheard.lower().split(), said.lower()
        if " " in (both := self._given_then_family(said)):
            return _capitals(both)
        for part in parts[1:]:
            if said.endswith(part) and said != part:  # all of the name was spelled in one go
                said = said.removesuffix(part)
        likeness = [fuzz.ratio(part, said) for part in parts]
        place = likeness.index(max(likeness))
        if likeness[place] < ALIKE:
            place = len(parts) - 1 if said in self._family - self._given else 0
        return _capitals(" ".join([*parts[:place], said, *parts[place + 1 :]]))

    def _given_then_family(self, letters: str) -> str:
        """'thomaswhite', spelled in one go, as 'thomas white' when both are known."""
        given = next((name for name in self._given if letters.removeprefix(name) in self._family - {letters}), "")
        return f"{given} {letters.removeprefix(given)}" if given else letters

    def _is_end(self, word: str) -> bool:
        return word in self._ends or word == TAKEN or not _WORD.fullmatch(word)

    def _from(self, utterance: Utterance, start: int, spelled: dict[int, Mention], *, trusted: bool) -> Mention | None:
        name: list[str] = []
        place = start
        while place < len(utterance.tokens):
            word, letters = utterance.tokens[place], spelled.get(place)
            if letters and not (name and name[-1] == letters.value):
                name.append(self._given_then_family(str(letters.value)))
            elif not letters and (self._is_end(word) or (name and word in self._others)):
                break
            elif not letters:
                name.append(word)
            place = letters.end if letters else place + 1
        if not name or len(name) > LONGEST or not (trusted or name[0] in self._known) or name[0] in self._others:
            return None
        return Mention("name", _capitals(" ".join(name)), start, place)

    def _is_answer(self, utterance: Utterance, name: Mention) -> bool:
        """Bare words are a name only when hardly anything else was said."""
        rest = [word for place, word in enumerate(utterance.tokens)
                if not name.start <= place < name.end and word != TAKEN and word not in _POLITE]  # fmt: skip
        return not rest

    def _given_and_family(self, utterance: Utterance) -> list[Mention]:
        """Two known names side by side ("... maria lopez ...") need no sign."""
        tokens = utterance.tokens
        for place in range(len(tokens) - 1):
            if tokens[place] in self._known and tokens[place + 1] in self._known and tokens[place] not in _ENDS:
                return [Mention("name", _capitals(" ".join(tokens[place : place + 2])), place, place + 2)]
        return []


_POLITE = words(
    "um uh er hmm well sure yes yeah okay ok please it's it is the name my that's that no sorry actually so of "
    "course i am i'm this here speaking thanks thank you oh hi hello and under for calling"
)


def _words_of(sayings: Iterable[str]) -> frozenset[str]:
    return frozenset(word for saying in sayings for word in saying.lower().split())


def _capitals(name: str) -> str:
    """As it is written: "siobhan o'neill" -> "Siobhan O'Neill"."""
    return re.sub(r"(?<![^\W\d_])[^\W\d_]", lambda first: first[0].upper(), name)
