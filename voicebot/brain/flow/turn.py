"""One turn in the making: the state being changed, what was heard, and the ways a move can end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from voicebot.brain.knowledge import Knowledge
from voicebot.brain.nlu import Mention, times
from voicebot.flow import Flow, Goal, Phrases, Slot, Step

from .heard import Heard
from .state import Asking, Move, Running, State, ToolUse
from .wording import Wording, listed


@dataclass(frozen=True)
class Rails:
    """What does not change during a call."""

    flow: Flow
    knowledge: Knowledge
    wording: Wording
    person: str | None
    """Whom callers can be passed on to, if anybody."""
    hand_over: str
    """What is said when they are."""
    greeting: str
    """What the call began with."""


@dataclass
class Turn:
    rails: Rails
    state: State
    today: date
    heard: Heard | None = None
    prefix: list[str] = field(default_factory=list)
    """Sentences to say before the next question."""
    words: str = ""
    """A language model's own words, said before everything else: they answer what the flow has no answer to."""
    missed: bool = False
    """What the caller said was not understood."""

    @property
    def flow(self) -> Flow:
        return self.rails.flow

    @property
    def phrases(self) -> Phrases:
        return self.rails.flow.phrases

    @property
    def goal(self) -> Goal | None:
        return self.flow.goals.get(self.state.goal or "")

    def slot(self, name: str) -> Slot:
        return self.flow.slots[name]

    # -- values ---------------------------------------------------------------------------------------------------

    def known(self) -> dict[str, Any]:
        """Everything a sentence or a tool may use by name."""
        return {**self.state.facts, **self.state.slots}

    def spoken(self, slot: str, value: Any) -> str:
        return self.rails.wording.value(slot, value, self.today)

    def text(self, template: str, **extra: Any) -> str:
        return self.rails.wording.sentence(template, {**self.known(), **extra}, self.today)

    def keep(self, slot: str, mention: Mention) -> None:
        """Take over a value, or forget the old one where the new has several readings."""
        if mention.value is None:
            self.state.slots.pop(slot, None)
        else:
            self.state.slots[slot] = mention.value
        if slot in self.state.refused:
            self.state.refused.remove(slot)
        self.state.partial = ""

    def forget(self, slot: str) -> None:
        self.state.slots.pop(slot, None)

    def reject(self, slot: str) -> None:
        """Remember that it is not the value it has."""
        rejected = self.state.rejected.setdefault(slot, [])
        value = self.state.slots.get(slot)
        if value is not None and value not in rejected:
            rejected.append(value)

    def is_open(self, slot: str) -> bool:
        """Whether it still has to be asked: unknown, or only a wish."""
        if slot in self.state.refused:
            return False
        value = self.state.slots.get(slot)
        return value is None or (self.slot(slot).type in ("date", "time") and times.is_wish(value))

    def arguments(self, step: Step) -> dict[str, Any]:
        known = self.known()
        return {name: known.get(name) for name in step.with_}

    # -- ways a turn ends -----------------------------------------------------------------------------------------

    def ask(self, question: str, asking: Asking, step: str, *, plain: bool = False) -> Move:
        """Say what has gathered, then the question, and wait for the answer. `plain`: it can be put in other words."""
        self.state.asking, self.state.question, self.state.step = asking, question, step
        return replace(self.say(question), question=question if plain else "")

    def again(self, *before: str) -> Move:
        """Say something and come back to the open question."""
        self.prefix.extend(before)
        return self.say(self.state.question)

    def say(self, *sentences: str, tools: Sequence[ToolUse] = (), alone: bool = False) -> Move:
        """`alone`: nothing but the flow's own words."""
        words = "" if alone else self.words.strip()
        said = " ".join(each.strip() for each in [words, *self.prefix, *sentences] if each.strip())
        self.prefix = []
        self.state.said = said
        return Move(said, self.state.as_dict(), tuple(tools), words)

    def run(self, kind: Any, name: str, step: Step, arguments: dict[str, Any]) -> Move:
        """Call a tool; the dialogue goes on when it has answered."""
        self.state.running = Running(kind, name, step.tool, arguments)
        self.state.step = f"{self.state.goal}.{step.tool}"
        return self.say(tools=[ToolUse(step.tool, arguments)], alone=kind == "do")

    def end(self, sentence: str, reason: str) -> Move:
        self.state.step, self.state.question = "ended", ""
        return self.say(sentence, tools=[ToolUse("end_call", {"reason": reason})], alone=True)

    def hand_over(self, reason: str, sentence: str | None = None) -> Move:
        """Pass the caller on, or say that nobody is there to take them."""
        if self.rails.person is None:
            return self.again(self.phrases.no_person)
        self.state.step, self.state.question = "handed_over", ""
        words = self.rails.hand_over if sentence is None else sentence
        tool = ToolUse("hand_over", {"to": self.rails.person, "reason": reason})
        return self.say(words, tools=[tool], alone=True)

    def options_listed(self, slot: str, options: Sequence[Any]) -> str:
        return listed([self.spoken(slot, option) for option in options])
