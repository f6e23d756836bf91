"""Getting a model: each file is fetched into a part, checked, and put in place whole."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from filelock import FileLock, Timeout

from voicebot import paths
from voicebot.errors import Unavailable
from voicebot.models.catalogue import Entry, File
from voicebot.models.store import part_of, path_of
from voicebot.models.transfer import Progress, Report, Transfer, Unreachable

__all__ = ["Progress", "Report", "Unreachable", "by_hand", "pull"]

READ_BYTES = 1 << 20


def pull(model: Entry, report: Report) -> None:
    """Bring all files of a model here that are not here yet. Only one process at a time does so for a file.

    Raises Unreachable when the server does not give a file, Unavailable when it cannot be kept or is damaged. When it
    is interrupted, what has arrived stays, and the next pull goes on from there.
    """
    for file in model.files:
        path = path_of(model, file)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_name(f".{path.name}.lock"), timeout=0):
                if not path.is_file():
                    _fetch(file, path, report)
        except Timeout:
            raise Unavailable(f"another voicebot is pulling {model.name} at this moment. Wait for it.") from None
        except OSError as error:
            raise Unavailable(f"{paths.shown(path)} cannot be written: {error.strerror}.") from error


def _fetch(file: File, path: Path, report: Report) -> None:
    transfer = Transfer(file, part_of(path), report)
    transfer.run()
    wanted = file.sha256 or transfer.announced
    found = _sha256(part_of(path), report)
    if wanted and found != wanted:
        transfer.discard()
        raise Unavailable(
            f"{file.name} arrived damaged: its sha256 is {found}, it must be {wanted}. It was deleted; pull it again."
        )
    os.replace(part_of(path), path)


def _sha256(path: Path, report: Report) -> str:
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
            done += len(block)
            report(Progress("checking", done, total))
        os.fsync(file.fileno())
    return digest.hexdigest()


def by_hand(model: Entry) -> list[tuple[str, str]]:
    """What somebody without this network does instead, as (what, exactly): for each file, then how to see that all is
    well."""
    steps = []
    for file in model.files:
        path = path_of(model, file)
        steps.append(("fetch", file.url))
        steps.append(("put it at", str(path)))
        steps.append(("check", f"sha256sum {path}"))
        steps.append(("it says", file.sha256 or f"what stands on {file.page}"))
    return steps
