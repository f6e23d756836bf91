"""A simulated caller: who they are, what they know and want, and their manners on the telephone.

A persona is one YAML file in a project's `personas/`; every key below works. The words by which it understands the
agent are in its domain file (`personas/domains/`), so that several callers share them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from voicebot import paths, validation, yamlfile
from voicebot.errors import BadInput, did_you_mean

from . import domain as domains
from .domain import Domain, Pattern

PLACE = re.compile(r"\{(\w+)\}")
"""A fact in a phrase: {day}."""


def _rising(value: tuple[int, int]) -> tuple[int, int]:
    if not 0 <= value[0] <= value[1]:
        raise ValueError(f"{list(value)} must be the lowest and then the highest number of milliseconds.")
    return value


Range = Annotated[tuple[int, int], AfterValidator(_rising)]
"""Lowest and highest; one in between is picked each time."""


def _as_fact(value: object) -> object:
    return {"value": value} if isinstance(value, str) else value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Voice(_Part):
    """How the caller sounds: an eSpeak NG voice."""

    engine: str = "en-us+f2"
    """The eSpeak NG voice and variant. Not every variant is understood by every recogniser."""
    rate_wpm: int = Field(default=150, ge=80, le=300)
    """Words a minute."""
    pitch: int = Field(default=50, ge=0, le=99)
    """eSpeak NG's own scale."""


class Known(_Part):
    """A fact the caller knows."""

    value: str
    """What is true: a key of a choice, a weekday or date, HH:MM, a name, digits."""
    say: list[str] = []
    """How the caller puts it, one picked each time, the first when it was misunderstood; the value when empty."""

    @property
    def spoken(self) -> list[str]:
        return self.say or [self.value]


class Interrupts(_Part):
    """A caller who does not wait for the end of a sentence."""

    at: list[str] = Field(min_length=1)
    """The agent's acts that are cut short: 'greets', 'anything_else', 'asks day', 'confirms' ..., as soon as the
    caller has heard enough to know what is being said. A confirmation is cut short only by an objection."""
    after_words: int = Field(default=3, ge=1)
    """At least so many words of the sentence are heard first."""
    reaction_ms: Range = (50, 200)
    """From the decisive word to the first sound of the interruption."""
    times: int = Field(default=3, ge=1)
    """Interruptions in one call."""


class Corrects(_Part):
    """A caller who first says something wrong."""

    fact: str
    """What is said wrong, the first time it comes up."""
    first: list[str] = Field(min_length=1)
    """The wrong value, one picked."""
    within: Literal["same_turn", "next_turn", "either"] = "either"
    """Whether it is put right in the same breath or after the agent's next words."""


class WantsHuman(_Part):
    """A caller who does not want to talk to a machine."""

    after_answers: int = Field(default=0, ge=0)
    """So many questions are answered first."""


class Digression(_Part):
    """A question beside the matter."""

    ask: list[str] = Field(min_length=1)
    """The question, one picked."""
    at: str
    """Instead of answering at this act of the agent: 'asks day', 'anything_else' ..."""


class Backchannels(_Part):
    """A caller who says "uh-huh" while the agent speaks."""

    chance: float = Field(default=0.5, gt=0, le=1)
    """Of doing so in each long enough clause."""
    min_words: int = Field(default=8, ge=2)
    """Clauses shorter than this are left alone."""


class Temperament(_Part):
    """The caller's manners."""

    reaction_ms: Range = (300, 900)
    """From the agent's last sound to the caller's first: lowest and highest."""
    patience: int = Field(default=4, ge=1)
    """Misunderstandings (not understood, wrong, silent, senseless) that are forgiven; the next ends the call."""
    silence_ms: int = Field(default=9000, ge=1000)
    """How long the agent may be silent before the caller asks whether anybody is there."""
    alternatives: Literal["nearest", "first", "last"] = "nearest"
    """What is taken when the wish cannot be had."""
    interrupts: Interrupts | None = None
    corrects: Corrects | None = None
    wants_human: WantsHuman | None = None
    digression: Digression | None = None
    backchannels: Backchannels | None = None


class Persona(_Part):
    """A persona file."""

    name: str
    """Shown as the caller."""
    about: str = ""
    """One sentence for people."""
    domain: str
    """The domain file that says how this caller understands the agent: `personas/domains/<domain>.yaml`."""
    voice: Voice = Voice()
    goal: str
    """What the caller wants, one sentence for people."""
    facts: dict[str, Annotated[Known, BeforeValidator(_as_fact)]] = {}
    """What the caller knows. A plain value is short for one without phrasings."""
    says: dict[str, list[str]] = {}
    """Phrasings that replace the domain's, by occasion: 'opening', 'yes', a fact's name ..."""
    refuses: list[Pattern] = []
    """Confirmations with these words are refused whatever the facts: somebody who books does not want to cancel."""
    temperament: Temperament = Temperament()
    _understanding: Domain = PrivateAttr(default=Domain())
    _path: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _knows_what_it_corrects(self) -> Persona:
        corrects = self.temperament.corrects
        if corrects and corrects.fact not in self.facts:
            hint = did_you_mean(corrects.fact, self.facts)
            raise ValueError(f"'temperament.corrects': no fact '{corrects.fact}'.{hint}")
        return self

    @property
    def understanding(self) -> Domain:
        """Its domain, with the persona's own phrasings on top."""
        return self._understanding

    @property
    def path(self) -> Path | None:
        return self._path

    @classmethod
    def load(cls, path: Path) -> Persona:
        """The persona in the file `path`. Raises BadInput, one line a problem."""
        document = yamlfile.read(path)
        persona = validation.build(document, cls)
        known = domains.load(persona.domain, path.parent)
        persona._check(known, document)
        persona._understanding = known.model_copy(update={"says": known.says | persona.says})
        persona._path = path
        return persona

    def _can_say(self, text: str) -> bool:
        """Whether the phrase needs no fact that this caller lacks."""
        return {*PLACE.findall(text)} <= {*self.facts}

    def _check(self, known: Domain, document: yamlfile.Document) -> None:
        """What only the domain file can tell: facts and acts that exist."""
        for fact in self.facts:
            if fact not in known.facts:
                place = document.place(("facts", fact), of_key=True)
                raise BadInput(f"{place} domain '{self.domain}' has no fact '{fact}'.{did_you_mean(fact, known.facts)}")
        spoken = known.says | self.says
        for occasion in ("opening", *self.facts):
            if not any(self._can_say(text) for text in spoken.get(occasion, [])):
                place = document.place(("says",), of_key=True)
                raise BadInput(f"{place} nothing to say for '{occasion}'. Add 'says: {{{occasion}: [...]}}'.")
        manners = self.temperament
        acts = [*known.hears, *(f"asks {fact}" for fact in known.facts)]
        named: list[tuple[yamlfile.Loc, str]] = []
        if manners.interrupts:
            named += [(("interrupts", "at", n), act) for n, act in enumerate(manners.interrupts.at)]
        if manners.digression:
            named += [(("digression", "at"), manners.digression.at)]
        for loc, act in named:
            if act not in acts:
                place = document.place(("temperament", *loc))
                raise BadInput(f"{place} agents do not '{act}'.{did_you_mean(act, acts)}")


def find(name: str, root: Path) -> Persona:
    """The persona called `name` (its file's stem) in the project `root`. Raises BadInput."""
    folder = paths.personas_dir(root)
    files = {path.stem: path for path in paths.yaml_files(folder)}
    if name not in files:
        raise BadInput(f"no persona '{name}' in {paths.shown(folder)}.{did_you_mean(name, files)}")
    return Persona.load(files[name])
