"""What Whisper says although nobody did: repeated loops, and the farewells of video subtitles over silence.

Known of the model: "Careless Whisper" (Koenecke et al., 2024). The thresholds lie between what tiny.en and base gave
for speech (no speech 0.36 at most, a token's log-probability -1.9 at least) and for hiss, hum, tones, clicks, breath.
"""

from __future__ import annotations

import re
import zlib

_NO_SPEECH = 0.6
_HARDLY_SPEECH, _UNLIKELY = 0.2, -2.0
"""Less sure that nobody spoke, and the mean log-probability of a token that settles it."""
_IMPOSSIBLE = -3.0
"""Such words were never said, however sure the model is that somebody spoke."""
_REPETITIVE = 2.4
"""How much the text can be compressed."""
_AGAIN_WORDS = 4
"""So many words that only repeat what was just said are a loop: a caller says "no no no", not a sentence twice."""
_SUBTITLES = re.compile(
    r"(subtitles?|captions?|transcri(bed|ption)) by\b.*|thank(s| you)( so much| very much)? for (watching|listening).*"
    r"|(please |don't forget to )*(like and )?subscribe\b.*|see you (in the )?next (video|time).*|www\.\S+|amara\.org",
    re.IGNORECASE,
)
_OVER_SILENCE = frozenset(("you", "thank you", "thanks", "bye", "okay", "so", "oh", "the", "i", "hmm", "uh"))
_DOUBTFUL_SPEECH = 0.4
"""Probability of no speech from which the words above are doubted."""


def loops(text: str) -> bool:
    """True when the text goes round in circles."""
    data = text.encode()
    apart = text.replace("-", " ")
    return len(data) / len(zlib.compress(data)) > _REPETITIVE or once(apart) != apart


def once(text: str) -> str:
    """The text without what is said over and over."""
    words = text.split()
    plain = [word.lower().strip(".,!?…") for word in words]
    for start in range(len(words)):
        for length in range(1, (len(words) - start) // 2 + 1):
            rounds = _rounds(plain[start:], length)
            if length * (rounds - 1) >= _AGAIN_WORDS:
                return once(" ".join(words[: start + length] + words[start + length * rounds :]))
    return text


def _rounds(words: list[str], length: int) -> int:
    """How often the first `length` words stand there, one time right behind the other."""
    phrase, rounds = words[:length], 1
    while words[rounds * length : (rounds + 1) * length] == phrase:
        rounds += 1
    return rounds


def unsaid(text: str, no_speech: float, log_probability: float) -> bool:
    """True for words that the model made up: `no_speech` is its probability that there was none."""
    plain = text.lower().strip(" .,!?…")
    if not any(character.isalnum() for character in plain):
        return True
    if no_speech > _NO_SPEECH or log_probability < _IMPOSSIBLE:
        return True
    if no_speech > _HARDLY_SPEECH and log_probability < _UNLIKELY:
        return True
    if no_speech > _HARDLY_SPEECH and _SUBTITLES.fullmatch(plain):
        return True
    return no_speech > _DOUBTFUL_SPEECH and plain in _OVER_SILENCE
