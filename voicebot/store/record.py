"""The record of a call, written as it happens: `events.jsonl`, `call.wav` and `agent.yaml` in the call's folder.

Nothing of a call waits for the disk: one thread of the process writes what all calls hand it. The WAV's header is
brought up to date with every write, so the record opens even after a kill -9, up to the last second.
"""

from __future__ import annotations

import asyncio
import errno
import os
import queue
import struct
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from loguru import logger

from voicebot import paths
from voicebot.errors import BadInput, Unavailable
from voicebot.events import Event

EVENTS = "events.jsonl"
AUDIO = "call.wav"
AGENT = "agent.yaml"
_FLUSH_S = 1.0
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_TROUBLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE})
"""Of the machine, not of the folder that somebody chose."""
_QUEUE = 20_000
"""Writes that may wait for a slow disk, over all calls; beyond that the record loses, never the call."""


def can_keep(calls: Path) -> None:
    """Raises Unavailable when no record can be made in this folder, before a call finds out."""
    try:
        calls.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=calls, prefix="."):
            pass
    except OSError as error:
        raise Unavailable(
            f"calls cannot be kept in {paths.shown(calls)}: {error.strerror}. "
            "Give this user the right to write there, or keep none with --no-record."
        ) from None


def open_record(folder: Path, rate_hz: int, agent_source: str) -> Record | None:
    """The record of a call; None, which is told once, where the disk takes no more: the call goes on without.

    Raises BadInput when the folder cannot be made or written for another reason.
    """
    try:
        return Record(folder, rate_hz, agent_source)
    except BadInput as error:
        if not isinstance(error.__cause__, OSError) or error.__cause__.errno not in _TROUBLE:
            raise
        _disk().complain(str(error.__cause__))
        return None


class Record:
    """One call's record. All methods are plain calls on the event loop, except `close`."""

    def __init__(self, folder: Path, rate_hz: int, agent_source: str) -> None:
        """Raises BadInput when the folder cannot be made or written."""
        self.folder = folder
        self._rate_hz = rate_hz
        self._disk = _disk()
        try:
            folder.mkdir(0o700, parents=True, exist_ok=True)  # what people say is for nobody else on this machine
            (folder / AGENT).write_text(agent_source, encoding="utf-8")
            self._events = os.open(folder / EVENTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            self._wav = _Wav(folder / AUDIO, rate_hz) if rate_hz else None
        except OSError as error:
            raise BadInput(f"cannot write the call's record in {folder}: {error.strerror}") from error
        self._torn = False
        """The last line is not whole."""
        self._caller = bytearray()
        self._agent = bytearray()
        """The agent's channel from the same moment on; may reach into the future."""

    def event(self, event: Event) -> None:
        line = event.model_dump_json().encode() + b"\n"
        self._disk.do(lambda: self._append(line))

    def _append(self, line: bytes) -> None:
        """Of a line for which there was no room the beginning may be there: the next one begins anew."""
        whole = b"\n" + line if self._torn else line
        self._torn = os.write(self._events, whole) < len(whole)
        if self._torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def caller(self, pcm: bytes) -> None:
        """The next audio of the caller (s16le): it is the record's clock."""
        if self._wav is None:
            return
        self._caller += pcm
        if len(self._caller) >= 2 * self._rate_hz * _FLUSH_S:
            self._flush()

    def agent(self, pcm: bytes) -> None:
        """Audio of the agent, heard from now on behind what is already queued."""
        missing = len(self._caller) - len(self._agent)
        if missing > 0:
            self._agent += bytes(missing)
        self._agent += pcm

    def agent_silenced(self) -> None:
        """What is queued will not be heard."""
        del self._agent[len(self._caller) :]

    def _flush(self) -> None:
        assert self._wav is not None
        size = len(self._caller)
        left = np.frombuffer(bytes(self._caller), np.int16)
        right = np.frombuffer(bytes(self._agent[:size].ljust(size, b"\0")), np.int16)
        del self._agent[:size]
        self._caller.clear()
        wav, frames = self._wav, np.stack((left, right), axis=1).tobytes()
        self._disk.do(lambda: wav.write(frames))

    async def close(self) -> None:
        """Returns when everything is on the disk."""
        if self._wav and self._caller:
            self._flush()
        done = threading.Event()
        self._disk.do(lambda: os.close(self._events))
        if self._wav:
            self._disk.do(self._wav.close)
        self._disk.do(done.set)
        await asyncio.get_running_loop().run_in_executor(None, done.wait, 10)


class _Wav:
    """A stereo s16le WAV that is valid after every write."""

    def __init__(self, path: Path, rate_hz: int) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        self._rate_hz = rate_hz
        self._size = 0
        os.pwrite(self._file, self._header(), 0)

    def write(self, frames: bytes) -> None:
        """What cannot be written is silence, and what comes behind it stays in its time."""
        place = _HEADER.size + self._size
        self._size += len(frames)
        os.pwrite(self._file, frames, place)
        os.pwrite(self._file, self._header(), 0)

    def close(self) -> None:
        os.close(self._file)

    def _header(self) -> bytes:
        rate, size = self._rate_hz, self._size
        return _HEADER.pack(b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 2, rate, rate * 4, 4, 16, b"data", size)


class _Disk:
    """The process's one writing thread. A full disk or a slow one costs records, never calls."""

    def __init__(self) -> None:
        self._jobs: queue.Queue[Callable[[], object]] = queue.Queue(_QUEUE)
        self._said_full = False
        threading.Thread(target=self._work, name="record", daemon=True).start()

    def do(self, job: Callable[[], object]) -> None:
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self.complain("the disk is too slow")

    def _work(self) -> None:
        while True:
            try:
                self._jobs.get()()
            except OSError as error:
                self.complain(str(error))

    def complain(self, why: str) -> None:
        if not self._said_full:
            self._said_full = True
            logger.warning(f"records of calls are incomplete: {why}")


@cache
def _disk() -> _Disk:
    return _Disk()
