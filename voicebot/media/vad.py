"""Who is speaking: Silero VAD, one session for all calls of a process, inference batched across calls.

A `Vad` belongs to one stream of audio. It cuts the audio into 32 ms windows and hands them to the process's one
`_Silero`, which scores the windows of all streams together: alone a window costs about 0.14 ms, in a batch of 25
about 0.04 ms. Everything here is plain function calls on the event loop; nothing switches tasks per window.

Model: Silero VAD v5 (MIT), https://github.com/snakers4/silero-vad, the copy inside the Pipecat wheel. It is recurrent,
so each stream keeps its own state; the state is cleared now and then in silence, because long non-speech dulls it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnxruntime

    from voicebot.media import Floats

WINDOW_MS = 32
_STATE = 128
_CLEAR_AFTER_WINDOWS = 62
"""Two seconds without speech: the recurrent state starts afresh."""
_QUIET_RMS = 10 ** (-58 / 20)
"""Below this level nothing is speech: the model is not asked while the stream is quiet."""
_BATCH_WAIT_S = 0.002
"""How long windows wait for company when several calls are on; those over sockets are read together anyway."""


def load_session(model: str | bytes) -> onnxruntime.InferenceSession:
    """An ONNX session that uses one thread and does not spin: many calls share the cores."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class Vad:
    """Speech probability of one stream, window by window.

    `on_window(probability)` is called on the event loop for each 32 ms of audio, in order.
    """

    def __init__(self, rate_hz: int, on_window: Callable[[float], None]) -> None:
        self.rate_hz = rate_hz
        self.window = rate_hz * WINDOW_MS // 1000
        self.on_window = on_window
        self.state = np.zeros((2, _STATE), np.float32)
        self.context = np.zeros(self.window // 8, np.float32)
        self._left = np.zeros(0, np.float32)
        self._quiet_windows = 0
        self._silero = silero()
        self._silero.join(self)

    def feed(self, samples: Floats) -> None:
        """Audio in -1..1, any length."""
        if len(self._left):
            samples = np.concatenate((self._left, samples))
        whole = len(samples) // self.window * self.window
        for start in range(0, whole, self.window):
            self._silero.score(self, samples[start : start + self.window])
        self._left = samples[whole:]

    def speech_possible(self, window: Floats) -> bool:
        """False when the stream has been quiet and this window is quiet too: no need to ask the model."""
        return self._quiet_windows == 0 or float(np.dot(window, window)) > _QUIET_RMS**2 * len(window)

    def scored(self, probability: float) -> None:
        self._quiet_windows = self._quiet_windows + 1 if probability < 0.1 else 0
        if self._quiet_windows and self._quiet_windows % _CLEAR_AFTER_WINDOWS == 0:
            self.state = np.zeros_like(self.state)
        self.on_window(probability)

    def close(self) -> None:
        self._silero.leave(self)


class _Silero:
    """The process's one session. Windows wait briefly for those of other calls and are scored together."""

    def __init__(self) -> None:
        model = resources.files("pipecat.audio.vad.data").joinpath("silero_vad.onnx")
        self._session = load_session(str(model))
        self._streams: set[Vad] = set()
        self._waiting: list[tuple[Vad, Floats]] = []
        self._timer: asyncio.TimerHandle | None = None

    def join(self, stream: Vad) -> None:
        self._streams.add(stream)

    def leave(self, stream: Vad) -> None:
        self._streams.discard(stream)

    def score(self, stream: Vad, window: Floats) -> None:
        self._waiting.append((stream, window))
        if len(self._streams) < 3:
            self._flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_BATCH_WAIT_S, self._flush)

    def _flush(self) -> None:
        """Score what waits. Windows of one stream depend on each other, so each batch has one of each stream."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            batch: dict[Vad, Floats] = {}
            later = []
            for stream, window in self._waiting:
                same_rate = not batch or stream.rate_hz == next(iter(batch)).rate_hz
                if stream in batch or not same_rate:
                    later.append((stream, window))
                else:
                    batch[stream] = window
            self._waiting = later
            self._score_batch(batch)

    def _score_batch(self, batch: dict[Vad, Floats]) -> None:
        asked = {stream: window for stream, window in batch.items() if stream.speech_possible(window)}
        probabilities = dict.fromkeys(batch, 0.0)
        if asked:
            probabilities.update(self._infer(asked))
        for stream, window in batch.items():
            stream.context = window[-len(stream.context) :]
            if stream in self._streams:
                stream.scored(probabilities[stream])

    def _infer(self, batch: dict[Vad, Floats]) -> dict[Vad, float]:
        streams = list(batch)
        rows = np.stack([np.concatenate((s.context, batch[s])) for s in streams])
        states = np.stack([s.state for s in streams], axis=1)
        rate = np.array(streams[0].rate_hz, np.int64)
        output, new_states = self._session.run(None, {"input": rows, "state": states, "sr": rate})
        for i, stream in enumerate(streams):
            stream.state = new_states[:, i]
        return dict(zip(streams, output[:, 0].tolist(), strict=True))


@cache
def silero() -> _Silero:
    """The process's one session, loaded on first use (30 ms): call it off the event loop before the first call."""
    return _Silero()
