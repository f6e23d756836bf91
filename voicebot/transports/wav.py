"""A recording as the caller: its audio goes through the engine as if it were spoken now."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import soundfile
import soxr

from voicebot.errors import BadInput
from voicebot.media import Floats, to_pcm
from voicebot.media.schedule import ByTheClock
from voicebot.transports import Ear, HangUp

CHUNK_MS = 20
QUIET_S = 3.0
"""After the recording ends, the call ends when the agent has been silent this long."""
_SHORTEST_S = 0.05


def read_mono(path: Path, rate_hz: int) -> Floats:
    """The file's audio as mono samples at `rate_hz`; any sample rate and number of channels. Raises BadInput."""
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file.")
    try:
        audio, from_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise BadInput(f"{path} is not a sound file ({error.error_string.rstrip('.')}). Give a WAV file.") from error
    if len(audio) < from_hz * _SHORTEST_S:
        raise BadInput(f"{path} has no sound in it. Give a WAV file with speech.")
    mono = audio.mean(axis=1)
    return mono if from_hz == rate_hz else np.asarray(soxr.resample(mono, from_hz, rate_hz), np.float32)


class WavCaller(ByTheClock):
    """Plays a file into a call. `rate_hz` is 8000 or 16000, whatever the file's own rate is."""

    name = "wav"

    def __init__(self, path: Path, rate_hz: int = 16000) -> None:
        """Raises BadInput when the file is missing, empty or not sound."""
        self.caller = path.name
        self.rate_hz = rate_hz
        self._pcm = to_pcm(read_mono(path, rate_hz))
        super().__init__(rate_hz)

    async def run(self, ear: Ear) -> HangUp:
        loop = asyncio.get_running_loop()
        size = 2 * self.rate_hz * CHUNK_MS // 1000
        tick, began, busy_at = 0, loop.time(), loop.time()
        while loop.time() - busy_at < QUIET_S:
            await asyncio.sleep(began + (tick + 1) * CHUNK_MS / 1000 - loop.time())
            chunk = self._pcm[tick * size : (tick + 1) * size]
            ear.audio(chunk.ljust(size, b"\0"))
            if chunk or self._schedule.backlog_s > 0:
                busy_at = loop.time()
            tick += 1
        return "input_ended"
