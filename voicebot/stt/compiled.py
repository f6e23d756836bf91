"""A language model and a dictionary compiled from sentences, and the decoders that hear with them."""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import shutil
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

import pocketsphinx

from voicebot.stt import arpa, english, pronunciations

_SETTINGS = {
    "loglevel": "FATAL",
    "fwdflat": False,  # the second pass is 1 % better and takes 100 ms after the caller has stopped
}


class Model:
    """What callers may say, compiled. Decoders are lent out for a stretch of speech and used again."""

    def __init__(self, language_model: Path, dictionary: Path) -> None:
        self._language_model = language_model
        self._dictionary = dictionary
        self._idle: list[pocketsphinx.Decoder] = []

    def lend(self) -> pocketsphinx.Decoder:
        """A decoder for one stretch: about 40 ms to make the first time, nothing later."""
        with contextlib.suppress(IndexError):  # two threads may want the last one
            return self._idle.pop()
        return pocketsphinx.Decoder(lm=str(self._language_model), dict=str(self._dictionary), **_SETTINGS)

    def take_back(self, decoder: pocketsphinx.Decoder) -> None:
        self._idle.append(decoder)


_COMPILING = threading.Lock()
_MODELS: dict[str, Model] = {}


def compiled(sentences: Mapping[str, float]) -> Model:
    """The model for `sentences` (words separated by blanks, with weights): about a second, then kept."""
    key = hashlib.sha256(repr(sorted(sentences.items())).encode()).hexdigest()
    with _COMPILING:
        if key not in _MODELS:
            _MODELS[key] = _compile(sentences, _folder() / key[:16])
        return _MODELS[key]


def _compile(sentences: Mapping[str, float], stem: Path) -> Model:
    background = english.background()
    words = {word for sentence in sentences for word in sentence.split()} | {word for (word,) in background.words}
    dictionary = pronunciations.dictionary(words)
    language_model_file, dictionary_file = stem.with_suffix(".arpa"), stem.with_suffix(".dict")
    dictionary_file.write_text(dictionary, encoding="utf-8")
    language_model_file.write_text(arpa.model(sentences, background=background), encoding="utf-8")
    return Model(language_model_file, dictionary_file)


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="voicebot-stt-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
