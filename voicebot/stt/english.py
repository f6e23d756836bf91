"""General spoken English, the background of every agent's language model: 4000 words and pairs of them.

`english.txt.gz` is an extract of the language model that comes with PocketSphinx (BSD licence, Carnegie Mellon
University); `evals/speech/english.py` makes it. Each line is a word, a tab, and what follows it: words with how
likely they are, in hundredths of a decade below one. The line of the empty word lists the words by themselves.
"""

from __future__ import annotations

import functools
import gzip
from importlib import resources

from voicebot.stt.arpa import Background, Counts

FILE = "english.txt.gz"


@functools.cache
def background() -> Background:
    words: Counts = {}
    pairs: Counts = {}
    packed = resources.files("voicebot.stt").joinpath(FILE).read_bytes()
    for line in gzip.decompress(packed).decode().splitlines():
        first, _, rest = line.partition("\t")
        fields = rest.split()
        for word, hundredths in zip(fields[::2], fields[1::2], strict=True):
            likely = 10.0 ** (-int(hundredths) / 100)
            if first:
                pairs[(first, word)] = likely
            else:
                words[(word,)] = likely
    return Background(words, pairs)
