"""Runs of suites as they are kept: `<project>/evals/runs/<id>/`, plain files that are only appended to.

run.json         what was asked for, with which versions and hashes, on which machine
trials.jsonl     the facts of each call, one line each (evals/trial.py)
results.jsonl    the judgements (evals/result.py); a rescore appends, the latest line of a call wins
calls/<case>/    events.jsonl, truth.jsonl, call.wav, agent.yaml

run = find("last", root)
run.results()
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from voicebot import paths
from voicebot.errors import BadInput, did_you_mean
from voicebot.evals.case import Case
from voicebot.evals.result import SCORER, Result
from voicebot.evals.trial import Trial

from . import journal, provenance
from .arguments import Arguments

RUNS = "runs"
META, TRIALS, RESULTS, CALLS = "run.json", "trials.jsonl", "results.jsonl", "calls"
LAST = "last"

State = Literal["running", "done", "interrupted", "out_of_budget"]


class Meta(BaseModel):
    """run.json: everything that is not a call."""

    model_config = ConfigDict(extra="forbid")

    v: Literal[1] = 1
    id: str
    suite: str
    state: State = "running"
    """'running' of a run that nobody makes any more means that its process was killed."""
    started_at: str
    seconds: float = 0.0
    """How long it took, all its parts together."""
    arguments: Arguments = Arguments()
    """What decides which calls there are, to go on with the same ones."""
    merged: list[str] = []
    """The runs that it was put together from."""
    scorer: int = SCORER
    versions: dict[str, str] = {}
    hashes: dict[str, str] = {}
    commit: provenance.Commit | None = None
    machine: provenance.Machine = provenance.Machine()
    pid: int = 0
    planned: list[Case] = []
    """Every call that was asked for, in the order of the report."""


class Run:
    """One run on the disk."""

    def __init__(self, folder: Path, meta: Meta) -> None:
        self.folder = folder
        self.meta = meta

    @property
    def id(self) -> str:
        return self.meta.id

    @property
    def state(self) -> State | Literal["killed"]:
        """As run.json says; 'killed' when it says 'running' and its process is gone."""
        if self.meta.state != "running" or _alive(self.meta.pid):
            return self.meta.state
        return "killed"

    @cached_property
    def _place(self) -> dict[str, int]:
        return {case.id: place for place, case in enumerate(self.meta.planned)}

    def _order(self, entry: Trial | Result) -> tuple[int, str, int]:
        return self._place.get(entry.case.id, len(self._place)), entry.case.id, entry.attempt

    def trials(self) -> list[Trial]:
        """The facts of every call, in the order of the plan, invalid attempts too; `folder` is absolute."""
        found = {(trial.case.id, trial.attempt): trial for trial in journal.read(self.folder / TRIALS, Trial)}
        return [self._located(trial) for trial in sorted(found.values(), key=self._order)]

    def _located(self, trial: Trial) -> Trial:
        return trial.model_copy(update={"folder": self.folder / trial.folder}) if trial.folder else trial

    def results(self) -> list[Result]:
        """The latest judgement of every call, in the order of the plan, invalid attempts too."""
        latest = {(result.case.id, result.attempt): result for result in self.history()}
        return sorted(latest.values(), key=self._order)

    def final(self) -> list[Result]:
        """One result a case: that of its last attempt. Still invalid ones are those that no attempt could save."""
        last = {result.case.id: result for result in self.results()}
        return list(last.values())

    def history(self) -> list[Result]:
        """Every judgement ever made, in the order in which they were made."""
        return journal.read(self.folder / RESULTS, Result)

    def missing(self) -> list[Case]:
        """Planned cases without a result that counts."""
        done = {result.case.id for result in self.results() if result.verdict != "invalid"}
        return [case for case in self.meta.planned if case.id not in done]

    def add(self, trial: Trial, result: Result) -> None:
        """Keep a call: first its facts, then its judgement."""
        kept = self._relative(trial)
        journal.append(self.folder / TRIALS, [kept])
        self.judged([result.model_copy(update={"call": kept.folder.as_posix() if kept.folder else ""})])

    def judged(self, results: Iterable[Result]) -> None:
        """Keep judgements of calls that are there already: they replace the earlier ones."""
        journal.append(self.folder / RESULTS, results)

    def _relative(self, trial: Trial) -> Trial:
        if trial.folder is None or not trial.folder.is_absolute():
            return trial
        return trial.model_copy(update={"folder": trial.folder.relative_to(self.folder.absolute())})

    def call_folder(self, case: Case, attempt: int = 1) -> Path:
        """Where the record of a call goes."""
        again = f"~{attempt}" if attempt > 1 else ""
        return self.folder / CALLS / f"{safe(case.id)}{again}"

    def tidy(self) -> None:
        """Put the lines of both files into the order of the plan: they were written as calls came to their end."""
        trials = sorted(journal.read(self.folder / TRIALS, Trial), key=self._order)
        results = sorted(self.history(), key=self._order)
        journal.replace(self.folder / TRIALS, trials)
        journal.replace(self.folder / RESULTS, results)

    def save(self) -> None:
        """Write run.json: whole, or as it was before."""
        aside = self.folder / f".{META}"
        aside.write_text(self.meta.model_dump_json(indent=2) + "\n", encoding="utf-8")
        os.replace(aside, self.folder / META)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, so it is there
        return True
    return pid > 0


def safe(case_id: str) -> str:
    """A case's id as the name of a folder: 'books/maria/clean#3' -> 'books.maria.clean.3'."""
    return re.sub(r"[^\w-]+", ".", case_id).strip(".")[:150]


def folder_of(root: Path) -> Path:
    return paths.evals_dir(root) / RUNS


def create(root: Path, meta: Meta) -> Run:
    """The folder of a new run. Raises BadInput when it cannot be written."""
    folder = folder_of(root).absolute() / meta.id
    try:
        (folder / CALLS).mkdir(parents=True)
        (folder.parent / ".gitignore").write_text("*\n", encoding="utf-8")  # audio is no source; baselines are
        run = Run(folder, meta)
        run.save()
    except OSError as error:
        raise BadInput(f"cannot write {paths.shown(folder)}: {error.strerror}.") from None
    return run


def begin(root: Path, arguments: Arguments, planned: Sequence[Case]) -> Run:
    """A new run of these calls, with everything noted that its figures may depend on."""
    now = datetime.now().astimezone()
    meta = Meta(
        id=new_id(arguments.suite, now),
        suite=arguments.suite,
        started_at=now.isoformat(timespec="seconds"),
        arguments=arguments,
        versions=provenance.versions(),
        hashes=provenance.of_project(root),
        commit=provenance.commit(root),
        machine=provenance.machine(),
        pid=os.getpid(),
        planned=list(planned),
    )
    return create(root, meta)


def new_id(suite: str, now: datetime | None = None) -> str:
    """'20270301-093000-ci-4f2a': sorts by time, within a second by its last part (in 65536ths)."""
    now = now or datetime.now()
    return f"{now:%Y%m%d-%H%M%S}-{safe(suite)}-{now.microsecond * 65536 // 1_000_000:04x}"


def load(folder: Path) -> Run:
    """The run in `folder`. Raises BadInput when it is none."""
    path = folder / META
    try:
        return Run(folder.absolute(), Meta.model_validate_json(path.read_bytes()))
    except FileNotFoundError:
        raise BadInput(f"{paths.shown(folder)}: no {META} here, so this is not a run of a suite.") from None
    except ValidationError as error:
        raise BadInput(f"{paths.shown(path)}: not readable by this version: {error.errors()[0]['msg']}.") from None
    except OSError as error:
        raise BadInput(f"{paths.shown(path)}: cannot be read ({error.strerror}).") from None


def newest_first(root: Path) -> list[Path]:
    """The folders of all runs of a project, the latest first."""
    folder = folder_of(root)
    if not folder.is_dir():
        return []
    return sorted((path.parent for path in folder.glob(f"*/{META}")), key=lambda path: path.name, reverse=True)


def find(which: str, root: Path, *, suite: str | None = None) -> Run:
    """The run meant by `which`: 'last' (of `suite`, when given), an id, its unique beginning, or a run's folder.

    Raises BadInput when there is no such run or there are several.
    """
    if os.sep in which or Path(which, META).is_file():
        return load(Path(which))
    folders = newest_first(root)
    if not folders:
        raise BadInput(f"no runs in {paths.shown(folder_of(root))} yet. Make one: voicebot eval run")
    if which == LAST:
        return _latest(folders, suite)
    matching = [folder for folder in folders if folder.name == which]
    matching = matching or [folder for folder in folders if folder.name.startswith(which)]
    if len(matching) > 1:
        some = ", ".join(folder.name for folder in matching[:3])
        raise BadInput(f"'{which}' is the beginning of {len(matching)} runs ({some} ...); type more of it.")
    if not matching:
        known = [LAST, *(folder.name for folder in folders[:8])]
        raise BadInput(f"no run '{which}' in {paths.shown(folder_of(root))}.{did_you_mean(which, known)}")
    return load(matching[0])


def _latest(folders: list[Path], suite: str | None) -> Run:
    for folder in folders:
        run = load(folder)
        if suite is None or run.meta.suite == suite:
            return run
    raise BadInput(f"no run of the suite '{suite}' yet. Make one: voicebot eval run {suite}")
