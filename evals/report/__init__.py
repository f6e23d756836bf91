"""The report of a run: one HTML file that needs nothing beside it.

write(runs.find("last", root), Path("report.html"))
"""

from __future__ import annotations

from pathlib import Path

from voicebot import paths
from voicebot.errors import BadInput
from voicebot.evals.compare import Comparison
from voicebot.evals.kept.runs import Run

from . import change, page
from .page import Audio

__all__ = ["Audio", "write"]


def write(
    run: Run,
    out: Path,
    compare_to: Run | None = None,
    *,
    comparison: Comparison | None = None,
    audio: Audio = "failed",
) -> Path:
    """The run as a page at `out` (a file, or a folder for `report.html`), compared with another run if there is one.

    `comparison` is that of the two runs, where it has been made already. `audio` says which calls can be heard: `all`,
    `failed` (and a few that passed, as long as the page stays below 5 MB) or `none`. Returns the file's path.

    Raises BadInput when it cannot be written.
    """
    if out.is_dir():
        out = out / "report.html"
    changed = change.of(run, compare_to, comparison) if compare_to else None
    text = page.rendered(page.of(run, compare_to, changed, audio))
    aside = out.with_name(f".{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding="utf-8")
        aside.replace(out)
    except OSError as error:
        raise BadInput(f"cannot write {paths.shown(out)}: {error.strerror}.") from None
    return out
