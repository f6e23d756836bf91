"""Names of people. Any word can be a name, so unless one was asked for it needs a sign: "my name is", "for Maria"."""

from __future__ import annotations

import re
from collections.abc import Iterable

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
_SUFFIXES = frozenset(("jr", "junior", "sr", "senior"))
LONGEST = 4
"""Words in a name, at most."""


class Names:
    """Recognises names; `known` ones need less of a sign."""

    def __init__(self, known: Iterable[str], others: Iterable[str] = ()) -> None:
        self._known = frozenset(word for name in known for word in name.lower().split())
        self._others = frozenset(word for saying in others for word in saying.lower().split()) - self._known

    def find(self, utterance: Utterance, *, expected: bool = False) -> list[Mention]:
        """The name in it. `expected`: it was asked for, so the bare words count too."""
        for pattern, trusted in ((_STRONG, True), (_WEAK, expected)):
            for _, end, _match in utterance.find(pattern):
                name = self._from(utterance, end, trusted=trusted)
                if name:
                    return [name]
        if expected:
            starts = (place for place, word in enumerate(utterance.tokens) if word not in _ENDS and word != TAKEN)
            first = next(starts, None)
            name = None if first is None else self._from(utterance, first, trusted=True)
            return [name] if name and self._is_answer(utterance, name) else []
        return self._given_and_family(utterance)

    def _from(self, utterance: Utterance, start: int, *, trusted: bool) -> Mention | None:
        name: list[str] = []
        for word in utterance.tokens[start : start + 24]:
            if word in _ENDS or word == TAKEN or not re.fullmatch(r"[^\W\d_](?:[\w'-]*\w)?", word):
                break
            name.append(word)
        if len(name) > LONGEST and not all(len(word) == 1 for word in name[LONGEST:]):
            return None
        if not name or not (trusted or name[0] in self._known) or self._others & set(name):
            return None
        return Mention("name", written(name), start, start + len(name))

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
                return [Mention("name", written(list(tokens[place : place + 2])), place, place + 2)]
        return []


_POLITE = words(
    "um uh er hmm well sure yes yeah okay ok please it's it is the name my that's that no sorry actually so of "
    "course i am i'm this here speaking thanks thank you oh hi hello and under for calling"
)


def written(name: list[str]) -> str:
    """As it is written: "maria lopez l o p e z" -> "Maria Lopez"."""
    joined: list[str] = []
    letters = ""
    for word in [*name, ""]:
        if len(word) == 1:
            letters += word
            continue
        if (len(letters) > 1 and (not joined or joined[-1] != letters)) or len(letters) == 1:
            joined.append(letters)
        letters = ""
        if word:
            joined.append(word)
    return re.sub(r"(?<![^\W\d_])[^\W\d_]", lambda first: first[0].upper(), " ".join(joined))
