"""The `flow:` section of an agent file: a conversation on rails, with no language model needed.

A flow has *slots* (what must be known), *goals* (what callers want), *checks* (look something up) and small talk.
The sentences in it are spoken as written. `{day}` says a slot or a key of a tool's result; a part in brackets,
`[, phone {phone}]`, is left out while something in it is unknown.

The one rule that makes it safe: a goal's `do` tool changes the world, so it runs only after the caller has clearly
said yes to the goal's `confirm` sentence, and that sentence must say every slot which the tool is given.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from voicebot.errors import did_you_mean

SlotType = Literal["choice", "date", "time", "number", "money", "phone", "name", "code", "text"]

_PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")


def placeholders(sentence: str) -> list[str]:
    """The names in braces of a sentence, in order."""
    return _PLACE.findall(sentence)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_values(value: Any) -> Any:
    """`values: [a, b]` is short for values without synonyms."""
    return {each: [] for each in value} if isinstance(value, list) else value


Sentences = Annotated[list[str], BeforeValidator(_as_list)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Hours(_Part):
    """When callers come, deliver or call back: settles whether "half past two" is the afternoon."""

    open: str = "08:00"
    """The earliest time, 24-hour "HH:MM"."""
    close: str = "18:00"
    """The latest time, 24-hour "HH:MM"."""

    @field_validator("open", "close")
    @classmethod
    def _clock(cls, value: str) -> str:
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            raise ValueError(f"'{value}' is not a time of day. Write it as \"08:00\", in quotes")
        return value


class Names(_Part):
    """Names that callers may have. They help the embedded recogniser hear; they do not restrict anything."""

    first: list[str] = Field(default_factory=list)
    """Given names."""
    last: list[str] = Field(default_factory=list)
    """Family names."""


class Slot(_Part):
    """Something the agent must know. The tools get its value as JSON (see `type`)."""

    type: SlotType
    """choice: one of `values`. date: "2026-12-01". time: "14:30". number: 3. money: 12.5. phone: "+12125550123".
    name: "Maria Lopez". code: "44719", digits and capitals. text: the caller's words as they are."""
    ask: str
    """The question that fills it."""
    reask: Sentences = Field(default_factory=list)
    """Other wordings, one for each time the answer was not understood."""
    why: str = ""
    """Said when the caller asks why, or would rather not say."""
    required: bool = True
    """false: a caller who would rather not say goes on without it; the tool gets null."""
    keep: bool = False
    """true: still known when the caller goes on to another goal (a name, a phone number)."""
    secret: bool = False
    """true: a card number or the like. While it is asked for and confirmed, nothing is recorded, and its value stands
    in no event of the call: see docs/recording.md."""
    wishes: bool = False
    """true: "any time", "in the morning", "as soon as possible" are passed to the check as "any", "morning",
    "afternoon" or "evening" (a date: "any"), other unknown arguments as null, so that it can offer something."""
    values: Annotated[dict[str, list[str]], BeforeValidator(_as_values)] = Field(default_factory=dict)
    """choice: what can be chosen, and other ways to say it."""
    units: list[str] = Field(default_factory=list)
    """number: words that follow it ("people", "nights"), so that it is understood at any time."""
    length: int | None = None
    """code: how many characters it has."""
    letters: bool = False
    """code: true when it has letters too; they are said one by one or as "alpha", "bravo"."""
    examples: list[str] = Field(default_factory=list)
    """Values that callers may say (codes, texts): the embedded recogniser learns them."""

    @model_validator(mode="after")
    def _fits(self) -> Slot:
        if self.type == "choice" and not self.values:
            raise ValueError("a choice needs `values`")
        for key, kind in (("values", "choice"), ("units", "number"), ("length", "code"), ("letters", "code")):
            if getattr(self, key) and self.type != kind:
                raise ValueError(f"`{key}` is for a slot of type {kind}, and this is a {self.type}")
        if self.wishes and self.type not in ("date", "time"):
            raise ValueError("`wishes` is for a date or a time")
        return self


class Outcome(_Part):
    """What to do when a tool's result has this `outcome`."""

    say: str
    """Spoken; it may use slots and keys of the result."""
    ask: str | None = None
    """The slot to choose again. Its value is forgotten."""
    options: str | None = None
    """The key of the result that lists values for that slot; "the first one" then works."""
    then: Literal["ask", "stop", "hand_over"] = "ask"
    """stop: the goal ends here. hand_over: the caller is passed on to a person."""

    @model_validator(mode="after")
    def _complete(self) -> Outcome:
        if self.then == "ask" and not self.ask:
            raise ValueError("an outcome needs `ask: <slot>`, or `then: stop`, or `then: hand_over`")
        if self.options and not self.ask:
            raise ValueError("`options` are offered for a slot: name it with `ask`")
        return self


class Step(_Part):
    """A tool and what its outcomes lead to. The tool returns a mapping; its "outcome" picks from `outcomes`."""

    tool: str
    """A function's name; the file is listed in `brain.tools`."""
    with_: list[str] = Field(default_factory=list, alias="with")
    """Its arguments: slots, or keys of an earlier result, under the same names."""
    outcomes: dict[str, Outcome] = Field(default_factory=dict)
    """Answers that need another turn. An outcome that is not listed lets the dialogue go on."""


class Goal(_Part):
    """Something callers want to get done."""

    title: str
    """How the agent names it: "book an appointment"."""
    examples: list[str] = Field(min_length=1)
    """How callers ask for it. `{day}` stands for any value of the slot."""
    say: str = ""
    """Said first when the goal begins."""
    ask: list[str] = Field(default_factory=list)
    """The slots it needs, in the order they are asked."""
    questions: dict[str, str] = Field(default_factory=dict)
    """This goal's own wording of a slot's question."""
    check: list[str] = Field(default_factory=list)
    """The checks to run, each as soon as its arguments are known and again when one changes."""
    confirm: str = ""
    """The question that must get a clear yes before `do` runs."""
    do: Step | None = None
    """The tool that changes something. It needs `confirm`."""
    done: str = ""
    """Said when all is done."""
    then: Literal["anything_else", "hand_over", "end"] = "anything_else"
    """What follows: ask for more, pass the caller to a person, or hang up."""

    @model_validator(mode="after")
    def _confirmed(self) -> Goal:
        if self.do and not self.confirm:
            raise ValueError(f"`do: {self.do.tool}` changes something, so the goal needs a `confirm` sentence")
        if self.confirm and not self.do:
            raise ValueError("`confirm` asks before `do`, and there is no `do`")
        return self


class SmallTalk(_Part):
    """A short exchange beside the matter; the open question is asked again after it."""

    examples: list[str] = Field(min_length=1)
    """What callers say."""
    say: str
    """The reply."""


class Phrases(_Part):
    """The sentences every conversation needs. Each can be worded differently."""

    anything_else: str = "Is there anything else I can help you with?"
    ask_goal: str = "What can I do for you?"
    goodbye: str = "Thank you for calling. Goodbye!"
    not_understood: Sentences = Field(
        default_factory=lambda: ["Sorry, I didn't get that.", "I'm sorry, once more please."]
    )
    yes_or_no: str = "Sorry, was that a yes or a no?"
    change: str = "All right. What should I change?"
    dropped: str = "All right, I've left it."
    nothing_done: str = "All right, nothing has been changed."
    keep_hearing: str = "I keep hearing {value}."
    """A value that the caller has refused was heard again."""
    spell_first: str = "Could you spell the first name for me?"
    """What follows it for a given and a family name."""
    spell: str = "Could you spell it for me?"
    """The same for a single name."""
    not_right: str = "I'm sorry, I don't seem to get this right."
    """Asking another way has not helped; a person takes over."""
    which: str = "Just to be sure: {options}?"
    did_you_mean: str = "Did you mean {option}?"
    offer_person: str = "I'm having trouble understanding. Shall I put you through to a person?"
    want_person: str = "Shall I put you through to a person?"
    """Asked when only a language model has understood that the caller wants one."""
    hand_over: str = "One moment, I'll put you through."
    no_person: str = "I'm sorry, I can't help with that on the phone right now."
    give_up: str = "I'm sorry, I can't understand you well. Please call us again. Goodbye."
    wait: str = "Take your time."
    are_you_there: str = "Are you still there?"
    unknown_answer: str = "I'm afraid I don't know that."
    past: str = "{date} is in the past."
    bad_phone: str = "That doesn't sound like a complete phone number."
    bad_code: str = "I need {length} digits."
    need_it: str = "I'm afraid I need that to go on."
    tool_failed: str = "I'm sorry, I can't reach our system right now."
    welcome: str = "You're welcome."


class Flow(_Part):
    """A conversation on rails."""

    slots: dict[str, Slot] = Field(default_factory=dict)
    """What the goals need to know."""
    goals: dict[str, Goal] = Field(min_length=1)
    """What callers want."""
    checks: dict[str, Step] = Field(default_factory=dict)
    """Tools that only look something up."""
    small_talk: list[SmallTalk] = Field(default_factory=list)
    """Short exchanges beside the matter."""
    hours: Hours = Hours()
    """Settles morning or afternoon where callers leave it out."""
    region: str = "US"
    """Where phone numbers without a country code belong (ISO 3166, two letters)."""
    currency: str = "USD"
    """What money is said in (ISO 4217)."""
    names: Names = Names()
    """Names that callers may have."""
    phrases: Phrases = Phrases()
    """The sentences every conversation needs."""
    wording: Literal["exact", "free"] = "exact"
    """With a language model beside the flow (`brain.llm`). exact: the sentences here are spoken as they are written.
    free: the model puts plain questions in its own words, which costs a request for each; a sentence with a value in
    it, a confirmation, an offer and what a tool did are spoken as written all the same."""

    @model_validator(mode="after")
    def _consistent(self) -> Flow:
        for name, step in self.checks.items():
            self._step_is_known(f"checks.{name}", step)
        for name, goal in self.goals.items():
            self._goal_is_known(name, goal)
        return self

    def _goal_is_known(self, name: str, goal: Goal) -> None:
        place = f"goals.{name}"
        for slot in [*goal.ask, *goal.questions]:
            self._slot_is_known(place, slot)
        for check in goal.check:
            if check not in self.checks:
                raise ValueError(f"{place}: unknown check '{check}'.{did_you_mean(check, self.checks)}")
        for slot in (each for example in goal.examples for each in placeholders(example)):
            self._slot_is_known(f"{place}.examples", slot)
        if not goal.do:
            return
        self._step_is_known(f"{place}.do", goal.do)
        unsaid = [each for each in goal.do.with_ if each in self.slots and each not in placeholders(goal.confirm)]
        if unsaid:
            raise ValueError(f"{place}: `{goal.do.tool}` is given {{{unsaid[0]}}}, so `confirm` must say it")

    def _step_is_known(self, place: str, step: Step) -> None:
        for outcome in step.outcomes.values():
            if outcome.ask:
                self._slot_is_known(place, outcome.ask)

    def _slot_is_known(self, place: str, slot: str) -> None:
        if slot not in self.slots:
            raise ValueError(f"{place}: unknown slot '{slot}'.{did_you_mean(slot, self.slots)}")

    def tools(self) -> set[str]:
        """The names of all tools the flow calls."""
        steps = [*self.checks.values(), *(goal.do for goal in self.goals.values() if goal.do)]
        return {step.tool for step in steps}
