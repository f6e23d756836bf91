"""Pydantic's complaints about a YAML file as lines that a person can act on."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from voicebot import validation, yamlfile
from voicebot.errors import BadInput


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Say(Part):
    type: Literal["say"]
    text: str


class Ask(Part):
    type: Literal["ask"]
    slot: str
    tries: int = Field(default=2, ge=1)


class Inner(Part):
    with_: list[str] = Field(default=[], alias="with")
    enabled: bool = True


class Outer(Part):
    name: str
    ratio: float = 0.5
    kind: Literal["smart", "silence"] = "smart"
    steps: list[Annotated[Say | Ask, Field(discriminator="type")]] = []
    parts: dict[str, Inner] = {}
    maybe: Inner | None = None

    @model_validator(mode="after")
    def _names_differ(self) -> Outer:
        if self.name in self.parts:
            raise ValueError(f"parts.{self.name}: no part may be called as the whole")
        if self.name == "nobody":
            raise ValueError("somebody: it has to be.")
        return self


def build(text: str) -> Outer:
    return validation.build(yamlfile.parse(text, "a.yaml"), Outer)


def refusal(text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        build(text)
    return str(caught.value).splitlines()


def test_a_good_file_becomes_its_model() -> None:
    outer = build("name: x\nsteps: [{type: ask, slot: day}]\nparts: {a: {with: [b]}}\n")
    assert outer.parts["a"].with_ == ["b"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("foo: x\nname: y", "a.yaml:1:1 unknown key 'foo'. Known: kind, maybe, name, parts, ratio, steps."),
        ("nmae: x", "a.yaml:1:1 unknown key 'nmae'. Did you mean 'name'?"),  # and not: missing key 'name'
        ("name: x\nparts:\n  a: {wiht: [b]}", "a.yaml:3:7 unknown key 'wiht' in 'a'. Did you mean 'with'?"),
        ("name: x\nmaybe: {enabeld: true}", "a.yaml:2:9 unknown key 'enabeld' in 'maybe'. Did you mean 'enabled'?"),
        (
            "name: x\nsteps: [{type: ask, slot: a, trise: 1}]",
            "a.yaml:2:30 unknown key 'trise' in 'ask'. Did you mean 'tries'?",
        ),
        ("ratio: 1", "a.yaml:1:1 missing key 'name'."),
        ("name: x\nsteps:\n  - {type: say}", "a.yaml:3:5 missing key 'text' in 'say'."),
        ("name: 12", "a.yaml:1:7 'name' must be text, not '12'. Put it in quotes."),
        ("name: true", "a.yaml:1:7 'name' must be text, not true. Put it in quotes."),
        ("name: [a]", "a.yaml:1:7 'name' must be text, not a list."),
        ("name:", "a.yaml:1:6 'name' has no value; it must be text."),
        ("name: x\nratio: half", "a.yaml:2:8 'ratio' must be a number, not 'half'."),
        ("name: x\nparts: [a]", "a.yaml:2:8 'parts' must be 'key: value' lines, not a list."),
        ("name: x\nparts: {a: b}", "a.yaml:2:12 'a' must be 'key: value' lines, not 'b'."),
        ("name: x\nparts: {a: {enabled: perhaps}}", "a.yaml:2:22 'enabled' must be true or false, not 'perhaps'."),
        ("name: x\nparts: {a: {with: b}}", "a.yaml:2:19 'with' must be a list, not 'b'."),
        ("name: x\nkind: smrt", "a.yaml:2:7 'kind' cannot be 'smrt'. Did you mean 'smart'?"),
        ("name: x\nkind: 7", "a.yaml:2:7 'kind' cannot be '7'. Known: silence, smart."),
        ("name: x\nsteps: [{type: aks}]", "a.yaml:2:16 'type' cannot be 'aks'. Did you mean 'ask'?"),
        ("name: x\nsteps: [{slot: a}]", "a.yaml:2:9 missing key 'type' in 'steps'."),
        ("name: x\nsteps: [{type: ask, slot: a, tries: 0}]", "a.yaml:2:37 'tries' must be greater than or equal to 1."),
        ("name: x\nsteps: [{type: ask, slot: a, tries: x}]", "a.yaml:2:37 'tries' must be a whole number, not 'x'."),
    ],
)
def test_a_problem_is_one_line_with_place_and_remedy(text: str, line: str) -> None:
    assert refusal(text) == [line]


def test_a_validator_can_name_the_place_it_means() -> None:
    assert refusal("name: x\nparts:\n  x: {}\n") == ["a.yaml:3:6 no part may be called as the whole."]


def test_a_colon_in_a_validators_sentence_is_no_place() -> None:
    assert refusal("name: nobody") == ["a.yaml:1:1 somebody: it has to be."]


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    lines = refusal("ratio: x\nkind: y\nfoo: z\n")
    assert [line.split()[0] for line in lines] == ["a.yaml:1:1", "a.yaml:1:8", "a.yaml:2:7", "a.yaml:3:1"]


def test_a_hundred_problems_do_not_flood_the_screen() -> None:
    lines = refusal("name: x\n" + "".join(f"k{n}: 1\n" for n in range(100)))
    assert len(lines) == validation.MAX_LINES + 1
    assert lines[-1] == "... and 80 more."
