"""What a call is about: a caller's goal and the facts they know, apart from who they are.

A scenario gives a role and any persona plays it: `persona.playing(role, root)`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, PrivateAttr

from voicebot import yamlfile
from voicebot.agent.values import Part

from .domain import Pattern

CALLER = "{caller}"
"""In a fact: the name of whoever plays the role."""


class Known(Part):
    """A fact the caller knows."""

    value: str
    """What is true: a key of a choice, a weekday or date, HH:MM, a name, digits. `{caller}` stands for the persona's
    own name."""
    say: list[str] = Field(default=[])
    """How the caller puts it, one picked each time, the first when it was misunderstood; the value when empty."""
    wrong: list[str] = Field(default=[])
    """What a caller who corrects themselves may say first instead, in words."""

    @property
    def spoken(self) -> list[str]:
        return self.say or [self.value]

    def of(self, caller: str) -> Known:
        """The same with the caller's name in its place."""
        said = [text.replace(CALLER, caller) for text in self.say]
        return self.model_copy(update={"value": self.value.replace(CALLER, caller), "say": said})


def _as_fact(value: object) -> object:
    return {"value": value} if isinstance(value, str) else value


Facts = dict[str, Annotated[Known, BeforeValidator(_as_fact, json_schema_input_type=str | Known)]]


class Role(Part):
    """What the caller wants and knows."""

    domain: str = ""
    """The domain file that says how this caller understands the agent: `personas/domains/<domain>.yaml`."""
    goal: str = ""
    """What the caller wants, one sentence for people."""
    facts: Facts = Field(default={})
    """What the caller knows. A plain value is short for one without phrasings."""
    says: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(default={})
    """Phrasings that replace the domain's, by occasion: 'opening', 'yes', a fact's name ..."""
    refuses: list[Pattern] = Field(default=[])
    """Confirmations with these words are refused whatever the facts: somebody who books does not want to cancel."""

    _document: yamlfile.Document | None = PrivateAttr(default=None)
    _at: yamlfile.Loc = PrivateAttr(default=())

    def written_in(self, document: yamlfile.Document, at: yamlfile.Loc = ()) -> Role:
        """The same role, whose problems are told by their place: its keys stand in `document` at `at`."""
        self._document, self._at = document, at
        return self

    def place(self, *loc: str | int, of_key: bool = False) -> str:
        """Where something of it is written, 'evals/books.yaml:7:3', for the beginning of a sentence."""
        if self._document is None:
            return f"the role's '{loc[0]}':" if loc else "the role:"
        return self._document.place((*self._at, *loc), of_key=of_key)
