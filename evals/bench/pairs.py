"""Pairs of sounds that say the same, to be compared: of two voices, two files, or two folders; made equally loud, since
of two voices people prefer the louder one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from voicebot.errors import BadInput
from voicebot.evals.bench import speaking
from voicebot.evals.bench.listening import Side, Trial
from voicebot.media import Floats, to_floats, to_pcm

SENTENCES = (
    "Good morning, how can I help you today?",
    "I have you down for Tuesday, May 3rd, at half past nine.",
    "That comes to forty-five dollars and twenty cents.",
    "I'm sorry, I did not catch that. Could you say it once more?",
    "We are open from eight to five, and on Saturdays until noon.",
    "Your order left our warehouse yesterday and should be with you on Friday.",
    "Let me read that back to you: five, five, five, zero, one, four, two.",
    "There is a slot at ten, or one in the afternoon. Which would you prefer?",
    "Of course, I can change that for you. One moment, please.",
    "You are all set. Thank you for calling, and have a lovely day!",
)
_AUDIBLE = 10 ** (-50 / 20)
_PEAK = 0.97


@dataclass(frozen=True)
class Sound:
    """Mono audio at its own rate."""

    samples: Floats
    rate_hz: int

    @property
    def pcm(self) -> bytes:
        return to_pcm(self.samples)


@dataclass(frozen=True)
class Pair:
    """What two voices say, or two recordings of the same."""

    item: str
    a: Sound
    b: Sound

    def sounds(self, trial: Trial) -> tuple[Sound, Sound]:
        """In the order in which they are played."""
        by_side: dict[Side, Sound] = {"a": self.a, "b": self.b}
        first, second = trial.order
        return by_side[first], by_side[second]


async def of_voices(a: str, b: str, texts: Iterable[str], language: str) -> list[Pair]:
    """Both voices say each of the texts. Raises BadInput, Unavailable."""
    pairs = []
    for text in texts:
        one, other = [await speaking.say(voice, text, language) for voice in (a, b)]
        pairs.append(Pair(text, *(Sound(to_floats(said.pcm), said.rate_hz) for said in (one, other))))
    return pairs


def of_paths(a: Path, b: Path) -> list[Pair]:
    """Two sound files, or the WAV files of the same names in two folders. Raises BadInput."""
    if a.is_file() and b.is_file():
        return [Pair(f"{a.name} and {b.name}", _read(a), _read(b))]
    if not (a.is_dir() and b.is_dir()):
        raise BadInput(
            f"{a} and {b} are a file and a folder. Give two files, or two folders with files of the same names."
        )
    mine, theirs = ({path.name: path for path in sorted(folder.glob("*.wav"))} for folder in (a, b))
    if not mine or mine.keys() != theirs.keys():
        odd = sorted(mine.keys() ^ theirs.keys())
        reason = f"{odd[0]} is in only one of them" if odd else "there are none"
        raise BadInput(f"{a} and {b} need WAV files of the same names: {reason}.")
    return [Pair(name, _read(mine[name]), _read(theirs[name])) for name in mine]


def levelled(pairs: Sequence[Pair]) -> list[Pair]:
    """Both sounds of each pair equally loud, as loud as the quieter one or a little less where that would clip."""
    return [_levelled(pair) for pair in pairs]


def _levelled(pair: Pair) -> Pair:
    loud = [_loudness(sound) for sound in (pair.a, pair.b)]
    if not all(loud):
        raise BadInput(f"'{pair.item}': one of the two is silent.")
    target = min(min(loud), *(_PEAK * own / _peak(sound) for own, sound in zip(loud, (pair.a, pair.b), strict=True)))
    a, b = (
        Sound(sound.samples * np.float32(target / own), sound.rate_hz)
        for own, sound in zip(loud, (pair.a, pair.b), strict=True)
    )
    return Pair(pair.item, a, b)


def _loudness(sound: Sound) -> float:
    """Root mean square of what is not silence."""
    size = sound.rate_hz // 50
    frames = sound.samples[: len(sound.samples) // size * size].reshape(-1, size)
    power = np.mean(np.square(frames), axis=1)
    audible = power[power > _AUDIBLE**2]
    return float(np.sqrt(audible.mean())) if len(audible) else 0.0


def _peak(sound: Sound) -> float:
    return float(np.abs(sound.samples).max())


def _read(path: Path) -> Sound:
    try:
        audio, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise BadInput(f"{path} is not a sound file ({error.error_string.rstrip('.')}).") from None
    return Sound(audio.mean(axis=1), rate_hz)
