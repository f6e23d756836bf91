"""The private data of one call: what was found, what stands for it, and the number that somebody is still dictating."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache, partial

from voicebot.agent.guardrails import PII_KINDS, Pii, PiiKind
from voicebot.brain.guardrails.pii import known_names, telephones
from voicebot.brain.guardrails.pii.cues import Cues
from voicebot.brain.guardrails.pii.finding import find
from voicebot.brain.guardrails.pii.numbers import Run, numerals
from voicebot.brain.guardrails.pii.scene import REGIONS, Private, Scene, Side, Tail
from voicebot.brain.guardrails.reading import Reading
from voicebot.brain.guardrails.refusals import wording
from voicebot.brain.guardrails.vault import PLACEHOLDER, Origin, Vault, disarm

OLDEST_TAIL = 3
"""Turns after which a number is no longer taken up where it was left."""
LONGEST_TAIL = 20
"""Digits."""
LEAST_MASKED = 3
"""Digits in a row that are masked in an interim transcript."""
MASK = "[...]"
_PUBLIC = frozenset({"phone", "email", "address", "name", "birth_date"})
"""Kinds that knowledge may hold of the firm itself; a card in it is still private."""
_SENSITIVE: frozenset[PiiKind] = frozenset({"card", "ssn", "iban"})
"""Of these the agent says at most the last four characters."""
_REQUESTS = frozenset(
    "may what what's whats which could can please tell give spell your need have provide confirm repeat enter say wie "
    "welche cual quel quelle qual welk ihre su votre".split()
)


class Privacy:
    """Finds and replaces private data as configured. `own` are texts of the firm: numbers in them are public."""

    def __init__(self, settings: Pii, language: str, own: Sequence[str] = ()) -> None:
        base, _, country = language.partition("-")
        self._settings = settings
        self._numerals = numerals(base)
        regions = REGIONS.get(base, REGIONS["en"])
        self._regions = (
            (country.upper(), *(each for each in regions if each != country.upper())) if country else regions
        )
        telephones.load(self._regions)
        self._wording = wording(base)
        self._language = language
        self._own = tuple(own)
        self._asked: frozenset[str] = frozenset()
        self._tails = dict.fromkeys(("caller", "agent", "record"), Tail())
        self._last_turn = ("", Tail())
        """The caller's last turn, and the tail before it."""
        self.vault = Vault()

    @cached_property
    def _public(self) -> set[str]:
        """What anybody may know. Looked for when it is first asked for: the firm's texts may be long."""
        keep = tuple(self._settings.keep)
        return {_plain(each) for each in keep} | _values_in((*self._own, *keep), self._language)

    def caller(self, text: str) -> list[Private]:
        """What is private in the caller's turn; it may end a number that was begun in an earlier one.

        A turn that only goes on where the last one seemed to be over takes its place.
        """
        said, before = self._last_turn
        goes_on = bool(said) and len(text) > len(said) and text.startswith(said)
        tail = before if goes_on else self._tails["caller"]
        self._last_turn = (text, tail)
        scene = self._scene(text, "caller", tail)
        found = self._found(scene, self._settings.kinds)
        self._tails["caller"] = _tail_after(scene, found)
        return found

    def results(self, text: str, *, public: bool) -> list[Private]:
        """What is private in a result; `public`: of the firm's own knowledge, where its numbers may be told."""
        found = self._found(self._scene(text, "results"), self._settings.kinds)
        if public:
            self._public.update(_plain(each.value) for each in found if each.kind in _PUBLIC)
            found = [each for each in found if each.kind not in _PUBLIC]
        return found

    def agent(self, clause: str) -> list[Private]:
        """What the agent must not say: what is private, was not told by the caller, and is not the firm's own."""
        scene = self._scene(clause, "agent", self._tails["agent"])
        self._asked = _asked(scene)
        if self._asked and self._tails["caller"].cue not in self._asked:
            self._tails["caller"] = Tail()  # the next number answers this question
        found = self._found(scene, self._settings.kinds)
        self._tails["agent"] = _tail_after(scene, found)
        return [each for each in found if each.kind in _SENSITIVE or not self.vault.was_told(each.kind, each.value)]

    def agent_begins(self) -> None:
        """A new reply: nothing has been asked in it yet."""
        self._asked = frozenset()

    @property
    def asked(self) -> frozenset[str]:
        """The kinds of private data that the agent has just asked for."""
        return self._asked

    def hidden(self, text: str, found: Iterable[Private], *, by_caller: bool) -> str:
        """The text with placeholders for what was found."""
        stand_in = partial(self._placeholder, "caller" if by_caller else "results")
        return _replaced(text, found, stand_in, between=disarm)

    def _placeholder(self, origin: Origin, found: Private) -> str:
        return self.vault.placeholder(found.kind, found.value, origin)

    def heard(self, text: str) -> str:
        """What the agent was heard to say with placeholders for private data again."""
        found = self._found(self._scene(text, "results"), _SENSITIVE)
        return self.vault.hide(self.hidden(text, found, by_caller=False))

    def withheld(self, text: str, found: Iterable[Private]) -> str:
        """The text with a word that can be spoken for what was found."""
        return _replaced(text, found, lambda _: self._wording["withheld"])

    def spoken(self, clause: str) -> str:
        """A clause of the model in words for the caller: placeholders become what the caller has told, of cards and the
        like the last four characters; what others have told is withheld."""

        def say(kind: PiiKind, value: str, told: bool) -> str:
            if kind in _SENSITIVE:
                return f"{self._wording['ending']} {' '.join(value[-4:])}"
            return value if told or kind == "name" else self._wording["withheld"]

        def put(match_text: str, known: tuple[PiiKind, str, bool] | None) -> str:
            return say(*known) if known else match_text

        return PLACEHOLDER.sub(lambda match: put(match[0], self.vault.find(match)), clause) if "[" in clause else clause

    def record(self, text: str, *, interim: bool) -> str:
        """What may be kept. An interim transcript may be the beginning of anything, so more of it is masked."""
        scene = self._scene(text, "caller", self._tails["record"])
        found = self._found(scene, self._settings.kinds)
        if interim:
            return _replaced(text, _merged([*found, *_beginnings(scene)]), lambda _: MASK)
        self._tails["record"] = _tail_after(scene, found)
        # What was told in this call is private wherever it turns up: in what a tool says of its arguments, for one.
        return self.vault.hide(self.hidden(text, found, by_caller=False), but=_words())

    def _scene(self, text: str, side: Side, tail: Tail = Tail()) -> Scene:  # noqa: B008 - a tail is frozen
        asked = self._asked if side == "caller" else frozenset[str]()
        return Scene(Reading(text), self._numerals, self._regions, side, asked, tail)

    def _found(self, scene: Scene, kinds: Collection[PiiKind]) -> list[Private]:
        return [each for each in find(scene, kinds) if not self._is_public(each, scene)]

    def _is_public(self, found: Private, scene: Scene) -> bool:
        said = scene.reading.raw[found.start : found.end]
        return bool(self._public) and bool({_plain(found.value), _plain(said)} & self._public)


@lru_cache(maxsize=64)
def _values_in(texts: tuple[str, ...], language: str) -> frozenset[str]:
    """The telephone numbers and addresses in texts of the firm, found once a process."""
    base = language.partition("-")[0]
    values: set[str] = set()
    for text in texts:
        scene = Scene(Reading(text), numerals(base), REGIONS.get(base, REGIONS["en"]), "results")
        values.update(_plain(each.value) for each in find(scene, PII_KINDS) if each.kind in _PUBLIC)
    return frozenset(values)


@lru_cache(maxsize=1)
def _words() -> frozenset[str]:
    """Names that are words, too: "will" is not taken out of what else is said."""
    return known_names.words_too() | known_names.no_names()


def _plain(value: str) -> str:
    """A value without how it is written; a telephone number without its country."""
    kept = "".join(each for each in value.casefold() if each.isalnum())
    return kept[-10:] if kept.isdigit() else kept


def _replaced(
    text: str, found: Iterable[Private], stand_in: Callable[[Private], str], between: Callable[[str], str] = str
) -> str:
    """The text with something in place of each finding; `between` is applied to the rest."""
    parts, place = list[str](), 0
    for each in found:
        parts += [between(text[place : each.start]), stand_in(each)]
        place = each.end
    return "".join([*parts, between(text[place:])])


def _asked(scene: Scene) -> frozenset[str]:
    """The kinds of things that a clause of the agent asks for."""
    tokens = scene.reading.tokens
    if "?" not in tokens and not _REQUESTS.intersection(tokens):
        return frozenset()
    cues = Cues(scene.reading)
    asked = {cues.last} if cues.last else set()
    if "name" in tokens or ("who" in tokens and "speaking" in tokens):
        asked.add("name")
    if "address" in tokens and cues.last != "email":
        asked.add("address")
    return frozenset(asked)


def _tail_after(scene: Scene, found: Sequence[Private]) -> Tail:
    """The number with which a text ends, or the one from before while it is not too old."""
    runs = scene.runs
    last = runs[-1] if runs else None
    if last is None or not scene.is_at_the_end(last):
        older = replace(scene.tail, age=scene.tail.age + 1)
        return older if last is None and older.age <= OLDEST_TAIL else Tail()
    if _is_complete(scene, last, found):
        return Tail()
    before = scene.tail.pieces if last is runs[0] and scene.continues(last) else ()
    pieces = [*before, *(piece.digits for piece in last.pieces)]
    while sum(map(len, pieces)) > LONGEST_TAIL:
        pieces.pop(0)
    return Tail(tuple(pieces), scene.cue(last))


def _is_complete(scene: Scene, run: Run, found: Sequence[Private]) -> bool:
    start, end = scene.reading.starts[run.first], scene.reading.ends[run.end - 1]
    return any(each.start <= start and end <= each.end and each.score >= 1.0 for each in found)


def _beginnings(scene: Scene) -> list[Private]:
    """Runs of digits, and all that follows words that announce something private."""
    reading = scene.reading
    begun = [
        scene.private("phone", run.digits, run.first, run.end, 0.5)
        for run in scene.runs
        if len(run.digits) >= LEAST_MASKED
    ]
    announced = [place + 1 for kind in ("email", "birth", "iban", "ssn", "card") for place in scene.cues.places(kind)]
    if announced and min(announced) < len(reading):
        begun.append(scene.private("name", "", min(announced), len(reading), 0.5))
    return begun


def _merged(found: Iterable[Private]) -> list[Private]:
    """One for each stretch of what overlaps."""
    merged: list[Private] = []
    for each in sorted(found, key=lambda each: each.start):
        if merged and each.start <= merged[-1].end:
            merged[-1] = replace(merged[-1], end=max(merged[-1].end, each.end))
        else:
            merged.append(each)
    return merged
