"""Topics that the agent does not talk about, by the words that its file gives for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import Stemmer

from voicebot.agent.guardrails import Topic
from voicebot.brain.guardrails.reading import Reading
from voicebot.brain.guardrails.ruling import Hit

_STEMMERS = {
    "en": "english",
    "de": "german",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
}
TAKEN = ""
"""Stands for a word of an allowed phrase."""


@dataclass(frozen=True)
class _Phrase:
    topic: str
    stems: tuple[str, ...]


class Topics:
    """Denied phrases and allowed ones, in any inflection."""

    def __init__(self, deny: Sequence[str | Topic], allow: Sequence[str], language: str) -> None:
        self._stemmer = Stemmer.Stemmer(_STEMMERS.get(language, "english"))
        named = [(each, [each]) if isinstance(each, str) else (each.name, each.words) for each in deny]
        self._denied = _by_first(_Phrase(name, self._stems(text)) for name, texts in named for text in texts)
        self._allowed = _by_first(_Phrase("", self._stems(text)) for text in allow)

    def _stems(self, text: str) -> tuple[str, ...]:
        """A word that ends in a star stays as it is."""
        parts = text.split()
        stems: list[str] = []
        for part in parts:
            words = [token for token in Reading(part).tokens if token[0].isalnum()]
            stems += [f"{words[-1]}*"] if part.endswith("*") and words else self._stemmed(words)
        return tuple(stems)

    def _stemmed(self, words: list[str]) -> list[str]:
        return [str(each) for each in self._stemmer.stemWords([word.removesuffix("'s") for word in words])]

    def find(self, reading: Reading) -> list[Hit]:
        """The denied topics of a text, each once."""
        texts = [reading.tokens[place].removesuffix("'s") for place in reading.words]
        stems = self._stemmed(texts)
        for place in range(len(stems)):
            for phrase in _candidates(self._allowed, stems, texts, place):
                stems[place : place + len(phrase.stems)] = [TAKEN] * len(phrase.stems)
                texts[place : place + len(phrase.stems)] = [TAKEN] * len(phrase.stems)
        hits: dict[str, Hit] = {}
        for place in range(len(stems)):
            for phrase in _candidates(self._denied, stems, texts, place):
                first, last = reading.words[place], reading.words[place + len(phrase.stems) - 1]
                hits.setdefault(
                    phrase.topic, Hit("topic", phrase.topic, reading.starts[first], reading.ends[last], 1.0)
                )
        return list(hits.values())


def _by_first(phrases: Iterable[_Phrase]) -> dict[str, list[_Phrase]]:
    """By first stem; those that begin with an open word under ''."""
    found: dict[str, list[_Phrase]] = {}
    for phrase in phrases:
        if phrase.stems:
            found.setdefault("" if phrase.stems[0].endswith("*") else phrase.stems[0], []).append(phrase)
    return found


def _candidates(book: dict[str, list[_Phrase]], stems: list[str], texts: list[str], place: int) -> list[_Phrase]:
    if stems[place] == TAKEN:
        return []
    return [
        phrase for phrase in (*book.get(stems[place], ()), *book.get("", ())) if _is_at(phrase, stems, texts, place)
    ]


def _is_at(phrase: _Phrase, stems: list[str], texts: list[str], place: int) -> bool:
    if place + len(phrase.stems) > len(stems):
        return False
    return all(
        texts[place + number].startswith(wanted[:-1]) if wanted.endswith("*") else stems[place + number] == wanted
        for number, wanted in enumerate(phrase.stems)
    )


@lru_cache(maxsize=64)
def compiled(deny: tuple[str | tuple[str, tuple[str, ...]], ...], allow: tuple[str, ...], language: str) -> Topics:
    """Topics by their plain values, compiled once a process."""
    topics = [each if isinstance(each, str) else Topic(name=each[0], words=list(each[1])) for each in deny]
    return Topics(topics, allow, language)
