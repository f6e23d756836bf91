"""How an agent hears and speaks: the `voice` of an agent file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from voicebot import references
from voicebot.agent.values import Duration, OneOrMore, Part, Text


class Turns(Part):
    """Who may speak when."""

    end_of_turn: Literal["smart", "silence"] = "smart"
    """How the agent knows that the caller has finished. `smart`: silence confirmed by the Smart Turn model and by what
    was said; `silence`: silence alone."""
    barge_in: bool = True
    """Whether the caller can interrupt the agent. A cough or an "uh-huh" never does."""
    idle: Annotated[Duration, Field(gt=0, le=600)] = 8.0
    """How long both may be silent before the agent speaks up: `8s`, `500ms`, `2m`; a bare number is in seconds."""


class Voice(Part):
    """How the agent hears and speaks."""

    stt: OneOrMore[Annotated[Text, AfterValidator(references.stt)]] = Field(default=["auto"])
    """Speech to text, as `provider` or `provider/model`. The first that is available is used, the rest are fallbacks.
    `auto` picks the best that runs here and now."""
    tts: OneOrMore[Annotated[Text, AfterValidator(references.tts)]] = Field(default=["auto"])
    """Text to speech, as `provider` or `provider/voice`, for example `espeak/en-us+f2`; chosen like `stt`."""
    speed: Annotated[float, Field(ge=0.5, le=2)] = 1.0
    """How fast the agent speaks, from half to twice as fast as the voice was made; ElevenLabs goes from 0.7 to 1.2."""
    manner: dict[Literal["stability", "similarity_boost", "style"], Annotated[float, Field(ge=0, le=1)]] = Field(
        default={}
    )
    """How a voice of ElevenLabs speaks, each from 0 to 1, for example `{stability: 0.4}`; without it, as it was made.
    Other voices do not know this."""
    pronounce: dict[Text, Text] = Field(default={})
    """How words and phrases of the agent are said, for example `{Nguyen: win, SQL: sequel}`; the transcript keeps their
    spelling. Numbers, money, dates, e-mail addresses and codes are read out rightly without it."""
    hold_music: Annotated[Text, AfterValidator(references.sound)] | None = None
    """What callers hear who wait: a sound file of the project, for example `sounds/piano.ogg`, of which five minutes
    are played round and round. Without it, a few quiet chords."""
    turns: Turns = Turns()
    """Who may speak when."""
