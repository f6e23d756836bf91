"""Piper on this machine, through piper-tts: natural voices in many languages, without a key or a network.

One session for each voice and process, and one worker thread for all: a call's sentence takes it a fraction of the time
that it sounds, so calls take turns by the sentence. Closing the iterator stops the work behind the present sentence.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from voicebot.agent import Agent
from voicebot.errors import BadInput, Unavailable, did_you_mean
from voicebot.models import piper as models
from voicebot.tts import Speech
from voicebot.tts.pieces import pieces, speakable

_WORKER = ThreadPoolExecutor(1, thread_name_prefix="piper")
_THREADS = 4
_LOUDNESS = 0.9
"""Of full scale, so that a telephone line's resampling does not clip."""
_SLOWEST, _FASTEST = 0.5, 2.0
_PHONEMES = ("espeak", "text")
"""Other voices need more packages, or fetch dictionaries while they speak."""


class Piper:
    """Text to speech with the voice in an .onnx file, whose .onnx.json lies beside it. Audio has the voice's own rate.

    `speaker` is a name or number, for voices that have several; `speed` is 0.5 (slow) to 2 (fast).
    """

    def __init__(self, voice: Path, speaker: str = "", speed: float = 1.0, *, name: str = "") -> None:
        if not _SLOWEST <= speed <= _FASTEST:
            raise BadInput(f"a voice speaks {_SLOWEST} to {_FASTEST} times as fast as it was made, not {speed}.")
        self.name = f"piper/{name or voice.stem}"
        self._file = voice
        self._speaker = speaker
        self._speed = speed

    async def load(self) -> None:
        """Load the voice, a second the first time. Raises Unavailable for a broken one, BadInput for a speaker that it
        does not have."""
        await asyncio.get_running_loop().run_in_executor(_WORKER, self._warm)

    async def speak(self, text: str) -> AsyncGenerator[Speech, None]:
        """A chunk for each sentence; nothing for text without a letter or digit."""
        run = functools.partial(asyncio.get_running_loop().run_in_executor, _WORKER)
        sentences = self._sentences(text)
        while (chunk := await run(next, sentences, None)) is not None:
            yield chunk

    def _sentences(self, text: str) -> Iterator[Speech]:
        # Between double brackets Piper reads phonemes, which is not for a caller or a language model to use.
        text = speakable(text).replace("[[", " ").replace("]]", " ")
        voice, how = _voice(self._file), self._how()
        for start, end in pieces(text):
            for chunk in voice.synthesize(text[start:end], how):
                yield Speech(chunk.audio_int16_bytes, chunk.sample_rate)

    def _how(self) -> Any:
        from piper import SynthesisConfig

        config = _voice(self._file).config
        speaker = _speaker(self.name, self._speaker, config) if self._speaker else None
        return SynthesisConfig(speaker_id=speaker, length_scale=config.length_scale / self._speed, volume=_LOUDNESS)

    def _warm(self) -> None:
        try:
            next(self._sentences("Hi."), None)
        except (BadInput, Unavailable):
            raise
        except Exception as error:  # a session raises what it likes for a model that is none of a voice
            raise _broken(self._file, error) from error


@functools.cache
def _voice(file: Path) -> Any:
    """One for each file and process; only ever called from the worker thread, so never twice at once."""
    from piper import PiperVoice
    from piper.config import PiperConfig

    settings = Path(f"{file}.json")
    for needed in (file, settings):
        if not needed.is_file():
            raise Unavailable(f"there is no {needed}. {models.repair(file)}")
    try:
        config = PiperConfig.from_dict(json.loads(settings.read_text(encoding="utf-8")))
        session = _session(file)
    except Exception as error:
        raise _broken(file, error) from error
    if config.phoneme_type.value not in _PHONEMES:
        raise Unavailable(
            f"{file.name} reads its text as '{config.phoneme_type.value}', which voicebot does not bring."
        )
    return PiperVoice(session=session, config=config)


def _session(file: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(_THREADS, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the cores are shared with all calls
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def _speaker(voice: str, name: str, config: Any) -> int:
    if name in config.speaker_id_map:
        return int(config.speaker_id_map[name])
    if name.isdecimal() and int(name) < config.num_speakers:
        return int(name)
    if config.num_speakers < 2:
        raise BadInput(f"{voice} has one speaker. Leave out ':{name}'.")
    known = config.speaker_id_map or map(str, range(config.num_speakers))
    raise BadInput(f"{voice} has no speaker '{name}'.{did_you_mean(name, known)}")


def _broken(file: Path, error: Exception) -> Unavailable:
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    return Unavailable(f"the Piper voice {file} cannot be used ({reason}). {models.repair(file)}")


def connect(agent: Agent, model: str) -> Piper:
    """The agent's voice; `model` is a name of the catalogue or a path to an .onnx file, with ':speaker' or without.

    Raises Unavailable when it is not on disk.
    """
    _, speaker = models.parted(model)
    return Piper(models.located(model, agent.root), speaker, agent.voice.speed, name=model)
