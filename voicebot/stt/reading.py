"""Whisper at work: up to 30 seconds of sound in, words out. Runs in a worker thread.

Whisper was made for windows of 30 seconds and costs the same for a "yes". Given `_MARGIN_S` of silence behind the
speech instead of all that, it hears as well in a fraction of the time; with less silence it goes round in circles. If
it does so all the same, it reads once more, with the whole window.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soxr
from loguru import logger

from voicebot.errors import BadInput, Unavailable, did_you_mean
from voicebot.media import to_floats
from voicebot.stt import doubt

RATE_HZ = 16_000
LONGEST_S = 22.0
"""As much speech as fits into a window of 30 s with its margin."""
FILES = ("model.bin", "config.json", "tokenizer.json")
"""What the folder of a model has; besides, a vocabulary, and for some models a preprocessor_config.json."""
_MARGIN_S, _SHORTEST_S = 8.0, 12.0
_FRAMES_PER_S = 100
_WHOLE_WINDOW = 30 * _FRAMES_PER_S
_TOKENS_PER_S, _TOKENS = 9, 20
"""More is no speech: a fast talker says some five words a second, and digits take a token each."""
_SURE_OF_LANGUAGE = 0.5
_FIGURES = re.compile(r"[\d%$€£]")
_UNLIKELY = -2.5
"""Mean log-probability of a token from which on numbers in words were forced upon the model."""
_AS_CONFIGURED = -1
"""Stands for the tokens that the model's own configuration suppresses."""
_THREADS = 4
"""Whisper gains little from more."""


def window_s(speech_s: float) -> float:
    """How much time is given to so much speech."""
    return min(_WHOLE_WINDOW / _FRAMES_PER_S, max(_SHORTEST_S, speech_s + _MARGIN_S))


@dataclass(frozen=True)
class Reading:
    """What was understood of some sound."""

    text: str
    """'' when nobody spoke."""
    confidence: float | None = None
    """The geometric mean of its tokens' probabilities."""
    language: str | None = None
    """The language that was detected, when it was asked for and the model is sure."""


@dataclass(frozen=True)
class Expected:
    """What is known before anybody speaks."""

    language: str | None = None
    """None lets a multilingual model find out."""
    text: str = ""
    """What was said before, or words that are likely to come: names are heard better."""


@dataclass(frozen=True)
class _Written:
    text: str
    tokens: int
    score: float
    """Mean log-probability of a token."""
    no_speech: float
    """Probability that nobody spoke."""


class Reader:
    """A model in memory. Raises Unavailable for a folder that does not hold one."""

    def __init__(self, folder: Path, repair: str) -> None:
        """`repair` says how to get the model again, for the error."""
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise Unavailable(f"{folder} is no Whisper model for faster-whisper: {missing[0]} is missing. {repair}")
        self._model = _load(folder, repair)
        self.multilingual: bool = self._model.model.is_multilingual
        self.languages: list[str] = self._model.supported_languages
        self._figures = [_AS_CONFIGURED, *_figures(self._model.hf_tokenizer.get_vocab())]

    def check(self, language: str, name: str) -> None:
        """Raises BadInput when the model does not know the language."""
        if language in self.languages:
            return
        if not self.multilingual:
            other = f"{name.removesuffix('.en')}, without .en"
            raise BadInput(f"{name} hears only English, and the agent's language is '{language}'. Use {other}.")
        raise BadInput(f"{name} does not know the language '{language}'.{did_you_mean(language, self.languages)}")

    def read(self, pcm: bytes, rate_hz: int, expected: Expected) -> Reading:
        """The words in s16le mono sound of at most 30 s."""
        sound = to_floats(pcm[: len(pcm) // 2 * 2])
        if rate_hz != RATE_HZ:
            sound = soxr.resample(sound, rate_hz, RATE_HZ)
        features = self._model.feature_extractor(sound)
        seconds = len(sound) / RATE_HZ
        frames = math.ceil(window_s(seconds) * _FRAMES_PER_S / 2) * 2
        reading, whole = self._decode(features, frames, seconds, expected)
        if not whole and frames < _WHOLE_WINDOW:
            reading, whole = self._decode(features, _WHOLE_WINDOW, seconds, expected)
        return reading if whole else Reading(doubt.once(reading.text), reading.confidence, reading.language)

    def _decode(self, features: Any, frames: int, seconds: float, expected: Expected) -> tuple[Reading, bool]:
        """And whether the text can be believed to be whole and said once."""
        from faster_whisper.audio import pad_or_trim

        encoded = self._model.encode(pad_or_trim(features, frames))
        found = self._language(encoded) if self.multilingual and expected.language is None else None
        tokenizer = self._tokenizer(expected.language or found or "en")
        before = tokenizer.encode(f" {expected.text.strip()}") if expected.text else []
        prompt = self._model.get_prompt(tokenizer, before, without_timestamps=True)
        most = int(_TOKENS + seconds * _TOKENS_PER_S)
        said = self._write(encoded, prompt, most, tokenizer)
        if _FIGURES.search(said.text):
            said = self._in_words(said, self._write(encoded, prompt, most, tokenizer, spelled=True))
        whole = said.tokens < most and not doubt.loops(said.text)
        if doubt.unsaid(said.text, said.no_speech, said.score):
            return Reading("", language=found), True
        return Reading(said.text, math.exp(said.score), found), whole

    def _write(self, encoded: Any, prompt: list[int], most: int, tokenizer: Any, *, spelled: bool = False) -> _Written:
        """The likeliest text of at most so many tokens; `spelled`: without figures."""
        (result,) = self._model.model.generate(
            encoded,
            [prompt],
            beam_size=1,
            max_length=len(prompt) + most,
            suppress_tokens=self._figures if spelled else [_AS_CONFIGURED],
            return_scores=True,
            return_no_speech_prob=True,
        )
        tokens = result.sequences_ids[0]
        return _Written(tokenizer.decode(tokens).strip(), len(tokens), result.scores[0], result.no_speech_prob)

    @staticmethod
    def _in_words(figures: _Written, words: _Written) -> _Written:
        """Of a text with numbers in figures and in words, the latter, unless numbers were only left out of it.

        "Ten thirty" shall not become "1030", nor "five five five" "555": whether it is a time, a price or a code is for
        the brain to find out.
        """
        complete = len(re.split(r"[\s-]+", words.text)) >= len(figures.text.split())
        believable = words.score > _UNLIKELY and not doubt.loops(words.text)
        return words if complete and believable else figures

    def _language(self, encoded: Any) -> str | None:
        token, probability = self._model.model.detect_language(encoded)[0][0]
        return token.strip("<|>") if probability >= _SURE_OF_LANGUAGE else None

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(self._model.hf_tokenizer, self.multilingual, task="transcribe", language=language)


def _figures(vocabulary: dict[str, int]) -> list[int]:
    """The tokens that write numbers and money in figures."""
    return [number for token, number in vocabulary.items() if not token.startswith("<|") and _FIGURES.search(token)]


def _load(folder: Path, repair: str) -> Any:
    """With CUDA in half precision where there is a device, else in 8 bits."""
    import ctranslate2

    if ctranslate2.get_cuda_device_count():
        try:
            return _opened(folder, "cuda", "float16")
        except Exception as error:  # noqa: BLE001 - drivers and libraries fail in many ways, and the processor is left
            logger.warning(f"Whisper cannot use CUDA ({error}); it uses the processor, which is slower")
    try:
        return _opened(folder, "cpu", "int8")
    except Exception as error:
        raise Unavailable(f"the Whisper model in {folder} cannot be loaded ({error}). {repair}") from error


def _opened(folder: Path, device: str, precision: str) -> Any:
    from faster_whisper import WhisperModel

    threads = min(_THREADS, os.cpu_count() or 1)
    return WhisperModel(str(folder), device=device, compute_type=precision, cpu_threads=threads)
