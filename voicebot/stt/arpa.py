"""A 3-gram language model in the ARPA format, from weighted sentences over a background of general English.

Interpolated Kneser-Ney smoothing: Chen & Goodman, "An empirical study of smoothing techniques for language modeling"
(1998), section 4.1.6. Where the sentences know nothing, the background's words and pairs of words decide.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

START, END = "<s>", "</s>"

Gram = tuple[str, ...]
Counts = dict[Gram, float]


@dataclass(frozen=True)
class Background:
    """General English: how likely words are, and words after a word (only pairs that are likelier than chance)."""

    words: Counts = field(default_factory=dict)
    pairs: Counts = field(default_factory=dict)


@dataclass(frozen=True)
class Smoothing:
    discount: float = 0.85
    """What a seen n-gram gives up to unseen ones."""
    even: float = 0.02
    """Share of the single-word mass that is spread evenly over all words."""
    background_words: float = 0.5
    """Share of the single-word mass that follows the background."""
    background_pairs: float = 0.8
    """Of what seen pairs give up, the share that follows the background's pairs."""


def model(
    sentences: Mapping[str, float],
    words: Iterable[str] = (),
    background: Background | None = None,
    smoothing: Smoothing | None = None,
) -> str:
    """The ARPA text. `sentences` are blank-separated words, each with a weight; `words` and the background's are
    known too."""
    background, smoothing = background or Background(), smoothing or Smoothing()
    trigrams, pairs = _counts(sentences, 3), _counts(sentences, 2)
    singles = _continuations(pairs, {})
    p1 = _single_words({*((word,) for word in words), *singles, (END,)} - {(START,)}, singles, background, smoothing)
    p2, backoff1 = _pairs(_continuations(trigrams, pairs), p1, background.pairs, smoothing)
    p3, backoff2 = _interpolate(trigrams, p2, smoothing.discount)
    return _text({**p1, (START,): 1e-99}, backoff1, p2, backoff2, p3)


def _counts(sentences: Mapping[str, float], order: int) -> Counts:
    counts: Counts = defaultdict(float)
    for sentence, weight in sentences.items():
        tokens = [START, *sentence.split(), END]
        for gram in zip(*(tokens[start:] for start in range(order)), strict=False):
            counts[gram] += weight
    return counts


def _continuations(higher: Counts, lower: Counts) -> Counts:
    """How many different words come before each n-gram; those that open a sentence keep their own count."""
    counts: Counts = defaultdict(float)
    for gram in higher:
        counts[gram[1:]] += 1.0
    for gram, count in lower.items():
        if gram[0] == START:
            counts[gram] = count
    return counts


def _single_words(known: set[Gram], counts: Counts, background: Background, smoothing: Smoothing) -> Counts:
    known = known | set(background.words)
    share = smoothing.background_words if background.words else 0.0
    own, general = sum(counts.values()) or 1.0, sum(background.words.values()) or 1.0
    return {
        word: (1 - share - smoothing.even) * counts.get(word, 0.0) / own
        + share * background.words.get(word, 0.0) / general
        + smoothing.even / len(known)
        for word in known
    }


def _pairs(counts: Counts, p1: Counts, background: Counts, smoothing: Smoothing) -> tuple[Counts, Counts]:
    """Probabilities of pairs, seen or of the background, and the weights of backing off to single words."""
    general = {pair: likely for pair, likely in background.items() if pair[1:] in p1 and (pair[:1] in p1)}
    general |= {pair: likely for pair, likely in background.items() if pair[0] == START and pair[1:] in p1}
    opens = {pair[:1] for pair in general}
    totals, given_up = _shares(counts, smoothing.discount)
    p2: Counts = {}
    left: Counts = defaultdict(lambda: 1.0)
    unlisted: Counts = defaultdict(lambda: 1.0)
    for pair in {**counts, **general}:
        first, second = pair[:1], pair[1:]
        share = smoothing.background_pairs if first in opens else 0.0
        own = max(counts.get(pair, 0.0) - smoothing.discount, 0.0) / totals[first] if first in totals else 0.0
        p2[pair] = own + given_up.get(first, 1.0) * ((1 - share) * p1[second] + share * general.get(pair, 0.0))
        left[first] -= p2[pair]
        unlisted[first] -= p1[second]
    return p2, {first: max(left[first], 1e-4) / max(unlisted[first], 1e-4) for first in left}


def _interpolate(counts: Counts, lower: Counts, discount: float) -> tuple[Counts, Counts]:
    """Probabilities of one order mixed with those of the order below, and the weights of backing off to that."""
    totals, given_up = _shares(counts, discount)
    probabilities = {
        gram: max(count - discount, 0.0) / totals[gram[:-1]] + given_up[gram[:-1]] * lower[gram[1:]]
        for gram, count in counts.items()
    }
    return probabilities, given_up


def _shares(counts: Counts, discount: float) -> tuple[Counts, Counts]:
    """For each history: how often it was seen, and the share of that which its n-grams give up."""
    totals: Counts = defaultdict(float)
    given_up: Counts = defaultdict(float)
    for gram, count in counts.items():
        totals[gram[:-1]] += count
        given_up[gram[:-1]] += min(count, discount)
    return totals, {history: given_up[history] / totals[history] for history in totals}


def _text(p1: Counts, backoff1: Counts, p2: Counts, backoff2: Counts, p3: Counts) -> str:
    lines = ["\\data\\", f"ngram 1={len(p1)}", f"ngram 2={len(p2)}", f"ngram 3={len(p3)}"]
    for order, probabilities, backoff in ((1, p1, backoff1), (2, p2, backoff2), (3, p3, {})):
        lines += ["", f"\\{order}-grams:"]
        for gram, probability in sorted(probabilities.items()):
            tail = f" {math.log10(backoff.get(gram, 1.0)):.4f}" if order < 3 else ""
            lines.append(f"{max(math.log10(probability), -99.0):.4f} {' '.join(gram)}{tail}")
    return "\n".join([*lines, "", "\\end\\", ""])
