"""Names of persons, by what is said around them: "my name is ...", "this is ... speaking", "my daughter ..."."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import yaml

from voicebot.brain.guardrails.pii import known_names
from voicebot.brain.guardrails.pii.letters import spelled
from voicebot.brain.guardrails.pii.scene import Private, Scene
from voicebot.brain.guardrails.reading import fold

LONGEST = 4
"""Words in a name."""
_TITLES = frozenset("mr mrs ms miss mister misses missus herr frau senor senora monsieur madame signor signora".split())
_STAFF = frozenset("with dr doctor nurse professor by see seeing mit bei con avec doktor dottore met".split())
_GREETINGS = frozenset("yes hi hello yeah um uh sure hey morning afternoon evening there oh ok okay day".split())
_ON_WHAT = frozenset(
    "reservation booking account card order appointment file policy patient child guest caller cardholder passenger "
    "son daughter husband wife it insurance record ticket invoice prescription tenant".split()
)
_OF = frozenset({"on", "for", "of", "under"})
_AHEAD = frozenset((":", "-", ",", "uh", "um", '"', "=", ".", "spelled", "spelt", "like"))
_GOES_ON = frozenset("speaking calling here from and i i'm and's again by on".split())
Saying = tuple[str, ...]


@lru_cache(maxsize=1)
def _sayings() -> dict[str, dict[str, tuple[Saying, ...]]]:
    """Strength -> first word -> the sayings before a name, the longest first."""
    data: dict[str, list[str]] = yaml.load((resources.files(__package__) / "names.yaml").read_bytes(), yaml.CSafeLoader)
    book: dict[str, dict[str, list[Saying]]] = {}
    for strength, sayings in data.items():
        for saying in sorted((tuple(fold(each).split()) for each in sayings), key=len, reverse=True):
            book.setdefault(strength, {}).setdefault(saying[0], []).append(saying)
    return {strength: {word: tuple(found) for word, found in words.items()} for strength, words in book.items()}


@dataclass(frozen=True)
class _Name:
    words: tuple[str, ...]
    first: int
    end: int


def find(scene: Scene) -> Iterator[Private]:
    """Each name once, by its strongest sign."""
    if scene.side == "agent":
        return  # it names itself and its colleagues; the caller's own name it may say
    place = 0
    while place < len(scene.reading):
        name, score = _at(scene, place)
        if name is None:
            place += 1
            continue
        yield scene.private("name", " ".join(name.words).title(), name.first, name.end, score)
        yield from _spelled_after(scene, name)
        place = name.end
    if "name" in scene.asked:
        yield from _answer(scene)
    if {"name", "surname", "spelled", "spelt", "spell"}.intersection(scene.reading.tokens):
        yield from _spelled_anywhere(scene)


def _at(scene: Scene, place: int) -> tuple[_Name | None, float]:
    for strength, score in (("strong", 0.95), ("weak", 0.8), ("relation", 0.75)):
        after = _after_saying(scene, place, strength)
        if after and (name := _name(scene, after)):
            if strength == "strong" and not _is_taken_back(scene, name):
                return name, score
            if (strength == "weak" and _is_person(scene, name)) or (
                strength == "relation" and _is_relative(scene, name)
            ):
                return name, score
    if scene.side == "caller" and (name := _full_name(scene, place) or _named_before(scene, place)):
        return name, 0.7
    return None, 0.0


def _after_saying(scene: Scene, place: int, strength: str) -> int:
    """The token after the saying that begins here; 0 when none does."""
    tokens = scene.reading.tokens
    for saying in _sayings()[strength].get(tokens[place], ()):
        if tuple(tokens[place : place + len(saying)]) == saying:
            return _past_pause(scene, place + len(saying))
    if strength == "strong" and tokens[place] in ("name", "names") and scene.reading.token(place + 1) in _OF:
        verbs = (at for at in range(place + 2, place + 7) if scene.reading.token(at) in ("is", "it's", "was"))
        verb = next(verbs, 0)
        person = _ON_WHAT.intersection(tokens[place + 2 : verb])
        return _past_pause(scene, verb + 1) if person else 0
    return 0


def _past_pause(scene: Scene, place: int) -> int:
    """Past titles, signs and "spelled" ahead of a name; 0 at the end of a sentence."""
    while (word := scene.reading.token(place)) in _AHEAD or word in _TITLES:
        if word == "." and scene.reading.token(place - 1) not in _TITLES:
            return 0
        place += 1
    return place


def _name(scene: Scene, first: int) -> _Name | None:
    """The words of a name from here on; spelled letters are one word of it."""
    reading, words, place = scene.reading, list[str](), first
    stop = known_names.no_names()
    while place < len(reading) and len(words) < LONGEST:
        word = reading.tokens[place]
        letters = spelled(scene.dictation, place, least=2 if words else 3)
        if letters:
            words.append(letters.text)
            place = letters.end
            continue
        hyphen = word in "-." and words and reading.glued(place) and reading.token(place + 1).isalpha()
        initial = word == "." and bool(words) and len(words[-1]) == 1
        if hyphen or initial:
            place += 1
            continue
        if (
            not word[0].isalpha()
            or (words and reading.new_line(place))
            or (word in stop and not _is_particle(reading.token(place), words))
        ):
            break
        words.append(word)
        place += 1
    while words and words[-1] in known_names.particles():
        words.pop()
        place -= 1
    initials = bool(words) and len(words[0]) == 1
    return _Name(tuple(words), first, place) if words and (not initials or len(words[-1]) > 2) else None


def _is_particle(word: str, words: list[str]) -> bool:
    return bool(words) and word in known_names.particles()


def _is_taken_back(scene: Scene, name: _Name) -> bool:
    """ "the name is fine", "my name is on the list": the words are no name."""
    return len(name.words) == 1 and name.words[0] in known_names.no_names()


def _is_known(word: str) -> bool:
    return word in known_names.given_names() and word not in known_names.words_too()


def _is_relative(scene: Scene, name: _Name) -> bool:
    """ "my wife grace will ..." is a person, "my son will be late" is none."""
    return name.words[0] in known_names.given_names() and not (
        name.words[0] in ("will", "may") and scene.reading.token(name.first + 1) not in ("will", "may", "is", "has", "")
    )


def _is_person(scene: Scene, name: _Name) -> bool:
    """After "this is" or "I'm": a name that is known, or a stranger's that goes on like one ("... speaking")."""
    title = scene.reading.token(name.first - 1) in _TITLES or scene.reading.token(name.first - 2) in _TITLES
    goes_on = scene.reading.token(name.end) in _GOES_ON
    speaks = scene.reading.token(name.end) in ("speaking", "calling", "here")
    if _is_known(name.words[0]) or title:
        return True
    if scene.reading.token(name.first - 1) == "under" and name.words[-1] in known_names.family_names():
        return True
    ends = name.end >= len(scene.reading) or scene.reading.token(name.end) in ".,!?;"
    if name.words[0] in known_names.words_too():
        return len(name.words) > 1 or goes_on or ends
    if name.words[-1] in known_names.family_names() and len(name.words) > 1:
        return True
    return speaks and len(name.words) <= 3


def _full_name(scene: Scene, place: int) -> _Name | None:
    """A given and a family name side by side, but not those of the staff ("with doctor anna park")."""
    tokens = scene.reading.tokens
    given, family = tokens[place], scene.reading.token(place + 1)
    if given not in known_names.given_names() or family not in known_names.family_names() or given == family:
        return None
    before = tokens[max(0, place - 2) : place]
    if _STAFF.intersection(before) or given in known_names.words_too() or scene.reading.token(place - 1) == "the":
        return None
    if scene.reading.token(place + 2) in (
        "street",
        "avenue",
        "road",
        "drive",
        "lane",
        "center",
        "hotel",
        "school",
        "'",
    ):
        return None
    return _Name((given, family), place, place + 2)


def _named_before(scene: Scene, place: int) -> _Name | None:
    """ "emma klein, that's my name", "sarah speaking": the sign stands behind a name that begins the sentence."""
    if place and scene.reading.token(place - 1) not in (*_GREETINGS, ".", ","):
        return None
    name = _name(scene, place)
    if name is None or len(name.words) > 3:
        return None
    if len(name.words) > 1 and name.words[0] == name.words[1]:  # "leah l e a h"
        return name
    after = [each for each in scene.reading.tokens[name.end : name.end + 6] if each.isalpha() or "'" in each]
    if after[:3] in (["that's", "my", "name"], ["is", "my", "name"]) or after[:4] == ["that", "is", "my", "name"]:
        return name
    if after[:1] in (["speaking"], ["here"]) and name.words[0] in known_names.given_names():
        return name
    return name if after[:1] == ["calling"] and _is_known(name.words[0]) else None


def _spelled_after(scene: Scene, name: _Name) -> Iterator[Private]:
    """ "... that's s m i t h", right behind a name."""
    for place in range(name.end, min(name.end + 6, len(scene.reading))):
        if letters := spelled(scene.dictation, place):
            yield scene.private("name", letters.text.title(), letters.first, letters.end, 0.8)
            return
        if (
            known_names.given_names().isdisjoint({scene.reading.tokens[place]})
            and scene.reading.tokens[place].isdigit()
        ):
            return


def _spelled_anywhere(scene: Scene) -> Iterator[Private]:
    """Words that are spelled where a name is spoken of."""
    place = 0
    while place < len(scene.reading):
        letters = spelled(scene.dictation, place, least=4)
        if letters:
            yield scene.private("name", letters.text.title(), letters.first, letters.end, 0.7)
        place = letters.end if letters else place + 1


def _answer(scene: Scene) -> Iterator[Private]:
    """The bare words of someone who was asked for a name."""
    words = [place for place in scene.reading.words if scene.reading.tokens[place] not in known_names.no_names()]
    if not words:
        return
    name = _name(scene, words[0])
    if name and scene.is_bare(name.first, name.end):
        yield scene.private("name", " ".join(name.words).title(), name.first, name.end, 0.8)
