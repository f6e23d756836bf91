"""A persona heard for a few seconds, without a call: its voice and habits of speech, in its room, over its line."""

from __future__ import annotations

from .dice import Dice
from .habits import Habits
from .medium import carried
from .mouth import SpeakingMouth
from .persona import Persona
from .phrases import Phrases
from .voice import CallerVoice
from .wire import Wire

_AROUND_S = 0.8
"""Of the room before and after the words."""


def opening(persona: Persona, seed: int) -> str:
    """How this caller would begin a call about their own matter."""
    return Phrases(persona, Dice(seed)).phrase("opening")


async def heard(persona: Persona, text: str, seed: int) -> bytes:
    """`text` as it would reach an agent: s16le mono at the rate of the persona's line. Raises BadInput, Unavailable."""
    line, dice = persona.line, Dice(seed)
    voice = CallerVoice(persona.voice, line.rate_hz)
    await voice.load()
    pieces = Habits(persona.temperament, dice, persona.understanding.says["backchannel"]).spoken(text)
    mouth = SpeakingMouth(Wire(persona.name, line, seed=seed), voice, dice)
    utterance = await mouth.prepare(pieces)
    around = bytes(2 * int(_AROUND_S * line.rate_hz))
    return carried(around + utterance.pcm + around, line, seed)
