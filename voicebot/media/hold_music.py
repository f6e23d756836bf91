"""What callers hear who wait: a sound file of the user's, or a few quiet chords made here."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

from voicebot.errors import BadInput
from voicebot.media import Floats, to_pcm

_LONGEST_S = 300.0
_CHORDS = ((220.0, 277.18, 329.63), (184.997, 220.0, 293.66), (164.81, 207.65, 246.94), (164.81, 220.0, 277.18))
"""A, D, E and A major, in hertz: low enough for a telephone's narrow band and no harder on the ear than a bell."""
_CHORD_S = 2.4
_NOTE_S = 0.4
_LEVEL = 0.09
"""Of full scale: softer than a voice."""


def music(file: Path | None, rate_hz: int) -> bytes:
    """s16le mono at `rate_hz`, to be played round and round. Raises BadInput for a file that is no sound."""
    return _of_file(file, rate_hz) if file else _chords(rate_hz)


@cache
def _of_file(file: Path, rate_hz: int) -> bytes:
    try:
        with soundfile.SoundFile(file) as sound:
            audio = sound.read(int(_LONGEST_S * sound.samplerate), dtype="float32", always_2d=True)
            from_hz = sound.samplerate
    except (soundfile.LibsndfileError, OSError):
        raise BadInput(f"{file} is not a sound file. 'hold_music' is a WAV, FLAC, OGG or MP3 file.") from None
    if not len(audio):
        raise BadInput(f"{file} has no sound in it.")
    mono: Floats = audio.mean(axis=1)
    return to_pcm(mono if from_hz == rate_hz else np.asarray(soxr.resample(mono, from_hz, rate_hz), np.float32))


@cache
def _chords(rate_hz: int) -> bytes:
    """Broken chords, each note struck and dying away; the end of the last one rings into the first."""
    t = np.arange(round(_CHORD_S * rate_hz)) / rate_hz
    whole = np.zeros(len(t) * len(_CHORDS), np.float32)
    for number, chord in enumerate(_CHORDS):
        for place, hertz in enumerate((*chord, 2 * chord[0], *chord[::-1])[:6]):
            note = np.sin(2 * np.pi * hertz * t) * np.exp(-2.2 * t) * np.minimum(1, t * 60)
            start = number * len(t) + round(place * _NOTE_S * rate_hz)
            whole[np.arange(start, start + len(t)) % len(whole)] += note.astype(np.float32)
    return to_pcm(np.asarray(whole * (_LEVEL / 2), np.float32))
