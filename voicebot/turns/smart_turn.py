"""Does it sound as if the caller has finished? Smart Turn v3, one session for all calls of a process.

Model: Smart Turn v3.2 (BSD-2), https://github.com/pipecat-ai/smart-turn, the copy inside the Pipecat wheel. It looks at
the last eight seconds of the turn as a log-mel spectrogram. One look costs 50 to 100 ms of one core, so it is asked
only when the words alone leave the question open (see `floor.py`), and never on the event loop.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import resources

import numpy as np

from voicebot.media import to_floats
from voicebot.media.vad import load_session

MODEL_HZ = 16000
WINDOW_S = 8
_POOL = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="smart-turn")


class _SmartTurn:
    def __init__(self) -> None:
        model = resources.files("pipecat.audio.turn.smart_turn.data").joinpath("smart-turn-v3.2-cpu.onnx")
        self._session = load_session(str(model))

    def probability(self, pcm: bytes, rate_hz: int) -> float:
        import soxr
        from pipecat.audio.turn.smart_turn._whisper_features import compute_whisper_log_mel_features

        samples = to_floats(pcm)
        if rate_hz != MODEL_HZ:
            samples = soxr.resample(samples, rate_hz, MODEL_HZ, quality="HQ")
        samples = samples[-WINDOW_S * MODEL_HZ :]
        samples = np.pad(samples, (WINDOW_S * MODEL_HZ - len(samples), 0))
        features = compute_whisper_log_mel_features(samples, do_normalize=True)[np.newaxis]
        (output,) = self._session.run(None, {"input_features": features})
        return float(output[0, 0])


@cache
def _model() -> _SmartTurn:
    return _SmartTurn()


async def load() -> None:
    """Make the model ready, off the event loop."""
    await asyncio.get_running_loop().run_in_executor(_POOL, _model)


async def turn_complete(pcm: bytes, rate_hz: int) -> float:
    """Probability that a turn that sounds like `pcm` (s16le, up to eight seconds, ends with the pause) is complete."""
    return await asyncio.get_running_loop().run_in_executor(_POOL, _probability, pcm, rate_hz)


def _probability(pcm: bytes, rate_hz: int) -> float:
    return _model().probability(pcm, rate_hz)
