"""How words sound, in the recogniser's phonemes: from PocketSphinx's dictionary, else as eSpeak NG says them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

import pocketsphinx

from voicebot.tts import espeakng

_MARKS = re.compile("[ˈˌːʲ\u0303\u0329]")
"""Stress, length and the like, which the recogniser's phonemes do not tell apart."""

_ARPABET = {
    # vowels, as eSpeak's en-us writes them without marks
    "ɑ": "AA", "ɒ": "AA", "æ": "AE", "a": "AE", "ʌ": "AH", "ə": "AH", "ɐ": "AH", "ɔ": "AO", "o": "AO", "aʊ": "AW",
    "aɪ": "AY", "ɛ": "EH", "e": "EH", "ɜ": "ER", "ɚ": "ER", "ɝ": "ER", "eɪ": "EY", "ɪ": "IH", "ᵻ": "IH", "i": "IY",
    "oʊ": "OW", "əʊ": "OW", "ɔɪ": "OY", "ʊ": "UH", "u": "UW", "y": "UW", "ɑɹ": "AA R", "ɔɹ": "AO R", "oɹ": "AO R",
    "ɛɹ": "EH R", "ɪɹ": "IH R", "ʊɹ": "UH R", "iə": "IY AH", "aɪɚ": "AY ER", "aɪə": "AY AH", "aʊɚ": "AW ER",
    "əl": "AH L",
    # consonants
    "b": "B", "tʃ": "CH", "d": "D", "ð": "DH", "f": "F", "ɡ": "G", "h": "HH", "ç": "HH", "dʒ": "JH", "k": "K", "x": "K",
    "l": "L", "ɫ": "L", "ɬ": "L", "m": "M", "n": "N", "ŋ": "NG", "p": "P", "ɹ": "R", "r": "R", "ɾ": "T", "s": "S",
    "ʃ": "SH", "t": "T", "ʔ": "T", "θ": "TH", "v": "V", "w": "W", "j": "Y", "z": "Z", "ʒ": "ZH",
}  # fmt: skip
_LONGEST = max(map(len, _ARPABET))


def dictionary(words: Iterable[str]) -> str:
    """The pronunciations of `words` as a PocketSphinx dictionary. Words that nobody can pronounce are left out."""
    known = _known()
    words = sorted(set(words))
    missing = [word for word in words if word not in known]
    invented = dict(zip(missing, map(_arpabet, espeakng.phonemes(missing)), strict=True))
    lines = []
    for word in words:
        for number, phones in enumerate(known.get(word) or [invented[word]], start=1):
            if phones:
                lines.append(f"{word} {phones}" if number == 1 else f"{word}({number}) {phones}")
    return "\n".join([*lines, ""])


@functools.cache
def _known() -> dict[str, list[str]]:
    """Every word of PocketSphinx's dictionary with its pronunciations."""
    pronunciations: dict[str, list[str]] = {}
    with open(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"), encoding="utf-8") as lines:
        for line in lines:
            word, _, phones = line.rstrip().partition(" ")
            pronunciations.setdefault(word.partition("(")[0], []).append(phones)
    return pronunciations


def _arpabet(ipa: str) -> str:
    """'t ˈuː θ' -> 'T UW TH'. Sounds that English has not are left out."""
    phones: list[str] = []
    for symbol in _MARKS.sub("", ipa).split():
        phones += _split(symbol)
    return " ".join(phones)


def _split(symbol: str) -> list[str]:
    """The phonemes of one eSpeak symbol, the longest known part first."""
    phones = []
    while symbol:
        part = next((symbol[:size] for size in range(_LONGEST, 0, -1) if symbol[:size] in _ARPABET), None)
        phones += [_ARPABET[part]] if part else []
        symbol = symbol[len(part or " ") :]
    return phones
