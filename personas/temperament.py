"""A caller's manners on the telephone: when they speak, what they do beside answering, and when they give up."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from voicebot.agent.values import OneOrMore, Part

ANY = "any"
"""Instead of naming an act of the agent, or a fact."""
Chance = Annotated[float, Field(gt=0, le=1)]


def _rising(value: tuple[int, int]) -> tuple[int, int]:
    if not 0 <= value[0] <= value[1]:
        raise ValueError(f"{list(value)} must be the lowest and then the highest number of milliseconds.")
    return value


Range = Annotated[tuple[int, int], AfterValidator(_rising)]
"""Lowest and highest, in milliseconds; one in between is picked each time."""
Acts = Annotated[OneOrMore[str], Field(min_length=1)]
"""Acts of the agent: 'greets', 'confirms', 'anything_else', 'asks day' ..., or 'any'."""


def _meets(acts: list[str], act: str | None) -> bool:
    return act is not None and (act in acts or ANY in acts)


class Interrupts(Part):
    """A caller who does not wait for the end of a sentence."""

    at: Acts
    """The agent's acts that are cut short: 'greets', 'anything_else', 'asks day', 'confirms' ..., or 'any', as soon as
    the caller has heard enough to know what is being said. A confirmation is cut short only by an objection."""
    chance: Chance = 1.0
    """Of doing so each time there is an occasion."""
    after_words: int = Field(default=3, ge=1)
    """At least so many words of the sentence are heard first."""
    reaction_ms: Range = (50, 200)
    """From the decisive word to the first sound of the interruption."""
    times: int = Field(default=3, ge=1)
    """Interruptions in one call."""

    def meets(self, act: str | None) -> bool:
        """Whether this act of the agent is one of those."""
        return _meets(self.at, act)


class Corrects(Part):
    """A caller who first says something wrong."""

    fact: str = ANY
    """What is said wrong, the first time it comes up; 'any' is the first fact that can be said wrong."""
    first: list[str] = Field(default=[])
    """The wrong value, one picked; empty for those that the fact itself lists as `wrong`, or for another choice or
    another weekday."""
    within: Literal["same_turn", "next_turn", "either"] = "either"
    """Whether it is put right in the same breath or after the agent's next words."""


class RefusesToGive(Part):
    """A caller who would rather not say something, at first."""

    fact: str = ANY
    """What is not given when it is asked for; 'any' is whatever is asked for first."""
    times: int = Field(default=1, ge=1)
    """So often it is refused; then it is given."""


class WantsHuman(Part):
    """A caller who does not want to talk to a machine."""

    after_answers: int = Field(default=0, ge=0)
    """So many questions are answered first."""


class HangsUp(Part):
    """A caller who has no time: says so and goes in the middle of the matter."""

    after_answers: int = Field(default=3, ge=1)
    """So many questions are answered first."""


class Digression(Part):
    """A question beside the matter."""

    ask: list[str] = Field(min_length=1)
    """The question, one picked."""
    at: Acts
    """Instead of answering at this act of the agent: 'asks day', 'anything_else' ..., or 'any'."""
    times: int = Field(default=1, ge=1)
    """Digressions in one call."""

    def meets(self, act: str | None) -> bool:
        """Whether this act of the agent is one of those."""
        return _meets(self.at, act)


class Backchannels(Part):
    """A caller who says "uh-huh" while the agent speaks."""

    chance: Chance = 0.5
    """Of doing so in each long enough clause."""
    min_words: int = Field(default=8, ge=2)
    """Clauses shorter than this are left alone."""


class Tics(Part):
    """A habit of speech without meaning: "um", "you know"."""

    chance: Chance = 0.5
    """Of one in each of the caller's own utterances."""
    say: list[str] = Field(default=["um", "uh", "well"], min_length=1)
    """The habit, one picked each time."""


class Coughs(Part):
    """A caller who coughs, sneezes or clears the throat, whoever is speaking."""

    chance: Chance = 0.2
    """Of doing so in each of the agent's clauses, and in each pause before an answer."""
    sounds: list[Literal["cough", "sneeze", "throat"]] = Field(default=["cough"], min_length=1)
    """Which, one picked each time."""


class SideSpeech(Part):
    """A caller who also talks to somebody else in the room, turned away from the telephone."""

    chance: Chance = 0.2
    """Of doing so in each of the agent's clauses."""
    say: list[str] = Field(min_length=1)
    """What is said, one picked each time."""


class Silences(Part):
    """A caller who needs time to think."""

    chance: Chance = 0.5
    """Of a long pause in each of the caller's turns."""
    pause_ms: Range = (2000, 4000)
    """How long: lowest and highest."""
    where: Literal["before", "within", "either"] = "before"
    """Before the answer, or in the middle of it."""


class Repeats(Part):
    """A caller who says everything twice."""

    chance: Chance = 0.5
    """Of saying an answer a second time in the same breath."""


class Temperament(Part):
    """The caller's manners."""

    reaction_ms: Range = (300, 900)
    """From the agent's last sound to the caller's first: lowest and highest."""
    patience: int = Field(default=4, ge=0)
    """Misunderstandings (not understood, wrong, silent, senseless) that are forgiven; the next ends the call."""
    silence_ms: int = Field(default=9000, ge=1000)
    """How long the agent may be silent before the caller asks whether anybody is there."""
    alternatives: Literal["nearest", "first", "last"] = "nearest"
    """What is taken when the wish cannot be had."""
    interrupts: Interrupts | None = None
    """Does not wait for the end of a sentence."""
    corrects: Corrects | None = None
    """Says something wrong first."""
    refuses_to_give: RefusesToGive | None = None
    """Would rather not say something, at first."""
    wants_human: WantsHuman | None = None
    """Does not want to talk to a machine."""
    hangs_up: HangsUp | None = None
    """Goes in the middle of the matter."""
    digression: Digression | None = None
    """Asks something beside the matter."""
    backchannels: Backchannels | None = None
    """Says "uh-huh" while the agent speaks."""
    tics: Tics | None = None
    """Says "um" or "you know"."""
    coughs: Coughs | None = None
    """Coughs, sneezes or clears the throat."""
    side_speech: SideSpeech | None = None
    """Also talks to somebody else."""
    silences: Silences | None = None
    """Needs time to think."""
    repeats: Repeats | None = None
    """Says everything twice."""
