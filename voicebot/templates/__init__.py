"""The projects that `voicebot new` can make: data files, and this one reader.

Each folder here is a template; `shared` holds what every project gets. The first line of a template's
`about.md` is what `voicebot new --list` shows; the rest goes into the project's README.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable

from voicebot.errors import BadInput, did_you_mean

_SHARED = "shared"
_ABOUT = "about.md"
_DOTTED = {"env.example", "github", "gitignore"}
"""Stored without the leading dot, so that no packaging tool takes them for its own or leaves them out."""


def summaries() -> dict[str, str]:
    """Template name -> one sentence."""
    folders = (folder for folder in _root().iterdir() if (folder / _ABOUT).is_file())
    return {folder.name: _about(folder).splitlines()[0] for folder in sorted(folders, key=lambda each: each.name)}


def files(template: str) -> Iterator[tuple[str, str]]:
    """(path in the project, text) of every file of a template, what all projects share first. Raises BadInput."""
    folder = _folder(template)
    for path, text in _texts(_root() / _SHARED):
        yield path, text.replace("{{about}}", _about(folder).partition("\n\n")[2].strip())
    yield from ((path, text) for path, text in _texts(folder) if path != _ABOUT)


def _folder(template: str) -> Traversable:
    known = summaries()
    if template not in known:
        raise BadInput(f"no template '{template}'.{did_you_mean(template, known)}")
    return _root() / template


def _texts(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        name = f".{entry.name}" if entry.name in _DOTTED else entry.name
        if entry.name == "__pycache__":
            continue
        if entry.is_dir():
            yield from _texts(entry, f"{prefix}{name}/")
        else:
            yield prefix + name, entry.read_text(encoding="utf-8")


def _about(folder: Traversable) -> str:
    return (folder / _ABOUT).read_text(encoding="utf-8")


def _root() -> Traversable:
    return resources.files(__name__)
