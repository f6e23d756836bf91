"""A voice made of samples of somebody's speech, with their consent: checked before anything is sent, sent once, and
written down in `voices.yaml` of the project.

    - name: ava
      voice: elevenlabs/flash-v2.5:XXXXXXXXXXXXXXXXXXXX
      state: made                        # or `sent`: what became of it is not known
      consent: {file: consent.txt, sha256: ...}
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Protocol

import numpy as np
import soundfile
import yaml
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voicebot import paths
from voicebot.errors import BadInput
from voicebot.tts.account import Refused, named

FILE = "voices.yaml"
LEAST_S, ENOUGH_S, MOST_S = 10.0, 60.0, 300.0
"""Seconds of all samples together: fewer make no voice, from `ENOUGH_S` on it is a good one, more add nothing."""
MOST_BYTES = 10_000_000
"""Of one sample."""
_FRAME_S = 0.02
_SILENT_DB, _QUIET_DB = -50.0, -40.0
_MOST_SILENCE = 0.6
_MOST_CLIPPED = 0.001
"""Shares of the sample."""
_SHORTEST_CONSENT = 20
"""Characters."""


class Sample(BaseModel):
    """A recording that was checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    file: str
    sha256: str
    seconds: Annotated[float, Field(gt=0)]


class Consent(BaseModel):
    """The speaker's consent: a file of the user's, and what was in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    file: str
    sha256: str


class Clone(BaseModel):
    """One entry of `voices.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    voice: str = ""
    state: Literal["sent", "made"]
    """sent: it is not known whether it was made."""
    at: str
    consent: Consent
    samples: tuple[Sample, ...]


class Studio(Protocol):
    """Who makes voices; see `voicebot.tts.account.Account`."""

    async def find(self, name: str) -> str: ...

    async def create(self, name: str, samples: Sequence[Path]) -> tuple[str, bool]: ...


@dataclass(frozen=True)
class Made:
    """A new voice."""

    clone: Clone
    verify: bool = False
    """ElevenLabs wants the speaker to prove who they are first."""
    found: bool = False
    """It was made by an earlier attempt whose answer was lost."""


async def clone(name: str, samples: Sequence[Path], consent: Path, root: Path, studio: Studio) -> Made:
    """Make the voice `name` and write it down in the project `root`.

    Raises BadInput for samples or a consent that will not do, or a voice that exists; Refused, Unavailable.
    """
    agreed, checked = read_consent(consent), check(samples)
    file = root / FILE
    with FileLock(f"{file}.lock"):
        before = read(file)
        tried = _unfinished(before, name, checked, file)
        if existing := await studio.find(name):
            if tried is None:
                raise BadInput(f"ElevenLabs has a voice '{name}' already ({named(existing)}). Choose another name.")
            return Made(_keep(file, before, tried, existing), found=True)
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        entry = Clone(name=name, state="sent", at=now, consent=agreed, samples=tuple(checked))
        if tried is not None:
            raise BadInput(
                f"'{name}' was sent on {tried.at}, no answer came, and ElevenLabs has no such voice now. "
                f"To send it again take it out of {paths.shown(file)} first."
            )
        write(file, [*before, entry])
        try:
            voice_id, verify = await studio.create(name, samples)
        except Refused:
            write(file, before)
            raise
        return Made(_keep(file, [*before, entry], entry, voice_id), verify)


def _unfinished(before: Sequence[Clone], name: str, samples: Sequence[Sample], file: Path) -> Clone | None:
    """The attempt whose outcome is not known. Raises BadInput when the voice was made already."""
    hashes = {sample.sha256 for sample in samples}
    for each in before:
        if each.state == "made" and each.name == name:
            raise BadInput(f"the voice '{name}' exists: {each.voice} (see {paths.shown(file)}). Choose another name.")
        if each.state == "made" and hashes == {sample.sha256 for sample in each.samples}:
            raise BadInput(f"these samples are the voice '{each.name}' already: {each.voice}.")
    return next((each for each in before if each.name == name), None)


def _keep(file: Path, clones: Sequence[Clone], entry: Clone, voice_id: str) -> Clone:
    made = entry.model_copy(update={"state": "made", "voice": named(voice_id)})
    write(file, [made if each.name == entry.name else each for each in clones])
    return made


def read(file: Path) -> list[Clone]:
    """What the project's file has; nothing when there is none. Raises BadInput."""
    if not file.is_file():
        return []
    try:
        items = yaml.safe_load(file.read_text(encoding="utf-8")) or []
        return [Clone.model_validate(item) for item in items]
    except (OSError, UnicodeError, yaml.YAMLError, ValidationError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadInput(f"{paths.shown(file)} cannot be read ({reason}). It says which voices exist.") from None


def write(file: Path, clones: Sequence[Clone]) -> None:
    """As a whole or not at all."""
    items = [each.model_dump(mode="json") for each in clones]
    with tempfile.NamedTemporaryFile("w", dir=file.parent, suffix=".tmp", delete=False, encoding="utf-8") as out:
        yaml.safe_dump(items, out, sort_keys=False, allow_unicode=True)
    os.replace(out.name, file)


def read_consent(path: Path) -> Consent:
    """The file as it is kept in `voices.yaml`. Raises BadInput."""
    try:
        data = path.read_bytes()
        text = data.decode()
    except OSError as error:
        raise BadInput(f"{path}: the consent cannot be read ({error.strerror}).") from None
    except UnicodeError:
        raise BadInput(
            f"{path}: the consent is no text. Write it down as text: who agrees to what, and when."
        ) from None
    if len(text.strip()) < _SHORTEST_CONSENT:
        raise BadInput(f"{path}: the consent says nothing. It has to name the speaker and the date.")
    return Consent(file=paths.shown(path), sha256=hashlib.sha256(data).hexdigest())


def check(paths_: Sequence[Path]) -> list[Sample]:
    """Look at the samples. Raises BadInput for the first that will not do."""
    samples = [_sample(path) for path in paths_]
    hashes = [sample.sha256 for sample in samples]
    for path, digest in zip(paths_, hashes, strict=True):
        if hashes.count(digest) > 1:
            raise BadInput(f"{path}: the same sample is given twice.")
    seconds = sum(sample.seconds for sample in samples)
    if seconds < LEAST_S:
        raise BadInput(
            f"the samples have {seconds:.1f} s of sound. Give {LEAST_S:g} s at least, better a minute or two."
        )
    if seconds > MOST_S:
        raise BadInput(f"the samples have {seconds:.0f} s of sound. Give {MOST_S:g} s at most: more adds nothing.")
    return samples


def _sample(path: Path) -> Sample:
    try:
        data = path.read_bytes()
        sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or 'cannot be read'}.") from None
    except soundfile.LibsndfileError as error:
        raise BadInput(f"{path}: no sound file that can be read ({error.error_string.rstrip('.')}).") from None
    if len(data) > MOST_BYTES:
        raise BadInput(f"{path}: {len(data) / 1e6:.0f} MB; a sample may have {MOST_BYTES / 1e6:.0f} MB.")
    if reason := _fault(sound.mean(axis=1), rate_hz):
        raise BadInput(f"{path}: {reason}.")
    seconds = round(len(sound) / rate_hz, 2)
    return Sample(file=path.name, sha256=hashlib.sha256(data).hexdigest(), seconds=seconds)


def _fault(sound: np.ndarray, rate_hz: int) -> str:
    """Why the sample will not do, as a clause; '' when it will."""
    size = max(1, int(_FRAME_S * rate_hz))
    if len(sound) < rate_hz:
        return "shorter than a second"
    clipped = float(np.mean(np.abs(sound) >= 0.998))
    if clipped > _MOST_CLIPPED:
        return f"{clipped:.1%} of it is clipped; record it again with less gain"
    frames = sound[: len(sound) // size * size].reshape(-1, size)
    levels_db = 10 * np.log10(np.mean(np.square(frames), axis=1) + 1e-12)
    loud = levels_db[levels_db > _SILENT_DB]
    if len(loud) < (1 - _MOST_SILENCE) * len(levels_db):
        return f"{1 - len(loud) / len(levels_db):.0%} of it is silence; cut it down to speech"
    speech_db = 10 * np.log10(np.mean(10 ** (loud / 10)))
    if speech_db < _QUIET_DB:
        return f"too quiet, {speech_db:.0f} dB below full scale; record it again with more gain"
    return ""
