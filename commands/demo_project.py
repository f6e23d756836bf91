"""The folder that `voicebot demo` makes for itself: made once, refreshed on every later demo, never somebody else's.

A marker file remembers what the demo wrote. On the next demo, data starts afresh, files that nobody touched follow the
template, and files that somebody edited stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from voicebot import __version__, paths, project
from voicebot.errors import BadInput

MARKER = ".voicebot-demo.json"
DEFAULT = "dental"


@dataclass(frozen=True)
class Marker:
    template: str
    files: dict[str, str]
    """Path in the project -> SHA-256 of what the demo wrote there."""


def is_ours(folder: Path) -> bool:
    return (folder / MARKER).is_file()


def folder_for(template: str) -> Path:
    """Where the demo of a template lies unless the user names a place."""
    return Path("voicebot-demo" if template == DEFAULT else f"voicebot-demo-{template}")


def prepare(folder: Path, template: str) -> None:
    """Make the demo's project, or bring the one from the last demo up to date.

    Raises BadInput when the folder belongs to somebody else, holds another template's demo or cannot be written.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        files = project.create(folder, template)
        _mark(folder, template, {path: _digest(folder / path) for path in files})
    elif is_ours(folder):
        _refresh(folder, template)
    else:
        raise BadInput(f"{paths.shown(folder)} exists and was not made by voicebot demo. Name another place: --out DIR")


def keep_data(folder: Path, files: dict[str, bytes]) -> None:
    """What a demo call's tools wrote, into the demo's own data."""
    for name, content in files.items():
        target = paths.data_dir(folder) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _refresh(folder: Path, template: str) -> None:
    marker = _marker(folder)
    if marker.template != template:
        holds = f"{paths.shown(folder)} holds the demo of '{marker.template}'"
        raise BadInput(f"{holds}. Name another place for '{template}': --out DIR")
    written = dict(marker.files)
    with tempfile.TemporaryDirectory() as aside:
        fresh = Path(aside) / folder.absolute().name
        for path in project.create(fresh, template):
            target = folder / path
            edited = target.is_file() and _digest(target) != written.get(path)
            if edited and not path.startswith(f"{paths.DATA}/"):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((fresh / path).read_bytes())
            written[path] = _digest(target)
    _mark(folder, template, written)


def template_of(folder: Path) -> str:
    """The template that the demo's folder was made from. Raises BadInput when its marker is damaged."""
    return _marker(folder).template


def _marker(folder: Path) -> Marker:
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        return Marker(str(marker["template"]), {str(path): str(digest) for path, digest in marker["files"].items()})
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        place = paths.shown(folder / MARKER)
        raise BadInput(f"{place} is damaged. Delete the folder, or name another: --out DIR") from None


def _mark(folder: Path, template: str, files: dict[str, str]) -> None:
    marker = {"made_by": f"voicebot demo {__version__}", "template": template, "files": files}
    (folder / MARKER).write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
