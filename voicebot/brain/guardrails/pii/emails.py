"""E-mail addresses as they are written, said and spelled: "jane dot doe at gmail dot com"."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib import resources

import yaml

from voicebot.brain.guardrails.pii.known_names import given_names
from voicebot.brain.guardrails.pii.letters import letter
from voicebot.brain.guardrails.pii.scene import Private, Scene

LONGEST_LOCAL = 16
"""Tokens of the part before the "at", at most."""
_TIES = ("-", ".", "_", "+")
_DETERMINERS = frozenset("the a an your our this that any some der die das el la le il de o".split())
_MINE = frozenset("my me mine his her their mi mon meine mijn minha meu".split())


@lru_cache(maxsize=1)
def _words() -> dict[str, frozenset[str]]:
    data: dict[str, str] = yaml.load((resources.files(__package__) / "emails.yaml").read_bytes(), yaml.CSafeLoader)
    return {name: frozenset(str(line).split()) for name, line in data.items()}


def find(scene: Scene) -> Iterator[Private]:
    at = _words()["at"]
    for place, word in enumerate(scene.reading.tokens):
        if word in at and (found := _around(scene, place)):
            yield found


def _around(scene: Scene, at: int) -> Private | None:
    domain, end = _domain(scene, at + 1)
    if not domain:
        return None
    local, first = _local(scene, at, sure=scene.reading.tokens[at] == "@")
    if not local:
        return None
    whole = scene.reading.tokens[at] == "@" or "." in domain
    if not whole and not (scene.cues.any("email") or "email" in scene.asked or first < at - 1):
        return None
    if first == at - 1 and scene.reading.token(first - 1) in _DETERMINERS and scene.reading.tokens[at] != "@":
        return None  # "the menu at pizza dot com"
    nobodys = local in _words()["roles"] and not _MINE.intersection(scene.reading.tokens)
    if nobodys and "email" not in scene.asked:
        return None
    return scene.private("email", f"{local}@{domain if whole else f'{domain}.com'}", first, end, 1.0 if whole else 0.7)


def _domain(scene: Scene, place: int) -> tuple[str, int]:
    """The domain that begins at a token: "gmail dot com", "g mail dot com", "acme-tools.co.uk"; or a known provider."""
    parts, end, known = [""], place, _words()
    while len(parts) < 6 and end - place < 24:
        word = scene.reading.token(end)
        if word in known["dot"] and parts[-1]:
            if word != "." or scene.reading.token(end + 1).isalnum():
                parts.append("")
                end += 1
                continue
            break
        said = _characters(scene, end, domain=True)
        if said is None or (
            parts[-1] and len(parts) > 1 and parts[-1] in known["top"] and not scene.reading.glued(end)
        ):
            break
        parts[-1] += said[0]
        end = said[1]
        if len(parts) == 1 and parts[0] in known["providers"] and scene.reading.token(end) not in known["dot"]:
            return parts[0], end
    if not parts[-1]:
        return "", place
    top = parts[-1]
    if len(parts) > 1 and (top in known["top"] or (len(top) >= 2 and _is_sure(scene, place - 1))):
        return ".".join(parts), end
    return "", place


def _is_sure(scene: Scene, at: int) -> bool:
    """Whether the "at" can only be that of an address, so that any top-level domain will do."""
    return scene.reading.tokens[at] == "@" or scene.cues.any("email") or "email" in scene.asked


def _characters(scene: Scene, place: int, *, domain: bool = False) -> tuple[str, int] | None:
    """(what a token adds to an address, one past it)."""
    word = scene.reading.token(place)
    if not word or scene.reading.new_line(place):
        return None
    for name, sign in (("dash", "-"), ("underscore", "_"), ("plus", "+")):
        if word in _words()[name] and (sign == "-" or not domain):
            return sign, place + 1
    if piece := scene.dictation.piece_in_code(place):
        return piece.digits, piece.end
    found = letter(scene.dictation, place)
    if found and (len(word) == 1 or found.end > place + 1):
        return found.text, found.end
    return (word, place + 1) if word.replace("'", "").isalpha() else None


def _local(scene: Scene, at: int, *, sure: bool) -> tuple[str, int]:
    """The part before the "at", read backwards: letters, figures and words that a sign or a name ties together."""
    units = _units_before(scene, at)
    if not units:
        return "", at
    taken: list[tuple[str, int, int]] = []
    for text, first, end in reversed(units):
        if not _belongs(scene, text, first, end, taken, sure):
            break
        taken.insert(0, (text, first, end))
    while taken and taken[0][0] in _TIES:
        taken.pop(0)
    if not taken or (taken[-1][0] in _TIES):
        return "", at
    return "".join(text for text, _, _ in taken), taken[0][1]


def _units_before(scene: Scene, at: int) -> list[tuple[str, int, int]]:
    """What stands before the "at", read forwards so that "j as in john" and "twenty one" stay whole."""
    place, units = max(0, at - LONGEST_LOCAL * 2), list[tuple[str, int, int]]()
    while place < at:
        word = scene.reading.tokens[place]
        if word in _words()["dot"]:
            said: tuple[str, int] | None = (".", place + 1)
        else:
            said = _characters(scene, place)
        if said is None or said[1] > at:
            said = ("", place + 1)
        units.append((said[0], place, said[1]))
        place = said[1]
    return units


def _belongs(scene: Scene, text: str, first: int, end: int, taken: list[tuple[str, int, int]], sure: bool) -> bool:
    """Whether a unit goes on with the part before the "at", of which `taken` is known; `sure`: the "at" was an @."""
    reading = scene.reading
    word = reading.tokens[first]
    if not text:
        return word in ("uh", "um") and bool(taken)
    glued = reading.glued(end)
    if sure and (glued or not taken):
        return glued or text.isalnum()
    if word == "." and not glued and not reading.glued(first + 1):
        return False  # the end of a sentence
    if text == word and len(text) > 1 and text.replace("'", "").isalpha():
        return _is_part(text, taken)
    return not (text in ("a", "i") and text == word) or _spells(scene, first, taken)


def _is_part(text: str, taken: list[tuple[str, int, int]]) -> bool:
    """Whether a word is a part of the address and not of the sentence around it: a sign ties it, or it is a name."""
    known, after = _words(), taken[0][0] if taken else ""
    if text in known["never"]:
        return False
    if not taken or after in _TIES:
        return text not in known["hardly"] or bool(taken)
    return text in given_names() and (len(taken) <= 3 or after.isdigit())


def _spells(scene: Scene, first: int, taken: list[tuple[str, int, int]]) -> bool:
    """Whether the letter a or i stands among letters or at a sign, and is no word of its own."""
    after = taken[0][0] if taken else ""
    return len(after) <= 1 or after in _TIES or len(scene.reading.token(first - 1)) == 1
