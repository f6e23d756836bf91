"""How words sound, in the ARPAbet of the recogniser's acoustic model: from its own dictionary, else from eSpeak NG."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

import pocketsphinx

from voicebot.tts import espeakng

_STRESS = str.maketrans("", "", "ˈˌː̩̃ʲ")
_ARPABET = {
    # vowels, as eSpeak's en-us writes them without stress and length marks
    "ɑ": "AA", "ɑɹ": "AA R", "æ": "AE", "a": "AE", "ʌ": "AH", "ə": "AH", "ɐ": "AH", "ᵻ": "IH", "ɔ": "AO", "ɔɹ": "AO R",
    "oɹ": "AO R", "o": "AO", "aʊ": "AW", "aɪ": "AY", "ɛ": "EH", "e": "EH", "ɛɹ": "EH R", "ɜ": "ER", "ɚ": "ER", "ɝ": "ER",
    "eɪ": "EY", "ɪ": "IH", "ɪɹ": "IH R", "i": "IY", "iə": "IY AH", "oʊ": "OW", "əʊ": "OW", "ɔɪ": "OY", "ʊ": "UH",
    "ʊɹ": "UH R", "u": "UW", "aɪɚ": "AY ER", "aɪə": "AY AH", "aʊɚ": "AW ER", "əl": "AH L", "ɒ": "AA", "y": "UW",
    # consonants
    "b": "B", "tʃ": "CH", "d": "D", "ð": "DH", "f": "F", "ɡ": "G", "h": "HH", "dʒ": "JH", "k": "K", "l": "L", "ɫ": "L",
    "m": "M", "n": "N", "ŋ": "NG", "p": "P", "ɹ": "R", "r": "R", "ɾ": "T", "s": "S", "ʃ": "SH", "t": "T", "θ": "TH",
    "v": "V", "w": "W", "j": "Y", "z": "Z", "ʒ": "ZH", "x": "K", "ʔ": "T", "ɬ": "L", "ç": "HH", "n̩": "AH N", "l̩": "AH L",
}  # fmt: skip


def spoken(word: str) -> str: 
    out = []
    for symbol in espeakng.phonemes([word])[0].split():
        s = symbol.translate(_STRESS)
        out.append(_ARPABET[s])
    return " ".join(out)
