"""Understanding spoken English without a model: dates, times, numbers, names, choices, yes and no.

Everything here reads an `Utterance` and answers with `Mention`s: typed values and the words they were made of. Nothing
guesses: what has two readings comes back with both of them in `options`.
"""

from __future__ import annotations

from .text import Mention, Utterance

__all__ = ["Mention", "Utterance"]
