"""PocketSphinx: the ear that ships with the package. It hears what its agent expects to hear, and needs no key,
model download or network.

PocketSphinx holds Python's lock while it works, so it is given 50 ms of sound at a time, which it takes some 3 ms for.
What one caller said never changes how the next one is heard: what is learnt of a voice and a line is the caller's own
(see `stretch`), and decoders keep nothing of it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from voicebot.agent import Agent
from voicebot.stt import STTStream, Transcript
from voicebot.stt.compiled import Model, compiled
from voicebot.stt.stretch import Caller, Stretch
from voicebot.stt.vocabulary import sentences

_WORKERS = ThreadPoolExecutor(2, thread_name_prefix="sphinx")
_JOB_MS = 200
"""As much sound as one job takes from a stretch; more of it waits behind the other callers' jobs."""
_INTERIM_MS = 200
_LONGEST_S = 60
"""A stretch of speech longer than this is cut there."""


class Sphinx:
    """Speech to text for an agent, or for any sentences and words (lower case, digits spelled out)."""

    name = "sphinx"

    def __init__(self, said: Agent | Mapping[str, float] | Iterable[str], words: Iterable[str] = ()) -> None:
        self._said = said
        self._words = tuple(words)

    async def load(self) -> None:
        """Compile the language model, about a second the first time."""
        await asyncio.get_running_loop().run_in_executor(_WORKERS, self._warm)

    def stream(self, rate_hz: int, on_interim: Callable[[str], None]) -> STTStream:
        """A new caller's ear, at 8000 or 16000 Hz. Raises ValueError for another rate."""
        if rate_hz not in (8_000, 16_000):
            raise ValueError(f"sphinx hears 8000 or 16000 Hz, not {rate_hz}")
        return _Stream(lambda: self._model, rate_hz, on_interim)

    @functools.cached_property
    def _model(self) -> Model:
        weights = sentences(self._said) if isinstance(self._said, Agent) else _weighted(self._said)
        return compiled({**dict.fromkeys(self._words, 1.0), **weights})

    def _warm(self) -> None:
        self._model.take_back(self._model.lend())


def _weighted(said: Mapping[str, float] | Iterable[str]) -> Mapping[str, float]:
    return said if isinstance(said, Mapping) else dict.fromkeys(said, 1.0)


class _Stream:
    """One caller's ear: sound is queued by `feed` and heard by one task a stretch."""

    def __init__(self, model: Callable[[], Model], rate_hz: int, on_interim: Callable[[str], None]) -> None:
        self._model = model
        self._rate_hz = rate_hz
        self._on_interim = on_interim
        self._caller = Caller()
        self._waiting = bytearray()
        self._room = 0
        self._more = asyncio.Event()
        self._ended = False
        self._task: asyncio.Task[str] | None = None

    def start(self) -> None:
        self.cancel()
        self._waiting = bytearray()
        self._room = _LONGEST_S * self._rate_hz * 2
        self._more = asyncio.Event()
        self._ended = False
        self._task = asyncio.create_task(self._hear(Stretch(self._model, self._rate_hz, self._caller)))

    def feed(self, pcm: bytes) -> None:
        pcm = pcm[: self._room]
        self._room -= len(pcm)
        self._waiting += pcm
        self._more.set()

    async def finish(self) -> Transcript:
        if self._task is None:
            return Transcript("")
        self._ended = True
        self._more.set()
        task, self._task = self._task, None
        try:
            return Transcript(await task)
        finally:
            task.cancel()

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def close(self) -> None:
        self.cancel()

    async def _hear(self, stretch: Stretch) -> str:
        run = functools.partial(asyncio.get_running_loop().run_in_executor, _WORKERS)
        interim, since_ms = "", 0.0
        try:
            while pcm := await self._next():
                words = await run(stretch.hear, pcm)
                since_ms += len(pcm) / 2 / self._rate_hz * 1000
                if since_ms >= _INTERIM_MS and words and words != interim and not self._ended:
                    interim, since_ms = words, 0.0
                    self._on_interim(words)
            return await run(stretch.end)
        finally:
            _WORKERS.submit(stretch.abandon)

    async def _next(self) -> bytes:
        """The next sound to hear, at most one job's; b'' when the stretch is over."""
        while len(self._waiting) < 2 and not self._ended:
            self._more.clear()
            await self._more.wait()
        size = min(_JOB_MS * self._rate_hz // 1000 * 2, len(self._waiting) // 2 * 2)
        pcm = bytes(self._waiting[:size])
        del self._waiting[:size]
        return pcm


def connect(agent: Agent, model: str) -> Sphinx:
    """The agent's ear. There is one model; it is compiled from the agent's words."""
    return Sphinx(agent)
