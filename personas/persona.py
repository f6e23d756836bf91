"""A simulated caller: who they are, how they sound, their manners, and perhaps what they want.

A persona is one YAML file in a project's `personas/` or in the library that comes with the package; every key below
works. A persona with a matter of its own (`domain`, `goal`, `facts`) can call as it is. Any persona can play the role
of a scenario: `persona.playing(role, root)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, PrivateAttr

from voicebot import paths, validation, yamlfile
from voicebot.agent.values import Part
from voicebot.errors import BadInput, did_you_mean
from voicebot.tts import espeakng

from . import domain as domains
from .domain import Domain
from .facts import WEEKDAYS
from .line import Line, NamedLine
from .role import Role
from .temperament import ANY, Temperament

PLACE = re.compile(r"\{(\w+)\}")
"""A fact in a phrase: {day}."""


def _existing(engine: str) -> str:
    try:
        for name in (engine.partition("+")[0], engine):  # given both at once, eSpeak takes any accent for a known one
            espeakng.check(espeakng.Voice(name, 150, 50))
    except BadInput as error:
        raise ValueError(str(error)) from None
    return engine


class Voice(Part):
    """How the caller sounds: an eSpeak NG voice."""

    engine: Annotated[str, AfterValidator(_existing)] = "en-us+f2"
    """The eSpeak NG voice, which is the accent (`en-us`, `en-gb-scotland`, `en-029` for the Caribbean ...), `+` and a
    variant, which is the person. Not every variant is understood by every recogniser."""
    rate_wpm: int = Field(default=150, ge=80, le=300)
    """Words a minute."""
    pitch: int = Field(default=50, ge=0, le=99)
    """eSpeak NG's own scale."""
    loudness_db: float = Field(default=0, ge=-30, le=10)
    """Louder or softer than an ordinary caller, in decibels; the noise of the room stays as it is."""


class Persona(Role):
    """A persona file."""

    name: str
    """Who calls. A first and a last name, where roles are to be played in which callers give their name."""
    about: str = ""
    """One sentence for people."""
    voice: Voice = Voice()
    """How they sound."""
    line: NamedLine = Line()
    """How the sound reaches the agent: the name of a line (`phone`, `street`, `lossy` ...) or its settings."""
    hard: bool = False
    """Whether the embedded recogniser understands this caller too badly (by voice or line): for agents with a real
    one."""
    temperament: Temperament = Temperament()
    """Their manners."""

    _understanding: Domain = PrivateAttr(default=Domain())
    _path: Path | None = PrivateAttr(default=None)

    @property
    def understanding(self) -> Domain:
        """Its domain, with the persona's own phrasings on top."""
        return self._understanding

    @property
    def path(self) -> Path | None:
        return self._path

    @property
    def id(self) -> str:
        """By which it is found: its file's stem, or its name when it has no file."""
        return self._path.stem if self._path else self.name

    @property
    def role(self) -> Role:
        """What it wants and knows, for somebody else to play."""
        role = Role(**{key: getattr(self, key) for key in Role.model_fields})
        return role.written_in(self._document) if self._document else role

    @property
    def full_name(self) -> str:
        """As given to an agent that asks for it: the fact of that kind where there is one, else `name`."""
        rules = self._understanding.facts
        given = (known.value for fact, known in self.facts.items() if fact in rules and rules[fact].kind == "name")
        return next(given, self.name)

    @classmethod
    def load(cls, path: Path) -> Persona:
        """The persona in the file `path`; one without a domain needs a role. Raises BadInput, one line a problem."""
        return cls.read(yamlfile.read(path), path)

    @classmethod
    def read(cls, document: yamlfile.Document, path: Path | None = None) -> Persona:
        """The persona in a document; `path` is where it lies or will lie, beside its `domains/`. Raises BadInput."""
        persona = validation.build(document, cls)
        persona._document, persona._path = document, path
        if persona.facts and not persona.domain:
            place = persona.place("facts", of_key=True)
            raise BadInput(f"{place} facts need a 'domain', which knows how agents ask for them.")
        folder = path.parent if path else Path(paths.PERSONAS)
        known = domains.load(persona.domain, folder) if persona.domain else domains.spoken("en")
        persona._check_habits(known)
        _check_phrases(persona, known)
        return persona._in(known, persona) if persona.domain else persona._with_words_of(known)

    def playing(self, role: Role | None, root: Path) -> Persona:
        """This persona in `role`, complete and checked. `root` is the project whose domains are used.

        What the role says wins, key by key: its `facts` are all the facts there are, its phrasings go on top. What it
        does not say comes from the persona, unless the role is of another domain. Raises BadInput.
        """
        role = role or Role()
        name = role.domain or self.domain
        if not name:
            raise BadInput(f"persona '{self.id}' has no matter of its own. Name a scenario for it to play.")
        same = name == self.domain
        own = self if same else Role()
        facts = role.facts or own.facts
        playing = self.model_copy(
            update={
                "domain": name,
                "goal": role.goal or own.goal,
                "facts": {fact: known.of(self.full_name) for fact, known in facts.items()},
                "says": (self.says if same or not self.domain else {}) | role.says,
                "refuses": role.refuses or own.refuses,
            }
        )
        folder = self._path.parent if same and not role.domain and self._path else paths.personas_dir(root)
        known = domains.load(name, folder)
        _check_phrases(role, known)
        return playing._in(known, role if role.facts else self)

    def _in(self, known: Domain, writer: Role) -> Persona:
        """With the words of a domain, which must have all that is named; `writer` knows where that is written."""
        self._check(known, writer)
        return self._with_words_of(known)

    def _with_words_of(self, known: Domain) -> Persona:
        self._understanding = known.model_copy(update={"says": known.says | self.says})
        return self

    # -- what is said wrong first ------------------------------------------------------------------------------------

    def wrong_first(self, fact: str) -> list[str]:
        """What a persona that corrects itself may say instead of `fact`, in words; empty when it says it right."""
        habit = self.temperament.corrects
        if habit is None or habit.fact not in (fact, ANY) or fact not in self.facts:
            return []
        return habit.first or self.facts[fact].wrong or self._others(fact)

    def _others(self, fact: str) -> list[str]:
        """Another choice, another weekday."""
        rules, value = self._understanding.facts[fact], self.facts[fact].value.lower()
        if rules.kind == "choice":
            return [said[0] for other, said in rules.values.items() if other.lower() != value and said]
        if rules.kind == "day" and value in WEEKDAYS:
            return [day for day in WEEKDAYS[:5] if day != value]
        return []

    # -- checks ------------------------------------------------------------------------------------------------------

    def _check(self, known: Domain, writer: Role) -> None:
        """What only the domain can tell: facts that exist, and something to say for each of them."""
        for fact in self.facts:
            if fact not in known.facts:
                place = writer.place("facts", fact, of_key=True)
                raise BadInput(f"{place} domain '{self.domain}' has no fact '{fact}'.{did_you_mean(fact, known.facts)}")
        spoken = known.says | self.says
        for occasion in ("opening", *self.facts):
            if not any(self._can_say(text) for text in spoken.get(occasion, [])):
                place = writer.place("says", of_key=True)
                raise BadInput(f"{place} nothing to say for '{occasion}'. Add 'says: {{{occasion}: [...]}}'.")

    def _check_habits(self, known: Domain) -> None:
        """The acts and facts that the persona's own file names."""
        acts = [*known.hears, *(f"asks {fact}" for fact in known.facts), ANY]
        for loc, act in self._named_acts():
            if act not in acts:
                raise BadInput(f"{self.place(*loc)} agents do not '{act}'.{did_you_mean(act, acts)}")
        facts = [*self.facts, ANY]
        for habit in ("corrects", "refuses_to_give"):
            fact = getattr(getattr(self.temperament, habit), "fact", ANY)
            if fact not in facts:
                place = self.place("temperament", habit, "fact")
                raise BadInput(f"{place} the caller has no fact '{fact}'.{did_you_mean(fact, facts)}")

    def _named_acts(self) -> Iterator[tuple[yamlfile.Loc, str]]:
        manners = self.temperament
        for habit, acts in (("interrupts", manners.interrupts), ("digression", manners.digression)):
            for n, act in enumerate(acts.at if acts else []):
                yield ("temperament", habit, "at", n), act

    def _can_say(self, text: str) -> bool:
        """Whether the phrase needs no fact that this caller lacks."""
        return {*PLACE.findall(text)} <= {*self.facts}


def _check_phrases(writer: Role, known: Domain) -> None:
    """Phrasings for an occasion that never comes, or with a fact that does not exist, are a slip of the pen."""
    occasions = {"opening", *known.says, *known.facts}
    filled = {
        *known.facts,
        *(place for texts in known.says.values() for text in texts for place in PLACE.findall(text)),
    }
    for occasion, texts in writer.says.items():
        if occasion not in occasions:
            place = writer.place("says", occasion, of_key=True)
            raise BadInput(f"{place} callers have nothing to say at '{occasion}'.{did_you_mean(occasion, occasions)}")
        for n, text in enumerate(texts):
            for fact in {*PLACE.findall(text)} - filled:
                place = writer.place("says", occasion, n)
                raise BadInput(f"{place} nothing can stand for '{{{fact}}}'.{did_you_mean(fact, filled)}")


def find(name: str, root: Path) -> Persona:
    """The persona called `name` (its file's stem): of the project `root`, else of the library. Raises BadInput."""
    own = {path.stem: path for path in paths.yaml_files(paths.personas_dir(root))}
    files = library() | own
    if name not in files:
        folder = paths.shown(paths.personas_dir(root))
        raise BadInput(f"no persona '{name}' in {folder} or in the library.{did_you_mean(name, files)}")
    return Persona.load(files[name])


@cache
def library() -> dict[str, Path]:
    """The personas that come with the package: name and file."""
    folder = Path(str(resources.files("voicebot.personas.library")))
    return {path.stem: path for path in paths.yaml_files(folder)}
