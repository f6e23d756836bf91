"""Where Whisper's models lie: the catalogue's, or any folder in faster-whisper's format."""

from __future__ import annotations

from pathlib import Path

from voicebot import paths
from voicebot.errors import Unavailable
from voicebot.models import store
from voicebot.models.catalogue import entry

best = store.best


def why_not(model: str, root: Path | None = None) -> str:
    """Why `model` cannot be loaded here and now, as a clause; '' when it can. Raises BadInput for an unknown name."""
    if "/" not in model:
        return store.why_not(model)
    folder = _folder(model, root)
    return "" if folder.is_dir() else f"there is no folder {paths.shown(folder)} with a Whisper model"


def located(model: str, root: Path | None = None) -> Path:
    """The folder of `model`: a name of the catalogue ('small.en'), or a path with a slash in it ('./models/mine'),
    relative to `root`, the project. Raises BadInput for an unknown name, Unavailable for what is not on disk.
    """
    if reason := why_not(model, root):
        raise Unavailable(f"{reason}.")
    return _folder(model, root)


def repair(folder: Path) -> str:
    """What to do about a model that is broken."""
    if folder.parent != paths.models_dir():
        return "Convert it again with ct2-transformers-converter, tokenizer.json included."
    return f"Get it again: voicebot models rm {folder.name}, then voicebot models pull {folder.name}."


def _folder(model: str, root: Path | None) -> Path:
    if "/" in model:
        return (root or paths.project_root()) / Path(model).expanduser()
    return store.path_of(entry(model)).parent
