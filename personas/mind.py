"""What a simulated caller answers by rules: from the words that were heard to the words to say. No audio, no time.

The caller is careful, as people are: it answers what was asked, checks every fact of a confirmation against what it
knows, says yes only when all of them are right, and takes an alternative only when its wish cannot be had.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from . import facts, offers
from .dice import Dice
from .domain import Heard
from .facts import Mention
from .persona import Persona
from .phrases import Phrases
from .temperament import ANY
from .words import Move

_EXACT = ("day", "time")
"""Kinds of facts whose meaning says more than the persona's own word: 'thursday' is one certain date."""


class Mind:
    """One caller's side of one conversation: the `Words` of a caller by rules."""

    pause_ms: float | None = None
    unprompted_ms: float | None = None
    cut_in_ms: float | None = None

    def __init__(self, persona: Persona, dice: Dice, today: date) -> None:
        self._persona = persona
        self._manners = persona.temperament
        self._domain = persona.understanding
        self._phrases = Phrases(persona, dice)
        self._dice = dice
        self._today = today
        self._own = own_facts(persona, today)
        self._pending: str | None = None
        """The question answered last."""
        self._heard = ""
        """The words it was asked in."""
        self._put_off: str | None = None
        """The question that waits until the digression is over."""
        self._let_pass: str | None = None
        """The question that is not cut short this time."""
        self._last: tuple[str, dict[str, str]] = ("opening", {})
        self._wrong: dict[str, Mention] = {}
        self._refused: dict[str, int] = {}
        self._opened = self._done = False
        self._answers = self._cuts = self._digressions = 0
        self.lost: list[str] = []
        """Every misunderstanding, in words."""

    @property
    def wants(self) -> dict[str, str]:
        """The facts as they must come out, alternatives taken included."""
        return _as_kept(self._persona, self._own)

    @property
    def content(self) -> bool:
        """The caller believes to have got what it wanted."""
        return self._done

    async def answer(self, heard: str, *, cutting_in: bool = False) -> Move | None:
        """What to say to all that was heard since the caller last spoke; None to go on listening."""
        self._cuts += cutting_in
        self._let_pass = None
        return self._answer(self._domain.listen(heard, self._today))

    def cuts_in(self, heard: str, clause: str) -> bool:
        """Whether the caller has heard enough of a sentence to cut it short."""
        habit = self._manners.interrupts
        if habit is None or self._cuts >= habit.times or len(clause.split()) < habit.after_words:
            return False
        listened = self._domain.listen(heard, self._today)
        question = listened.question
        if not habit.meets(question) or question == self._let_pass:
            return False
        if question == "confirms" and not self._contradictions(listened):
            return False
        if not self._dice.falls("interrupts at all", habit.chance):
            self._let_pass = question
            return False
        return True

    async def silence(self) -> Move:
        """The agent has said nothing for too long."""
        self.lost.append("silence")
        return self._give_up() if self._out_of_patience else Move(self._phrases.phrase("nobody_there"))

    async def again(self) -> Move:
        return self._again()

    def _answer(self, heard: Heard) -> Move | None:
        question = heard.question
        if "goodbye" in heard.remarks and question is None:
            return Move(self._phrases.phrase("goodbye"), hang_up=True)
        self._done = self._done or ("done" in heard.remarks and question != "confirms")
        if self._is_lost(heard, question):
            return self._give_up()
        if question is None:
            return self._unasked(heard)
        digression = self._digress(question)
        if digression:
            return digression
        self._pending, self._put_off, self._heard = question, None, heard.text
        self._answers += 1
        return self._own_matter(question) or self._reply(question, heard)

    @property
    def _out_of_patience(self) -> bool:
        return len(self.lost) > self._manners.patience

    def _give_up(self) -> Move:
        return Move(self._phrases.phrase("give_up"), hang_up=True, confused=True)

    def _is_lost(self, heard: Heard, question: str | None) -> bool:
        """Count a misunderstanding; True when it was one too many."""
        if "not_understood" in heard.remarks:
            self.lost.append("not understood")
        elif question and question == self._pending and self._asked_in_vain(question, heard):
            self.lost.append(f"asked again: {question}")
        else:
            return False
        return self._out_of_patience

    def _asked_in_vain(self, question: str, heard: Heard) -> bool:
        """Whether this question, asked a second time, had got its answer."""
        if self._last[0] == "decline" and question.removeprefix("asks ") in self._refused:
            return False
        return question.startswith("asks ") or heard.text == self._heard

    def _unasked(self, heard: Heard) -> Move | None:
        if "not_understood" in heard.remarks:
            return self._again()
        if heard.remarks & {"wait", "hands_over", "done"}:
            return None
        if self._put_off:
            return self._reply(self._put_off, heard)
        self.lost.append(f"makes no sense: {heard.text}")
        return self._give_up() if self._out_of_patience else Move(self._phrases.phrase("confused"), confused=True)

    def _again(self) -> Move:
        """The last words in another way."""
        occasion, given = self._last
        return Move(self._phrases.phrase(occasion, given, plainly=True))

    # -- what the caller says whatever was asked ---------------------------------------------------------------------

    def _digress(self, question: str) -> Move | None:
        digression = self._manners.digression
        if digression is None or self._digressions >= digression.times or not digression.meets(question):
            return None
        if self._put_off or self._done:
            return None
        self._digressions += 1
        self._put_off = question
        return Move(self._dice.of("digression").choice(digression.ask))

    def _own_matter(self, question: str) -> Move | None:
        """A correction that is due, no time for more, the wish for a person."""
        if slip := self._phrases.owes:
            self._phrases.owes = None
            return self._say("correct_late", {"right": self._phrases.plainly(slip.fact), "wrong": slip.wrong})
        if (hurry := self._manners.hangs_up) and self._answers > hurry.after_answers and not self._done:
            return Move(self._phrases.phrase("no_time"), hang_up=True)
        human = self._manners.wants_human
        if human is None or self._answers <= human.after_answers or question == "offers_person":
            return None
        if self._last[0] == "human":
            self.lost.append("no person")
            if self._out_of_patience:
                return self._give_up()
        return self._say("human")

    # -- answers -----------------------------------------------------------------------------------------------------

    def _reply(self, question: str, heard: Heard) -> Move:
        if self._done and question not in ("anything_else", "still_there"):
            return Move(self._phrases.phrase("goodbye"), hang_up=True)
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
                return Move(f"{self._phrases.phrase('still_here')} {self._again().say}")
            case "offers_person":
                return self._say("yes")
            case _ if fact != question:
                return self._give(fact, plainly="not_understood" in heard.remarks)
        return self._open()

    def _open(self) -> Move:
        if self._opened:
            self.lost.append("has to start again")
        self._opened = True
        return self._say("opening")

    def _give(self, fact: str, *, plainly: bool) -> Move:
        if fact not in self._own or self._withholds(fact):
            return self._say("decline")
        return self._say(fact, plainly=plainly)

    def _withholds(self, fact: str) -> bool:
        habit = self._manners.refuses_to_give
        if habit is None or (habit.fact != ANY and habit.fact != fact):
            return False
        if habit.fact == ANY and self._refused and fact not in self._refused:
            return False
        self._refused[fact] = self._refused.get(fact, 0) + 1
        return self._refused[fact] <= habit.times

    def _check(self, heard: Heard) -> Move:
        if any(re.search(pattern, heard.text) for pattern in self._persona.refuses):
            self.lost.append("wrong matter")
            return self._say("refuse")
        self._wrong = self._contradictions(heard)
        if not self._wrong:
            return self._say("right" if re.search(r"\b(right|correct)\b", heard.text) else "yes")
        self.lost.append("wrong: " + _told(self._wrong))
        return self._object(self._wrong)

    def _check_done(self, heard: Heard) -> Move:
        """The last chance to find a mistake, in what the agent says it has done."""
        wrong = self._contradictions(heard) if "done" in heard.remarks else {}
        if not wrong:
            return self._say("nothing_else")
        self._done = False
        self.lost.append("done wrong: " + _told(wrong))
        return self._object(wrong)

    def _object(self, wrong: Mapping[str, Mention]) -> Move:
        right = ", ".join(self._phrases.plainly(fact) for fact in wrong)
        heard = ", ".join(mention.text for mention in wrong.values())
        return self._say("correct", {"right": right, "wrong": heard})

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
            return self._again()
        if any(self._own[fact] & mention.values for fact in names for mention in heard.mentions(fact)):
            return self._say("right")
        parts = _asked_parts(self._persona.facts[names[0]].value.split(), heard.text)
        return self._say("spell", {"letters": ", ".join(" ".join(part.lower()) for part in parts)})

    def _pick(self, heard: Heard) -> Move:
        """Which of them was it? The one that is right, where there is one."""
        said = {fact: heard.mentions(fact) for fact in self._own}
        right = [fact for fact, own in self._own.items() if any(own & mention.values for mention in said[fact])]
        if right:
            return self._accept(right)
        wrong = self._contradictions(heard)
        return self._object(wrong) if wrong else self._again()

    def _choose(self, heard: Heard) -> Move:
        """An answer to an offer: what was wished for where it is among the options, else what suits best."""
        offered = {fact: heard.mentions(fact, offered=True) for fact in self._own}
        option = offers.choose(
            {fact: mentions for fact, mentions in offered.items() if mentions},
            {fact: self._domain.facts[fact].kind for fact in self._own},
            self._own,
            self._manners.alternatives,
        )
        if not option:
            return self._again()
        for fact, mention in option.items():
            if not self._own[fact] & mention.values:
                self._own[fact] = offers.meant(mention, self._own[fact])
                self._phrases.take(fact, mention.text)
        return self._accept(list(option))

    def _accept(self, offered: list[str]) -> Move:
        return self._say("accept", {"offer": " at ".join(self._phrases.fact(fact) for fact in offered)})

    def _say(self, occasion: str, given: Mapping[str, str] | None = None, *, plainly: bool = False) -> Move:
        """The phrase, kept as what to repeat when it was not understood."""
        self._last = (occasion, dict(given or {}))
        return Move(self._phrases.phrase(occasion, given, plainly=plainly))


def own_facts(persona: Persona, today: date) -> dict[str, frozenset[str]]:
    """Fact -> all that the persona's value of it may be repeated as."""
    rules = persona.understanding.facts
    return {
        name: facts.meaning(rules[name].kind, fact.value, today=today) if name in rules else frozenset({fact.value})
        for name, fact in persona.facts.items()
    }


def wanted(persona: Persona, today: date) -> dict[str, str]:
    """The persona's facts as they must come out."""
    return _as_kept(persona, own_facts(persona, today))


def _as_kept(persona: Persona, own: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """A weekday as its date, times as HH:MM; a fact that may be either of two values (today's weekday: today or in a
    week) as the persona has it."""
    rules = persona.understanding.facts
    return {
        fact: next(iter(own[fact]))
        if fact in rules and rules[fact].kind in _EXACT and len(own[fact]) == 1
        else said.value
        for fact, said in persona.facts.items()
    }


def _told(wrong: Mapping[str, Mention]) -> str:
    return ", ".join(f"{fact} {mention.text}" for fact, mention in wrong.items())


def _asked_parts(name: list[str], question: str) -> list[str]:
    if "1st name" in question:
        return name[:1]
    return name[1:] if re.search(r"(last|family) name", question) else name
