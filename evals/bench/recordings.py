"""Recordings of the user's own: sound files, each with what was said in a text file of the same name."""

from __future__ import annotations

from pathlib import Path

import soundfile

from voicebot.errors import BadInput
from voicebot.evals.bench.hearing import Clip
from voicebot.media import to_pcm
from voicebot.transports.wav import read_mono

SOUNDS = (".wav", ".flac")


def read(folder: Path) -> list[Clip]:
    """All recordings of a folder, by name: at 8 kHz where they are at that, else at 16 kHz. Raises BadInput."""
    if not folder.is_dir():
        raise BadInput(f"--data {folder}: there is no such folder.")
    sounds = sorted(path for path in folder.iterdir() if path.suffix.lower() in SOUNDS)
    if not sounds:
        raise BadInput(f"--data {folder}: no WAV file in it. Each needs a .txt of the same name with what is said.")
    return [_clip(path) for path in sounds]


def _clip(path: Path) -> Clip:
    text = path.with_suffix(".txt")
    try:
        said = " ".join(text.read_text(encoding="utf-8").split())
    except FileNotFoundError:
        raise BadInput(f"{path} has no {text.name} beside it. Write there what is said.") from None
    except (OSError, UnicodeError) as error:
        raise BadInput(f"{text} cannot be read as text ({error}).") from None
    try:
        rate_hz = 8000 if soundfile.info(path).samplerate <= 8000 else 16000
    except (soundfile.LibsndfileError, OSError):
        rate_hz = 16000  # what is wrong with it is said when it is read
    return Clip(said, to_pcm(read_mono(path, rate_hz)), rate_hz, path.name)
