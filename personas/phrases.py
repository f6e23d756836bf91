"""How a caller puts things: a phrasing for each occasion, and facts in the caller's own words, the first time perhaps
wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .dice import Dice
from .persona import PLACE, Persona


@dataclass(frozen=True)
class Slip:
    """Something said wrong that the caller has yet to put right."""

    fact: str
    wrong: str


class Phrases:
    """One caller's words in one call. Every occasion and every fact throws dice of its own."""

    def __init__(self, persona: Persona, dice: Dice) -> None:
        self._persona = persona
        self._says = persona.understanding.says
        self._dice = dice
        self._used: dict[str, list[str]] = {}
        self._taken: dict[str, str] = {}
        """Alternatives that were taken, in the agent's words."""
        self._slipped = False
        self.owes: Slip | None = None

    def has(self, occasion: str) -> bool:
        """Whether there is anything to say then."""
        return any(self._can_say(text, ()) for text in self._says.get(occasion, []))

    def phrase(self, occasion: str, given: Mapping[str, str] | None = None, *, plainly: bool = False) -> str:
        """A phrasing not used before, where there is one; `plainly` takes the shortest. `given` are words for places
        that are no facts."""
        possible = [text for text in self._says.get(occasion, []) if self._can_say(text, given or {})]
        used = self._used.setdefault(occasion, [])
        fresh = [text for text in possible if text not in used] or possible
        if not fresh:
            raise LookupError(f"persona '{self._persona.name}' has no phrase for '{occasion}' that fits its facts")
        text = min(fresh, key=len) if plainly else self._dice.of(f"phrase/{occasion}").choice(fresh)
        used.append(text)
        return self._filled(text, given or {}, self.plainly if plainly else self._first)

    def take(self, fact: str, words: str) -> None:
        """From now on the caller puts `fact` like this."""
        self._taken[fact] = words

    def fact(self, fact: str) -> str:
        """One of the caller's ways to put it."""
        return self._taken.get(fact) or self._dice.of(f"fact/{fact}").choice(self._persona.facts[fact].spoken)

    def plainly(self, fact: str) -> str:
        """The first of the caller's ways to put it, for when it went wrong before."""
        return self._taken.get(fact) or self._persona.facts[fact].spoken[0]

    def _first(self, fact: str) -> str:
        """A fact as it comes out of this caller's mouth: the first time, perhaps wrong."""
        habit = self._persona.temperament.corrects
        wrongs = [] if self._slipped else self._persona.wrong_first(fact)
        if habit is None or not wrongs:
            return self.fact(fact)
        self._slipped = True
        dice = self._dice.of("corrects")
        wrong, right = dice.choice(wrongs), self.fact(fact)
        if habit.within == "same_turn" or (habit.within == "either" and dice.random() < 0.5):
            return self.phrase("correct_at_once", {"wrong": wrong, "right": right}).rstrip(".")
        self.owes = Slip(fact, wrong)
        return wrong

    def _can_say(self, text: str, given: Iterable[str]) -> bool:
        return {*PLACE.findall(text)} <= {*given, *self._persona.facts}

    def _filled(self, text: str, given: Mapping[str, str], fact: Callable[[str], str]) -> str:
        return PLACE.sub(lambda place: given.get(place[1]) or fact(place[1]), text)
