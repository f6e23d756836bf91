"""What lies between a caller's mouth and the agent's ear: the room, the handset, the line.

    Line(rate_hz=8000, noise=Noise(kind="street", snr_db=15), loss=Loss(percent=3))
    LINES["phone"]

The sound takes this way: voice, noise of the room, handset (`muffled_hz`, `gain_db`), coding (8 kHz is the telephone
network's mu-law), and then packets of 20 ms, some of which may get lost. `voicebot.personas.medium` does it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from voicebot.agent.values import Part
from voicebot.errors import did_you_mean

NoiseKind = Literal["white", "hum", "babble", "street", "car", "cafe"]


class Noise(Part):
    """What else is to be heard where the caller is, all through the call."""

    kind: NoiseKind
    """`white` is a hissing line, `hum` a mains hum, `babble` many people, `street` traffic, `car` a moving car from
    inside, `cafe` some people and dishes."""
    snr_db: float = Field(ge=-10, le=60)
    """So much louder than it is a caller of ordinary loudness, in decibels."""


class Loss(Part):
    """Packets of 20 ms that never arrive (a two-state Gilbert model: nothing gets through while it is bad)."""

    percent: float = Field(gt=0, le=50)
    """Of all packets, on the long run."""
    burst: float = Field(default=1.0, ge=1, le=50)
    """Packets lost in a row, on average."""
    conceal: bool = True
    """Whether the receiver fills the gap with what came before it, fading out; otherwise there is silence."""


class Line(Part):
    """The way of the caller's voice to the agent."""

    rate_hz: Literal[8000, 16000] = 16000
    """Samples a second. 8000 is the telephone network: narrow, and coded as G.711 mu-law."""
    noise: Noise | None = None
    """What else is to be heard; without it, only the faint noise of every line."""
    loss: Loss | None = None
    """Packets that get lost on the way."""
    jitter_ms: float = Field(default=0, ge=0, le=500)
    """How much later than usual the network delivers a message at most: on the channel `phone` only."""
    muffled_hz: int | None = Field(default=None, ge=500, le=7000)
    """Everything above this frequency is missing: a hand or a mask before the mouth, a speaker far away."""
    gain_db: float = Field(default=0, ge=-40, le=20)
    """Louder or softer than usual, voice and noise alike."""


LINES: dict[str, Line] = {
    "clean": Line(),
    "phone": Line(rate_hz=8000),
    "hiss": Line(rate_hz=8000, noise=Noise(kind="white", snr_db=25)),
    "hum": Line(noise=Noise(kind="hum", snr_db=20)),
    "cafe": Line(noise=Noise(kind="cafe", snr_db=20)),
    "babble": Line(noise=Noise(kind="babble", snr_db=15)),
    "street": Line(noise=Noise(kind="street", snr_db=15)),
    "car": Line(noise=Noise(kind="car", snr_db=10)),
    "muffled": Line(muffled_hz=2500),
    "faint": Line(gain_db=-15),
    "lossy": Line(loss=Loss(percent=3, burst=2)),
    "mobile": Line(rate_hz=8000, noise=Noise(kind="street", snr_db=20), loss=Loss(percent=2, burst=2), jitter_ms=40),
}
"""Lines by name, for persona files (`line: street`) and suites (`lines: [clean, street]`)."""


def telephone(line: Line) -> Line:
    """The line as a telephone has it."""
    return line.model_copy(update={"rate_hz": 8000})


def _named(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value not in LINES:
        raise ValueError(f"no line '{value}'.{did_you_mean(value, LINES)}")
    return LINES[value]


NamedLine = Annotated[Line, BeforeValidator(_named, json_schema_input_type=str | Line)]
"""A line in a file: the name of one of `LINES`, or its settings."""
