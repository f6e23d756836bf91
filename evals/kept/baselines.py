"""Baselines: the results that later runs are held against, small enough to be committed with the agent.

`evals/baselines/<suite>.jsonl`: a first line that says where they are from, then one result a line. No audio, no
events: what a comparison needs, and nothing a caller said beyond the quotes of findings.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from voicebot import paths
from voicebot.errors import BadInput, did_you_mean
from voicebot.evals.measures import Measures
from voicebot.evals.result import Result
from voicebot.evals.trial import Trial

from . import journal, runs
from .runs import Meta, Run

BASELINE = "baseline"
FOLDER = "baselines"


class Kept(Run):
    """Results without their calls: a baseline, or the results.jsonl of a run that came from elsewhere."""

    def __init__(self, path: Path, meta: Meta, results: Sequence[Result]) -> None:
        super().__init__(path.absolute(), meta)
        self._results = list(results)

    def trials(self) -> list[Trial]:
        return []

    def history(self) -> list[Result]:
        return self._results


def folder_of(root: Path) -> Path:
    return paths.evals_dir(root) / FOLDER


def file_of(root: Path, suite: str) -> Path:
    return folder_of(root) / f"{suite}.jsonl"


def set_(run: Run, root: Path) -> Path:
    """Make the run the baseline of its suite. Raises BadInput for a run that has nothing to hold others against."""
    results = [result for result in run.final() if result.verdict != "invalid"]
    if not results:
        raise BadInput(f"the run {run.id} has no valid call, so nothing can be held against it.")
    if run.missing():
        raise BadInput(
            f"the run {run.id} lacks {len(run.missing())} of its {len(run.meta.planned)} calls. "
            f"Make them first: voicebot eval run {run.id} --resume"
        )
    path = file_of(root, run.meta.suite)
    path.parent.mkdir(parents=True, exist_ok=True)
    head = run.meta.model_copy(update={"planned": [], "pid": 0})
    journal.replace(path, [head, *results])
    return path


def every(root: Path) -> list[Kept]:
    """All baselines of the project."""
    folder = folder_of(root)
    return [_read(path) for path in sorted(folder.glob("*.jsonl"))] if folder.is_dir() else []


def remove(root: Path, suite: str) -> Path:
    """Raises BadInput when there is none."""
    path = _existing(root, suite)
    path.unlink()
    return path


def find(root: Path, suite: str) -> Kept:
    """The baseline of a suite. Raises BadInput when there is none."""
    return _read(_existing(root, suite))


def side(which: str, root: Path, suite: str | None = None) -> Run:
    """One side of a comparison: 'baseline', 'last', a run's id or folder, or a file with results.

    `suite` says whose baseline or last run is meant. Raises BadInput.
    """
    if which == BASELINE:
        return find(root, suite or _only(root))
    path = Path(which)
    if path.is_file():
        return _read(path)
    return runs.find(which, root, suite=suite)


def comparable(a: Run, b: Run) -> tuple[list[Result], list[Result], str]:
    """The results of both that can be held against each other, and what was left out, in one sentence ('' if nothing).

    Latencies of two machines tell the machines apart and not the agents, so they are taken out.
    """
    one, other = a.meta.machine, b.meta.machine
    if not a.meta.started_at or not b.meta.started_at or one.like(other):
        return a.final(), b.final(), ""
    why = f"latencies are not compared: {title(a)} was made on {one}, {title(b)} on {other}."
    return [_timeless(result) for result in a.final()], [_timeless(result) for result in b.final()], why


def _timeless(result: Result) -> Result:
    times = {name: Measures.model_fields[name].get_default() for name in Measures.model_fields if name.endswith("_ms")}
    return result.model_copy(update={"measures": result.measures.model_copy(update=times | {"turn_scores": []})})


def title(run: Run) -> str:
    """What a side is called: '20270301-093000-ci-4f2a', or 'baseline of 2027-03-01, 1b2c3d4'."""
    if not isinstance(run, Kept):
        return run.id
    commit = run.meta.commit
    made = [run.meta.started_at[:10], f"{commit.sha[:7]}{'+' if commit.dirty else ''}" if commit else ""]
    about = ", ".join(filter(None, made))
    return f"{BASELINE} of {about}" if run.meta.suite else paths.shown(run.folder)


def _only(root: Path) -> str:
    names = [path.stem for path in sorted(folder_of(root).glob("*.jsonl"))]
    if len(names) != 1:
        known = f"Known: {', '.join(names)}." if names else "Make one: voicebot eval baseline set"
        raise BadInput(f"{'several baselines' if names else 'no baseline'} in {paths.shown(folder_of(root))}. {known}")
    return names[0]


def _existing(root: Path, suite: str) -> Path:
    path = file_of(root, suite)
    if not path.is_file():
        known = [each.stem for each in folder_of(root).glob("*.jsonl")]
        hint = did_you_mean(suite, known) if known else " Make one: voicebot eval baseline set"
        raise BadInput(f"no baseline of the suite '{suite}' in {paths.shown(folder_of(root))}.{hint}")
    return path


def _read(path: Path) -> Kept:
    """A baseline begins with where it is from; the results of a run do not."""
    first = path.read_bytes().partition(b"\n")[0]
    try:
        meta, skip = Meta.model_validate_json(first), 1
    except ValidationError:
        meta, skip = Meta(id=path.stem, suite="", started_at=""), 0
    results = journal.read(path, Result, skip=skip)
    meta.planned = list(dict.fromkeys(result.case for result in results))
    return Kept(path, meta, results)
