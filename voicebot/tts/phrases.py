"""What an agent says in every call, its greeting above all, kept as sound: the first call pays for it, the next ones
start to speak at once.

    <cache>/phrases/<hash of voice and words>.npz    the samples, their rate, and when each word begins
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from loguru import logger

from voicebot.tts import Speech, Word
from voicebot.tts.clauses import Clauses

CHUNK_MS = 200


class Phrases:
    """The phrases of one agent, by voice and text, in memory; `folder` keeps them between processes."""

    def __init__(self, folder: Path, texts: Iterable[str], manner: str = "") -> None:
        """`texts` is what is said often; each is kept clause by clause, as it is spoken. `manner`: what else than voice
        and words decides how they sound."""
        self._manner = manner
        self._folder = folder
        self._texts = {clause.strip() for text in texts for clause in _clauses(text)}
        self._kept: dict[tuple[str, str], Sequence[Speech]] = {}

    def wants(self, text: str) -> bool:
        return text.strip() in self._texts

    async def load(self, voice: str) -> None:
        """What the folder has for this voice."""
        await asyncio.get_running_loop().run_in_executor(None, self._load, voice)

    def get(self, voice: str, text: str) -> Sequence[Speech] | None:
        return self._kept.get((voice, text.strip()))

    async def keep(self, voice: str, text: str, chunks: Sequence[Speech]) -> None:
        """A clause that was spoken to its end, as it was."""
        self._kept[voice, text.strip()] = chunks
        await asyncio.get_running_loop().run_in_executor(None, self._save, voice, text.strip(), chunks)

    def _load(self, voice: str) -> None:
        for text in self._texts:
            path = self._path(voice, text)
            if (voice, text) not in self._kept and path.is_file():
                try:
                    with np.load(path, allow_pickle=False) as saved:
                        self._kept[voice, text] = _chunks(saved)
                except (OSError, ValueError, KeyError, BadZipFile) as error:
                    logger.warning(f"a kept phrase cannot be read and is made again: {path} ({error})")

    def _save(self, voice: str, text: str, chunks: Sequence[Speech]) -> None:
        pcm = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), np.int16)
        words = [word for chunk in chunks for word in chunk.words]
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".tmp", delete=False) as file:
                np.savez(
                    file,
                    pcm=pcm,
                    rate_hz=chunks[0].rate_hz,
                    words=np.array([word.text for word in words], np.str_),
                    starts_ms=np.array([word.start_ms for word in words], np.float64),
                )
            os.replace(file.name, self._path(voice, text))
        except OSError as error:
            logger.warning(f"a phrase cannot be kept: {error}")

    def _path(self, voice: str, text: str) -> Path:
        digest = hashlib.sha256(b"\0".join((voice.encode(), text.encode(), self._manner.encode()))).hexdigest()
        return self._folder / f"{digest[:32]}.npz"


def _clauses(text: str) -> list[str]:
    cut = Clauses()
    return [*cut.feed(text), *cut.flush()]


def _chunks(saved: Mapping[str, np.ndarray]) -> list[Speech]:
    """Short pieces, so that a barge-in right at the beginning is as cheap as with a voice that streams."""
    rate_hz = int(saved["rate_hz"])
    words = [Word(str(text), float(at)) for text, at in zip(saved["words"], saved["starts_ms"], strict=True)]
    pcm = saved["pcm"].astype(np.int16).tobytes()
    size = 2 * rate_hz * CHUNK_MS // 1000
    chunks = []
    for index, at in enumerate(range(0, len(pcm), size)):
        since, until = index * CHUNK_MS, (index + 1) * CHUNK_MS
        own = tuple(word for word in words if since <= word.start_ms < until)
        chunks.append(Speech(pcm[at : at + size], rate_hz, own))
    return chunks
