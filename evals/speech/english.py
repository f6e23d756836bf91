"""Extracts `voicebot/stt/english.txt.gz` from the language model that comes with PocketSphinx (about half a minute):

python -m voicebot.evals.speech.english voicebot/stt/english.txt.gz
"""

from __future__ import annotations

import gzip
import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pocketsphinx

_WORDS = 4000
_RARELY = 1e-6
"""Pairs rarer than this, of all pairs, are left out."""
_LIKELIER = 1.2
"""So are pairs that are hardly likelier than their second word alone."""


class _English:
    def __init__(self) -> None:
        logs = pocketsphinx.LogMath()
        settings = pocketsphinx.Config(lw=1.0, wip=1.0)
        path = pocketsphinx.get_model_path("en-us/en-us.lm.bin")
        self._model = pocketsphinx.NGramModel(settings, logs, path)
        self._logs = logs

    def probability(self, word: str, *before: str) -> float:
        return math.exp(self._logs.log_to_ln(self._model.prob([word, *before])))


def extract() -> Iterator[str]:
    english = _English()
    alone = {word: english.probability(word) for word in _dictionary()}
    common = sorted(alone, key=alone.__getitem__, reverse=True)[:_WORDS]
    yield _line("", {word: alone[word] for word in common})
    alone["</s>"] = english.probability("</s>")
    for first in ("<s>", *common):
        weight = alone.get(first, 0.05)
        after = {word: english.probability(word, first) for word in (*common, "</s>")}
        kept = {w: p for w, p in after.items() if weight * p > _RARELY and p > _LIKELIER * alone[w]}
        if kept:
            yield _line(first, kept)


def _dictionary() -> set[str]:
    path = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))
    words = {line.partition(" ")[0] for line in path.read_text(encoding="utf-8").splitlines()}
    return {word for word in words if re.fullmatch(r"[a-z']+", word)}


def _line(first: str, likely: dict[str, float]) -> str:
    return f"{first}\t" + " ".join(f"{word} {round(-100 * math.log10(p))}" for word, p in sorted(likely.items()))


def main(target: str) -> None:
    text = "\n".join(extract()) + "\n"
    Path(target).write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main(sys.argv[1])
