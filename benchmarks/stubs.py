"""What every system's stub STT, LLM and TTS say, so that all of them do the same work.

The stubs answer at once: what is measured is the engine between them, not a provider.
"""

from __future__ import annotations

import numpy as np

RATE_HZ = 8000
GREETING = "Bright Smile Dental, how can I help?"
HEARD = "Tomorrow at ten would be great."
"""What the stub STT understands, always."""
REPLY = "Thank you very much I have noted that."
"""What the stub LLM answers, always: one sentence, one clause, so that no system may begin with less."""
_MS_PER_CHARACTER = 52


def reply_tokens() -> list[str]:
    """The reply as a language model streams it: word by word."""
    first, *rest = REPLY.split()
    return [first, *(f" {word}" for word in rest)]


def speak(text: str) -> bytes:
    """s16le mono at `RATE_HZ`: a tone as long as `text` takes to say (`REPLY`: about 2 s)."""
    seconds = np.arange(len(text) * _MS_PER_CHARACTER * RATE_HZ // 1000) / RATE_HZ
    return np.asarray(8000 * np.sin(2 * np.pi * 300 * seconds)).astype(np.int16).tobytes()
