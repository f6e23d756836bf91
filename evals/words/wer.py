"""Word error rate: how much of what was said was misheard, whatever way both sides write it.

`normalise` follows the idea of Whisper's English normaliser (Radford et al., 2022, appendix C): lower case, no
punctuation or fillers, contractions written out, numbers as digits. Beyond it, spelled codes and digits said one by
one are joined, so that "Z K three", "ZK3" and "z k 3" are one word, right or wrong as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from voicebot.evals.words.numerals import joined, numerals


@dataclass(frozen=True)
class Errors:
    """Words substituted, deleted and inserted, of `words` said."""

    substituted: int = 0
    deleted: int = 0
    inserted: int = 0
    words: int = 0
    flips: int = 0
    """Utterances whose negation was lost or made up: "cancel it" for "don't cancel it"."""

    @property
    def rate(self) -> float:
        """Errors per word said; can exceed 1. Words heard where nothing was said are a rate of 1."""
        errors = self.substituted + self.deleted + self.inserted
        return errors / self.words if self.words else float(errors > 0)


def wer(said: str, heard: str) -> Errors:
    """The errors of one utterance, both sides normalised."""
    reference, hypothesis = normalise(said).split(), normalise(heard).split()
    kinds = [edit.tag for edit in Levenshtein.editops(reference, hypothesis)]
    return Errors(
        substituted=kinds.count("replace"),
        deleted=kinds.count("delete"),
        inserted=kinds.count("insert"),
        words=len(reference),
        flips=int(_negations(reference) % 2 != _negations(hypothesis) % 2),
    )


def pooled(utterances: Iterable[Errors]) -> Errors:
    """All errors over all words: long utterances count more."""
    errors = list(utterances)
    return Errors(
        substituted=sum(each.substituted for each in errors),
        deleted=sum(each.deleted for each in errors),
        inserted=sum(each.inserted for each in errors),
        words=sum(each.words for each in errors),
        flips=sum(each.flips for each in errors),
    )


def mean(utterances: Iterable[Errors]) -> float:
    """The average of the utterances' rates: each counts the same. 0 for none."""
    rates = [each.rate for each in utterances]
    return sum(rates) / len(rates) if rates else 0.0


def normalise(text: str) -> str:
    """'Um, it's $1,200 at 10:30 p.m.!' -> 'it is 1200 dollars at 10 30 pm'."""
    text = text.lower().replace("\u2019", "'")
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    return " ".join(joined(numerals(text.split())))


_REWRITES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\[[^]]*\]|<[^>]*>|\([^)]*\)", " "),  # [noise], (laughs)
        (r"\b(?:um+|uh+|hm+|mm+|mhm|erm?|ah)\b", " "),
        (r"\b([ap])\.? ?m\b\.?", r"\1m"),
        (r"\bo'clock\b", "oclock"),
        (r"\bwon't\b", "will not"),
        (r"\bcan't\b|\bcannot\b", "can not"),
        (r"\bshan't\b", "shall not"),
        (r"n't\b", " not"),
        (r"'re\b", " are"),
        (r"'ve\b", " have"),
        (r"'ll\b", " will"),
        (r"'d\b", " would"),
        (r"'m\b", " am"),
        (r"\blet's\b", "let us"),
        (r"\b(it|that|there|here|what|who|where|how|when|he|she|name)'s\b", r"\1 is"),
        (r"\bgonna\b", "going to"),
        (r"\bwanna\b", "want to"),
        (r"\bokay\b", "ok"),
        (r"\$ ?(\d[\d,.]*\d|\d)", r"\1 dollars"),
        (r"(\d),(?=\d{3}\b)", r"\1"),
        (r"\b(\d{1,2}):00\b", r"\1"),
        (r"(\d)[:.](?=\d\d ?[ap]m\b)|(\d):(?=\d\d\b)", r"\1\2 "),
        (r"(\d)\.(?=\d)", r"\1 point "),
        (r"%", " percent "),
        (r"(?<=\d)-(?=\d)", ""),
        (r"'", ""),
        (r"[^a-z0-9 ]", " "),
    )
]


def _negations(words: list[str]) -> int:
    return sum(word in {"no", "not", "never", "nothing", "none", "nobody", "neither", "without"} for word in words)
