"""What can be pulled: `catalogue.yaml`, typed."""

from __future__ import annotations

import os
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from voicebot.errors import BadInput, did_you_mean

HUB = "https://huggingface.co"
MIRROR = "HF_ENDPOINT"
"""The setting by which Hugging Face's own tools are sent to a mirror of the hub."""


class File(BaseModel):
    """One file of a model, on the Hugging Face hub."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    hub: str
    """The repository: 'owner/name'."""
    revision: str = "main"
    """A commit, so that the file is always the same one."""
    name: str
    """The file in the repository, and what it is called here."""
    size: int = Field(gt=0)
    """Bytes."""
    sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$")
    """'' means that what the hub announces is to be believed."""

    @property
    def url(self) -> str:
        return f"{_hub()}/{self.hub}/resolve/{self.revision}/{self.name}"

    @property
    def page(self) -> str:
        """Where a person sees the file, its size and its checksum."""
        return f"{_hub()}/{self.hub}/blob/{self.revision}/{self.name}"


class Entry(BaseModel):
    """A model of the catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str
    kind: Literal["llm", "stt", "tts"]
    """What it is for."""
    what: str
    """One line for a person."""
    license: str
    files: tuple[File, ...] = Field(min_length=1)
    """The first is the one that is loaded."""

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)


class _Listed(Entry):
    name: str = ""


class _Catalogue(RootModel[dict[str, _Listed]]):
    """Name -> model, as the file has it."""


def _hub() -> str:
    return os.environ.get(MIRROR, "").rstrip("/") or HUB


@cache
def entries() -> tuple[Entry, ...]:
    """All models, in the order of the file."""
    from voicebot import validation, yamlfile

    text = resources.files("voicebot.models").joinpath("catalogue.yaml").read_text(encoding="utf-8")
    listed = validation.build(yamlfile.parse(text, "catalogue.yaml"), _Catalogue).root
    return tuple(Entry.model_validate({**shape.model_dump(), "name": name}) for name, shape in listed.items())


def entry(name: str) -> Entry:
    """The model called `name`. Raises BadInput."""
    for each in entries():
        if each.name == name:
            return each
    raise BadInput(f"unknown model '{name}'.{did_you_mean(name, [each.name for each in entries()])}")
