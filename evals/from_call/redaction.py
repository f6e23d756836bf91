"""A recorded call without what is private in it: invented values stand where a name, a number or an address stood.

The detectors are those of the guardrails. An answer to a question for private data counts as private even when no
detector finds anything in it: what was misheard looks like anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from voicebot.agent.guardrails import Pii, PiiKind
from voicebot.brain.guardrails.pii.scene import Private
from voicebot.brain.guardrails.privacy import Privacy
from voicebot.brain.guardrails.vault import PLACEHOLDER
from voicebot.events import AgentSpeechStopped, Event, ToolCalled, ToolReturned, TurnEnded

STAND_INS: dict[PiiKind, tuple[str, ...]] = {
    "name": ("Maria Davis", "James Carter", "Helen Baker"),
    "phone": ("five five five, zero one four two", "five five five, zero one nine nine"),
    "email": ("maria at example dot com", "henry at example dot com"),
    "card": ("four one one one, one one one one, one one one one, one one one one",),
    "ssn": ("nine eight seven, six five, four three two one",),
    "iban": ("G B eight two, W E S T, one two three four",),
    "birth_date": ("May first nineteen eighty",),
    "address": ("twelve Main Street",),
}
"""Invented, and in words, because they are spoken. The numbers are ones that nobody can have."""
_BIRTH = "birth"
"""What the detectors call the question for a date of birth."""
_SENTENCE = re.compile(r"(?<=[.?!])\s+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_SHORT = 4
"""Words of an answer that can hardly be anything else than what was asked for."""


class Redactor:
    """Knows everything private that a call said, and takes it out of any text of it."""

    def __init__(self, happened: Sequence[Event], language: str, public: Iterable[str] = ()) -> None:
        """`public` are texts of the firm, such as the agent's greeting: numbers and addresses in them may stay."""
        kept = [each for values in STAND_INS.values() for each in values]
        self._privacy = Privacy(Pii(keep=kept), language, tuple(public))
        self._turns: dict[str, str] = {}
        """What the caller said -> the same with stand-ins."""
        self._people: list[list[str]] = []
        """The words of each person's name."""
        self.doubtful: list[int] = []
        """Turns that answered a question for private data and in which nothing was found."""
        for event in happened:
            self._learn(event)

    def text(self, text: str) -> str:
        """The text with stand-ins for what is private."""
        if text in self._turns:
            return self._turns[text]
        written = _placeholders_filled(text)
        found = self._privacy.results(written, public=False)
        hidden = self._privacy.vault.hide(self._privacy.hidden(written, found, by_caller=False))
        return self._filled(_WORD.sub(lambda word: self._part(word[0]), hidden))

    def is_private(self, text: str) -> bool:
        return self.text(text) != text

    def value(self, value: Any) -> Any:
        """The same for a JSON value, at any depth."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(each) for key, each in value.items()}
        return [self.value(each) for each in value] if isinstance(value, list) else value

    def _learn(self, event: Event) -> None:
        match event:
            case AgentSpeechStopped():
                self._learn_question(event.said)
            case TurnEnded():
                self._learn_turn(event)
            case ToolCalled():
                self._learn_values(event.arguments)
            case ToolReturned():
                self._learn_values(event.result)
            case _:
                pass

    def _learn_question(self, said: str) -> None:
        """What the caller answers next is the agent's last question."""
        sentences = _SENTENCE.split(said)
        questions = [sentence for sentence in sentences if "?" in sentence]
        self._privacy.agent_begins()
        self._privacy.agent([*sentences, *questions][-1])

    def _learn_turn(self, turn: TurnEnded) -> None:
        written = _placeholders_filled(turn.text)
        found = self._privacy.caller(written)
        self._remember(found)
        asked = next((kind for kind in STAND_INS if self._is_asked(kind)), None)
        redacted = self._filled(self._privacy.hidden(written, found, by_caller=True))
        if asked and redacted == turn.text:
            if len(turn.text.split()) > _SHORT:
                self.doubtful.append(turn.turn)
            elif turn.text:
                redacted = STAND_INS[asked][0]
        if redacted != turn.text:
            self._turns[turn.text] = redacted

    def _is_asked(self, kind: PiiKind) -> bool:
        return (_BIRTH if kind == "birth_date" else kind) in self._privacy.asked

    def _learn_values(self, value: Any) -> None:
        """What stands in a field called 'name' is a name, whatever it looks like."""
        text = json.dumps(value, ensure_ascii=False, default=str)
        found = self._privacy.results(text, public=False)
        self._remember(found)
        self._privacy.hidden(text, found, by_caller=False)

    def _remember(self, found: Iterable[Private]) -> None:
        for each in found:
            if each.kind == "name":
                self._person(each.value)

    def _person(self, name: str) -> int:
        """The how manieth person of the call this is: "Nina" after "Nina Sanders" is the same one."""
        words = name.casefold().split()
        for number, known in enumerate(self._people):
            if {*words} <= {*known}:
                return number
        self._people.append(words)
        return len(self._people) - 1

    def _part(self, word: str) -> str:
        """ "Thank you, Nina" is as private as "Nina Sanders"; "will you" is not, whoever is called Will."""
        known = next((n for n, words in enumerate(self._people) if word.istitle() and word.casefold() in words), None)
        if known is None:
            return word
        first, last = STAND_INS["name"][known % len(STAND_INS["name"])].split()
        return first if word.casefold() == self._people[known][0] else last

    def _filled(self, text: str) -> str:
        def stand_in(match: re.Match[str]) -> str:
            known = self._privacy.vault.find(match)
            return self._stand_in(known[0], int(match[2]) - 1, known[1]) if known else match[0]

        return PLACEHOLDER.sub(stand_in, text)

    def _stand_in(self, kind: PiiKind, number: int, value: str) -> str:
        if kind != "name":
            return STAND_INS[kind][number % len(STAND_INS[kind])]
        whole = STAND_INS["name"][self._person(value) % len(STAND_INS["name"])]
        return whole if len(value.split()) > 1 else whole.split()[0]


def _placeholders_filled(text: str) -> str:
    """A record that was kept redacted has "[name 1]" in it, which nobody can pronounce."""

    def stand_in(match: re.Match[str]) -> str:
        values = STAND_INS[match[1].lower().replace(" ", "_")]  # type: ignore[index]  # the pattern knows the kinds
        return values[(int(match[2]) - 1) % len(values)]

    return PLACEHOLDER.sub(stand_in, text) if "[" in text else text
