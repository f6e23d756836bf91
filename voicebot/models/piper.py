"""Where Piper's voices lie: the catalogue's, or any .onnx file with its .onnx.json beside it."""

from __future__ import annotations

from pathlib import Path

from voicebot import paths
from voicebot.errors import Unavailable
from voicebot.models import store
from voicebot.models.catalogue import entry

ONNX = ".onnx"
best = store.best


def parted(model: str) -> tuple[str, str]:
    """'en_US-libritts_r-medium:p3922' -> the voice and its speaker ('' when none is named)."""
    voice, colon, speaker = model.rpartition(":")
    return (voice, speaker) if colon and not speaker.endswith(ONNX) else (model, "")


def why_not(model: str, root: Path | None = None) -> str:
    """Why `model` cannot be loaded here and now, as a clause; '' when it can. Raises BadInput for an unknown name."""
    voice, _ = parted(model)
    if not voice.endswith(ONNX):
        return store.why_not(voice)
    file = _file(voice, root)
    missing = next((each for each in (file, Path(f"{file}.json")) if not each.is_file()), None)
    return f"there is no {paths.shown(missing)}" if missing else ""


def located(model: str, root: Path | None = None) -> Path:
    """The .onnx file of `model`: a name of the catalogue ('en_US-lessac-medium'), or a path that ends with .onnx,
    relative to `root`, the project. Raises BadInput for an unknown name, Unavailable for what is not on disk.
    """
    if reason := why_not(model, root):
        raise Unavailable(f"{reason}.")
    return _file(parted(model)[0], root)


def repair(file: Path) -> str:
    """What to do about a voice that is broken or not complete."""
    folder = next((each for each in file.parents if each.parent == paths.models_dir()), None)
    if folder is None:
        return f"A voice is two files side by side, {file.name} and {file.name}.json: put both there again."
    return f"Get it again: voicebot models rm {folder.name}, then voicebot models pull {folder.name}."


def _file(voice: str, root: Path | None) -> Path:
    if voice.endswith(ONNX):
        return (root or paths.project_root()) / Path(voice).expanduser()
    return store.path_of(entry(voice))
