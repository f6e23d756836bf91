"""What a simulated caller understands and says in one kind of call: a domain file.

A domain names the facts of its calls (which treatment, which day), how an agent asks for each, and how callers
usually answer. Acts that are the same in every call (greeting, confirming, not understanding) come from the
language's own file in `personas/domains/`; a domain adds to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from voicebot import paths, validation, yamlfile
from voicebot.errors import BadInput, did_you_mean

from . import facts
from .facts import Kind, Mention

Question = Literal[
    "offers_person", "changes", "confirms", "anything_else", "still_there", "spells", "which", "offers", "greets"
]
"""Acts that want an answer, beside 'asks <fact>'."""
Remark = Literal["not_understood", "unavailable", "done", "wait", "hands_over", "goodbye"]
Act = Literal[Question, Remark]

_QUESTIONS: tuple[Question, ...] = get_args(Question)
_VAGUE = ("offers", "greets")
"""Questions that are only meant when no fact is asked for by name."""
_SENTENCE = re.compile(r"[^.?!]+(?:[.?!]+(?=\s|$)|$)")


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"'{text}' is not a regular expression: {error}") from None
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression, looked for in what was heard: lower case, number words as digits."""


class FactRules(BaseModel):
    """One thing a caller knows and an agent may ask for or repeat."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: Kind
    """How its values are read from speech: choice, day, time, name or digits."""
    asked: list[Pattern] = Field(min_length=1)
    """How an agent asks for it."""
    values: dict[str, list[str]] = {}
    """For a choice: every value and how it may be said."""
    after: list[Pattern] = []
    """For a name: patterns whose first group is the name the agent just said."""


class Domain(BaseModel):
    """A domain file."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    language: Literal["en"] = "en"
    """The language's own acts and phrases come with it."""
    facts: dict[str, FactRules] = {}
    """What may be asked for, by name."""
    hears: dict[Act, list[Pattern]] = {}
    """Acts of the agent and the words that give them away, beside the language's own."""
    says: dict[str, list[str]] = {}
    """Phrasings by occasion; `{day}` stands for the caller's way of saying that fact. A fact's own name is the
    occasion of being asked for it. A list replaces the language's own."""

    def over(self, base: Domain) -> Domain:
        """This domain on top of `base`: its patterns beside the base's, its phrasings and facts instead of them."""
        acts = {act: self.hears.get(act, []) + base.hears.get(act, []) for act in base.hears | self.hears}
        merged = {"hears": acts, "says": base.says | self.says, "facts": base.facts | self.facts}
        return self.model_copy(update=merged)

    def listen(self, heard: str, today: date) -> Heard:
        return Heard(self, facts.plain(heard), today)


@dataclass(frozen=True)
class Heard:
    """What the agent said since the caller last spoke, and what a caller makes of it."""

    domain: Domain
    text: str
    """As `facts.plain` gives it."""
    today: date

    @cached_property
    def remarks(self) -> frozenset[str]:
        acts = self.domain.hears.items()
        return frozenset(act for act, patterns in acts if act not in _QUESTIONS and _any(patterns, self.text))

    @cached_property
    def question(self) -> str | None:
        """The last question asked: an act's name or 'asks <fact>'; None when there was none."""
        for match in reversed(list(_SENTENCE.finditer(self.text))):
            for act, patterns in self._questions():
                if _any(patterns, match[0]):
                    return act
        return None

    def mentions(self, fact: str, *, offered: bool = False) -> list[Mention]:
        """What was said about `fact`; with `offered`, not the sentences that say what cannot be had."""
        rules = self.domain.facts[fact]
        read = facts.read(rules.kind, self.text, today=self.today, choices=rules.values, after=rules.after)
        gone = [match.span() for match in _SENTENCE.finditer(self.text) if self._refuses(match[0])] if offered else []
        return [mention for mention in read if not any(start <= mention.start < end for start, end in gone)]

    def _questions(self) -> Iterator[tuple[str, list[str]]]:
        """What a sentence may ask, the surest first."""
        hears = self.domain.hears
        yield from ((act, hears.get(act, [])) for act in _QUESTIONS if act not in _VAGUE)
        yield from ((f"asks {fact}", rules.asked) for fact, rules in self.domain.facts.items())
        yield from ((act, hears.get(act, [])) for act in _QUESTIONS if act in _VAGUE)

    def _refuses(self, sentence: str) -> bool:
        return _any(self.domain.hears.get("unavailable", []), sentence)


def load(name: str, folder: Path) -> Domain:
    """The domain `name` for a persona in `folder`: `domains/<name>.yaml` there. Raises BadInput."""
    path = folder / "domains" / f"{name}.yaml"
    if not path.exists():
        known = [other.stem for other in paths.yaml_files(folder / "domains")]
        raise BadInput(f"{paths.shown(path)} does not exist.{did_you_mean(name, known)}")
    domain = validation.build(yamlfile.read(path), Domain)
    return domain.over(spoken(domain.language))


@cache
def spoken(language: str) -> Domain:
    """The acts and phrases of a language that are the same in every kind of call."""
    file = resources.files("voicebot.personas.domains") / f"{language}.yaml"
    return validation.build(yamlfile.parse(file.read_text("utf-8"), file.name), Domain)


def _any(patterns: list[str], text: str) -> bool:
    return any(re.search(pattern, text) for pattern in patterns)
