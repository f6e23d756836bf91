"""What a simulated caller answers: from the words that were heard to the words to say. No audio, no time.

The caller is careful, as people are: it answers what was asked, checks every fact of a confirmation against what it
knows, says yes only when all of them are right, and takes an alternative only when its wish cannot be had.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from . import facts, offers
from .domain import Heard
from .facts import Mention
from .persona import PLACE, Persona

_EXACT = ("day", "time")
"""Kinds of facts whose meaning says more than the persona's own word: 'thursday' is one certain date."""


@dataclass(frozen=True)
class Move:
    """What to say, and whether that is the end."""

    say: str
    hang_up: bool = False


class Mind:
    """One caller's side of one conversation. All choices come from `rng`."""

    def __init__(self, persona: Persona, rng: random.Random, today: date) -> None:
        self._persona = persona
        self._domain = persona.understanding
        self._rng = rng
        self._today = today
        rules = self._domain.facts
        self._own = {
            name: facts.meaning(rules[name].kind, fact.value, today=today) for name, fact in persona.facts.items()
        }
        self._taken: dict[str, str] = {}
        self._used: dict[str, list[str]] = {}
        self._pending: str | None = None
        """The question answered last."""
        self._heard = ""
        """The words it was asked in."""
        self._put_off: str | None = None
        """The question that waits until the digression is over."""
        self._last: tuple[str, dict[str, str]] = ("opening", {})
        self._wrong: dict[str, Mention] = {}
        self._owes: tuple[str, str] | None = None
        self._corrected = self._digressed = self._opened = self._done = False
        self._answers = 0
        self.lost: list[str] = []
        """Every misunderstanding, in words."""

    @property
    def wants(self) -> dict[str, str]:
        """The facts as they must come out, alternatives taken included: a weekday as its date, times as HH:MM.

        A fact that may be either of two values (today's weekday: today or in a week) is as the persona has it.
        """
        return {
            fact: next(iter(self._own[fact])) if len(self._own[fact]) == 1 and known.kind in _EXACT else said.value
            for fact, said in self._persona.facts.items()
            for known in [self._domain.facts[fact]]
        }

    @property
    def content(self) -> bool:
        """The caller believes to have got what it wanted."""
        return self._done

    def answer(self, heard_text: str) -> Move | None:
        """What to say to all that was heard since the caller last spoke; None to go on listening."""
        heard = self._domain.listen(heard_text, self._today)
        question = heard.question
        if "goodbye" in heard.remarks and question is None:
            return Move(self._phrase("goodbye"), hang_up=True)
        self._done = self._done or ("done" in heard.remarks and question != "confirms")
        if self._is_lost(heard, question):
            return Move(self._phrase("give_up"), hang_up=True)
        if question is None:
            return self._unasked(heard)
        digression = self._digress(question)
        if digression:
            return digression
        self._pending, self._put_off, self._heard = question, None, heard.text
        self._answers += 1
        return self._own_matter(question) or self._reply(question, heard)

    def interrupts(self, so_far: str) -> bool:
        """Whether the caller has heard enough of a sentence to cut it short."""
        habit = self._persona.temperament.interrupts
        heard = self._domain.listen(so_far, self._today)
        if habit is None or heard.question not in habit.at:
            return False
        return heard.question != "confirms" or bool(self._contradictions(heard))

    def silence(self) -> Move:
        """The agent has said nothing for too long."""
        self.lost.append("silence")
        if self._out_of_patience:
            return Move(self._phrase("give_up"), hang_up=True)
        return Move(self._phrase("nobody_there"))

    def backchannel(self) -> str:
        return self._phrase("backchannel")

    @property
    def _out_of_patience(self) -> bool:
        return len(self.lost) > self._persona.temperament.patience

    def _is_lost(self, heard: Heard, question: str | None) -> bool:
        """Count a misunderstanding; True when it was one too many."""
        if "not_understood" in heard.remarks:
            self.lost.append("not understood")
        elif question and question == self._pending and (question.startswith("asks ") or heard.text == self._heard):
            self.lost.append(f"asked again: {question}")
        else:
            return False
        return self._out_of_patience

    def _unasked(self, heard: Heard) -> Move | None:
        if "not_understood" in heard.remarks:
            return self.again()
        if heard.remarks & {"wait", "hands_over", "done"}:
            return None
        if self._put_off:
            return self._reply(self._put_off, heard)
        self.lost.append(f"makes no sense: {heard.text}")
        return Move(self._phrase("give_up"), hang_up=True) if self._out_of_patience else Move(self._phrase("confused"))

    def again(self) -> Move:
        """The last words in another way."""
        key, given = self._last
        return Move(self._phrase(key, given, plainly=True))

    def _digress(self, question: str) -> Move | None:
        digression = self._persona.temperament.digression
        if digression is None or self._digressed or question != digression.at:
            return None
        self._digressed = True
        self._put_off = question
        return Move(self._rng.choice(digression.ask))

    def _own_matter(self, question: str) -> Move | None:
        """What the caller says whatever was asked: a correction that is due, the wish for a person."""
        if self._owes:
            fact, wrong = self._owes
            self._owes = None
            return Move(self._remember("correct_late", {"right": self._plainly(fact), "wrong": wrong}))
        human = self._persona.temperament.wants_human
        if human is None or self._answers <= human.after_answers or question == "offers_person":
            return None
        if self._last[0] == "human":
            self.lost.append("no person")
            if self._out_of_patience:
                return Move(self._phrase("give_up"), hang_up=True)
        return Move(self._remember("human"))

    def _reply(self, question: str, heard: Heard) -> Move:
        if self._done and question not in ("anything_else", "still_there"):
            return Move(self._phrase("goodbye"), hang_up=True)
        fact = question.removeprefix("asks ")
        match question:
            case "confirms" if "unavailable" not in heard.remarks:
                return self._check(heard)
            case "spells":
                return self._spell(heard)
            case "which":
                return self._pick(heard)
            case "offers" | "confirms":
                return self._choose(heard)
            case "changes" if self._wrong:
                return self._object(self._wrong)
            case "anything_else" if self._done:
                return self._check_done(heard)
            case "still_there":
                return Move(f"{self._phrase('still_here')} {self.again().say}")
            case "offers_person":
                return Move(self._remember("yes"))
            case _ if fact != question:
                return self._give(fact, plainly="not_understood" in heard.remarks)
        return self._open()

    def _open(self) -> Move:
        if self._opened:
            self.lost.append("has to start again")
        self._opened = True
        return Move(self._remember("opening"))

    def _give(self, fact: str, *, plainly: bool) -> Move:
        if fact not in self._own:
            return Move(self._remember("decline"))
        return Move(self._remember(fact, plainly=plainly))

    def _check(self, heard: Heard) -> Move:
        if any(re.search(pattern, heard.text) for pattern in self._persona.refuses):
            self.lost.append("wrong matter")
            return Move(self._remember("refuse"))
        self._wrong = self._contradictions(heard)
        if not self._wrong:
            return Move(self._remember("right" if re.search(r"\b(right|correct)\b", heard.text) else "yes"))
        self.lost.append("wrong: " + ", ".join(f"{fact} {mention.text}" for fact, mention in self._wrong.items()))
        return self._object(self._wrong)

    def _check_done(self, heard: Heard) -> Move:
        """The last chance to find a mistake, in what the agent says it has done."""
        wrong = self._contradictions(heard) if "done" in heard.remarks else {}
        if not wrong:
            return Move(self._remember("nothing_else"))
        self._done = False
        self.lost.append("done wrong: " + ", ".join(f"{fact} {mention.text}" for fact, mention in wrong.items()))
        return self._object(wrong)

    def _object(self, wrong: Mapping[str, Mention]) -> Move:
        right = ", ".join(self._plainly(fact) for fact in wrong)
        heard = ", ".join(mention.text for mention in wrong.values())
        return Move(self._remember("correct", {"right": right, "wrong": heard}))

    def _contradictions(self, heard: Heard) -> dict[str, Mention]:
        """Facts of which something was said, and nothing that can be right."""
        wrong = {}
        for fact, own in self._own.items():
            said = heard.mentions(fact)
            if said and not any(own & mention.values for mention in said):
                wrong[fact] = said[-1]
        return wrong

    def _spell(self, heard: Heard) -> Move:
        """A name letter by letter, unless the agent has just said it right."""
        names = [fact for fact in self._own if self._domain.facts[fact].kind == "name"]
        if not names:
            return self.again()
        if any(self._own[fact] & mention.values for fact in names for mention in heard.mentions(fact)):
            return Move(self._remember("right"))
        parts = self._persona.facts[names[0]].value.split()
        wanted = (
            parts[:1]
            if "1st name" in heard.text
            else parts[1:]
            if re.search("(last|family) name", heard.text)
            else parts
        )
        return Move(self._remember("spell", {"letters": ", ".join(" ".join(part.lower()) for part in wanted)}))

    def _pick(self, heard: Heard) -> Move:
        """Which of them was it? The one that is right, where there is one."""
        said = {fact: heard.mentions(fact) for fact in self._own}
        right = [fact for fact, own in self._own.items() if any(own & mention.values for mention in said[fact])]
        if right:
            return Move(self._remember("accept", {"offer": " at ".join(self._say(fact) for fact in right)}))
        wrong = self._contradictions(heard)
        return self._object(wrong) if wrong else self.again()

    def _choose(self, heard: Heard) -> Move:
        """An answer to an offer: what was wished for where it is among the options, else what suits best."""
        offered = {fact: heard.mentions(fact, offered=True) for fact in self._own}
        option = offers.choose(
            {fact: mentions for fact, mentions in offered.items() if mentions},
            {fact: self._domain.facts[fact].kind for fact in self._own},
            self._own,
            self._persona.temperament.alternatives,
        )
        if not option:
            return self.again()
        for fact, mention in option.items():
            if not self._own[fact] & mention.values:
                self._own[fact] = offers.meant(mention, self._own[fact])
                self._taken[fact] = mention.text
        return Move(self._remember("accept", {"offer": " at ".join(self._say(fact) for fact in option)}))

    def _say(self, fact: str) -> str:
        """One of the caller's ways to put a fact; an alternative in the agent's own words."""
        return self._taken.get(fact) or self._rng.choice(self._persona.facts[fact].spoken)

    def _plainly(self, fact: str) -> str:
        """The first of the caller's ways to put a fact, for when it went wrong before."""
        return self._taken.get(fact) or self._persona.facts[fact].spoken[0]

    def _remember(self, key: str, given: Mapping[str, str] | None = None, *, plainly: bool = False) -> str:
        """The phrase, kept as what to repeat when it was not understood."""
        self._last = (key, dict(given or {}))
        return self._phrase(key, given, plainly=plainly)

    def _phrase(self, key: str, given: Mapping[str, str] | None = None, *, plainly: bool = False) -> str:
        """A phrasing of `key` not used before, where there is one; `plainly` takes the shortest."""
        every = self._domain.says.get(key, [])
        possible = [text for text in every if self._can_say(text, given or {})]
        used = self._used.setdefault(key, [])
        fresh = [text for text in possible if text not in used] or possible
        if not fresh:
            raise LookupError(f"persona '{self._persona.name}' has no phrase for '{key}' that fits its facts")
        text = min(fresh, key=len) if plainly else self._rng.choice(fresh)
        used.append(text)
        return self._fill(text, given or {}, self._plainly if plainly else self._fact)

    def _can_say(self, text: str, given: Iterable[str]) -> bool:
        return {*PLACE.findall(text)} <= {*given, *self._own}

    def _fill(self, text: str, given: Mapping[str, str], fact: Callable[[str], str]) -> str:
        return PLACE.sub(lambda place: given.get(place[1]) or fact(place[1]), text)

    def _fact(self, fact: str) -> str:
        """A fact as it comes out of this caller's mouth: the first time, perhaps wrong."""
        habit = self._persona.temperament.corrects
        if habit is None or self._corrected or fact != habit.fact:
            return self._say(fact)
        self._corrected = True
        wrong, right = self._rng.choice(habit.first), self._say(fact)
        at_once = habit.within == "same_turn" or (habit.within == "either" and self._rng.random() < 0.5)
        if at_once:
            return self._phrase("correct_at_once", {"wrong": wrong, "right": right}).rstrip(".")
        self._owes = (fact, wrong)
        return wrong


def _asked_parts(name: list[str], question: str) -> list[str]:
    if "1st name" in question:
        return name[:1]
    return name[1:] if re.search(r"(last|family) name", question) else name
