"""A 3-gram language model in the ARPA format, built from weighted sentences with interpolated Kneser-Ney smoothing.

Source: Chen & Goodman, "An empirical study of smoothing techniques for language modeling" (1998), section 4.1.6.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

START, END = "<s>", "</s>"

Gram = tuple[str, ...]
Counts = dict[Gram, float]


def model(
    sentences: Mapping[str, float],
    words: Iterable[str] = (),
    *,
    discount: float = 0.7,
    floor: float = 0.1,
    kneser_ney: bool = True,
) -> str:
    """The ARPA text of a 3-gram model.

    `sentences` are blank-separated words, each with a weight; every word of `words` is known too. `discount` is what
    a seen n-gram gives up to unseen ones, `floor` the share of the unigram mass that is spread evenly over all words.
    """
    trigrams, bigrams, unigrams = (_counts(sentences, order) for order in (3, 2, 1))
    if kneser_ney:
        bigrams, unigrams = _continuations(trigrams, bigrams), _continuations(bigrams, {})
    unigrams.pop((START,), None)
    known = sorted({*words, *(word for (word,) in unigrams), END})
    total = sum(unigrams.values()) or 1.0
    p1 = {(w,): (1 - floor) * unigrams.get((w,), 0.0) / total + floor / len(known) for w in known}
    p2, backoff1 = _interpolate(bigrams, p1, discount)
    p3, backoff2 = _interpolate(trigrams, p2, discount)
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


def _interpolate(counts: Counts, lower: Counts, discount: float) -> tuple[Counts, Counts]:
    """Probabilities of one order mixed with those of the order below, and the weights of backing off to that."""
    totals: Counts = defaultdict(float)
    given_up: Counts = defaultdict(float)
    for gram, count in counts.items():
        totals[gram[:-1]] += count
        given_up[gram[:-1]] += min(count, discount)
    backoff = {history: given_up[history] / totals[history] for history in totals}
    probabilities = {}
    for gram, count in counts.items():
        history = gram[:-1]
        own = max(count - discount, 0.0) / totals[history]
        probabilities[gram] = own + backoff[history] * lower[gram[1:]]
    return probabilities, backoff


def _text(p1: Counts, backoff1: Counts, p2: Counts, backoff2: Counts, p3: Counts) -> str:
    lines = ["\\data\\", f"ngram 1={len(p1)}", f"ngram 2={len(p2)}", f"ngram 3={len(p3)}"]
    for order, probabilities, backoff in ((1, p1, backoff1), (2, p2, backoff2), (3, p3, {})):
        lines += ["", f"\\{order}-grams:"]
        for gram in sorted(probabilities):
            tail = f" {math.log10(backoff.get(gram, 1.0)):.4f}" if order < 3 else ""
            lines.append(f"{max(math.log10(probabilities[gram]), -99.0):.4f} {' '.join(gram)}{tail}")
    return "\n".join([*lines, "", "\\end\\", ""])
