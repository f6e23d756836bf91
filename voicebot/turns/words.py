"""What words alone say about a turn: surely unfinished, or only a sign of listening."""

from __future__ import annotations

import re

_UNFINISHED = frozenset(
    (
        *("a", "an", "the", "and", "or", "but", "so", "because", "if", "when", "while", "which", "who"),
        *("to", "of", "from", "with", "at", "by", "into", "my", "your", "his", "her", "our", "their"),
        *("i", "i'm", "i'd", "i'll", "we", "they", "are", "was", "were", "could", "would", "will"),
        *("um", "uh", "er", "erm"),
    )
)
"""A turn that ends with one of these goes on. Words that often do end a turn ("that", "on", "please") are left out."""

_ANSWERS = frozenset(("yes", "yeah", "yep", "sure", "okay", "ok", "right"))
_LISTENING = _ANSWERS | {"uh-huh", "uhhuh", "mhm", "mm", "mm-hmm", "hmm", "hm", "aha", "ah", "oh", "cool", "great"}
_LISTENING |= {"huh", "i-see", "go-on"}
"""Signs of listening. `_ANSWERS` may as well answer a question."""
_AS_ONE = {"uh huh": "uh-huh", "mm hmm": "mm-hmm", "ah ha": "aha", "a ha": "aha", "i see": "i-see", "go on": "go-on"}
_STRAY = frozenset(("how", "huh", "this", "for", "on", "in", "it", "that", "uh-huh"))
_ANSWER_WINDOW_MS = 1500


def _words(text: str) -> list[str]:
    """In lower case, with the two halves of "uh huh", "i see" and their like as one."""
    plain = " ".join(word.strip(".,!?") for word in text.lower().split())
    for halves, whole in _AS_ONE.items():
        plain = re.sub(rf"\b{halves}\b", whole, plain)
    return plain.split()


def stray(text: str) -> bool:
    """True for one or two words that say nothing on their own: what a recogniser makes of a cough or an "uh-huh"."""
    words = _words(text)
    return len(words) <= 2 and all(word in _UNFINISHED or word in _STRAY for word in words)


def unfinished(text: str) -> bool:
    """True when the caller surely goes on: the words stop at "the", "and", "um", ..."""
    words = text.lower().rstrip(".?! ").split()
    return bool(words) and words[-1].strip(",") in _UNFINISHED


def only_listening(text: str, unheard_ms: float) -> bool:
    """True for "uh-huh" and its kin while the agent has `unheard_ms` still to say.

    A "yes" shortly before the agent's end is an answer that came early, not a sign of listening.
    """
    words = _words(text)
    if not words or len(words) > 3 or not all(word in _LISTENING for word in words):
        return False
    return unheard_ms > _ANSWER_WINDOW_MS or not any(word in _ANSWERS for word in words)
