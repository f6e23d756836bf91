"""Does it sound as if the caller has finished? Smart Turn v3, one session for all calls of a process.

Model: Smart Turn v3.2 (BSD-2), https://github.com/pipecat-ai/smart-turn, the copy inside the Pipecat wheel. It looks at
the last eight seconds of the turn as a log-mel spectrogram. One look costs 35 to 100 ms of one core, so it is asked
only when the words alone leave the question open (see `floor.py`), and never on the event loop.
"""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import resources

import numpy as np
import soxr

from voicebot.media import to_floats
from voicebot.media.vad import load_session
from voicebot.process import usable_cores
from voicebot.turns.log_mel import log_mel

MODEL_HZ = 16000
_POOL = ThreadPoolExecutor(max_workers=usable_cores(), thread_name_prefix="smart-turn")
"""More threads than cores only make every answer late."""
_KNOWN_MODEL = "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f"
_SOFTMAXES = (b"val_69", b"val_142", b"val_215", b"val_288")
"""The four attention weights of the known model."""


class _SmartTurn:
    def __init__(self) -> None:
        model = resources.files("pipecat.audio.turn.smart_turn.data").joinpath("smart-turn-v3.2-cpu.onnx").read_bytes()
        self._session = load_session(_with_float_softmax(model))

    def probability(self, pcm: bytes, rate_hz: int) -> float:
        samples = to_floats(pcm)
        if rate_hz != MODEL_HZ:
            samples = soxr.resample(samples, rate_hz, MODEL_HZ, quality="HQ")
        (output,) = self._session.run(["logits"], {"input_features": log_mel(samples)[np.newaxis]})
        return float(output[0, 0])


def _with_float_softmax(model: bytes) -> bytes:
    """The model, a fifth cheaper: with its four softmaxes kept from ONNX Runtime's slow quantised kernel.

    The runtime only fuses a softmax into that kernel when nobody else reads its result, so each is declared an output
    of the graph as well. Protobuf merges repeated fields that are appended: ModelProto.graph (7) . output (12) .
    name (1). Where the model is sure, its answer stays; where it is not, the answer moves by a tenth or two, as it does
    between the runtime's own optimisation levels. A model of another release is left as it is.
    """
    if hashlib.sha256(model).hexdigest() != _KNOWN_MODEL:
        return model
    outputs = b"".join(_field(12, _field(1, name)) for name in _SOFTMAXES)
    return model + _field(7, outputs)


def _field(number: int, value: bytes) -> bytes:
    """A protobuf field of bytes, shorter than 128."""
    return bytes([number << 3 | 2, len(value)]) + value


@cache
def _model() -> _SmartTurn:
    return _SmartTurn()


async def load() -> None:
    """Make the model ready, off the event loop."""
    if _model.cache_info().currsize:
        return  # not behind the questions of other calls
    await asyncio.get_running_loop().run_in_executor(_POOL, _model)


async def turn_complete(pcm: bytes, rate_hz: int) -> float:
    """Probability that a turn that sounds like `pcm` (s16le, up to eight seconds, ends with the pause) is complete."""
    return await asyncio.get_running_loop().run_in_executor(_POOL, _probability, pcm, rate_hz)


def _probability(pcm: bytes, rate_hz: int) -> float:
    return _model().probability(pcm, rate_hz)
