"""What the page says over its data channel: small JSON objects with a `type`. Whatever else comes is left out."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

MOST_CHARACTERS = 4096
_STRICT = ConfigDict(frozen=True, extra="forbid")


class Here(BaseModel):
    """The page is there; sent every second."""

    model_config = _STRICT

    type: Literal["here"]
    delay_ms: float | None = Field(default=None, ge=0, le=60_000, allow_inf_nan=False)
    """How long the agent's sound takes from the server to the loudspeaker."""


class After(BaseModel):
    """The page wants to be told what came behind the `n`-th message; the first thing that it says."""

    model_config = _STRICT

    type: Literal["after"]
    n: int = Field(ge=0)


class Keys(BaseModel):
    model_config = _STRICT

    type: Literal["keys"]
    keys: Annotated[str, StringConstraints(pattern=r"^[0-9*#A-D]{1,32}$")]


class Typed(BaseModel):
    """A turn of a caller who types."""

    model_config = _STRICT

    type: Literal["text"]
    text: Annotated[str, StringConstraints(max_length=1000, pattern=r"\S")]


class HangUp(BaseModel):
    model_config = _STRICT

    type: Literal["hang_up"]


Said: TypeAlias = Here | After | Keys | Typed | HangUp
_SAID: TypeAdapter[Said] = TypeAdapter(Annotated[Said, Field(discriminator="type")])


def read(message: object) -> Said | None:
    """None: it is nothing that a page says."""
    if not isinstance(message, str) or len(message) > MOST_CHARACTERS:
        return None
    try:
        return _SAID.validate_json(message)
    except ValidationError:
        return None
