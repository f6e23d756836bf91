"""Calls on a Ray cluster: the same task as in a worker process, one call a core, wherever there is one free.

The project travels with the calls, so the nodes need neither its folder nor a shared disk, only voicebot itself. Hidden
files stay here, `.env` with its keys among them: what providers need must be in the environment of the nodes.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from voicebot import paths
from voicebot.errors import BadInput, MissingExtra, Unavailable, VoicebotError
from voicebot.evals.kept.runs import RUNS
from voicebot.evals.result import Result
from voicebot.evals.trial import Trial

from .jobs import Done, Job, Lost, News, Refused, Task

LOCAL = "local"
"""The address of a cluster that is started on this machine, for the time of the run."""
LIMIT_S = 1800.0
"""After so long a call is taken for dead: nothing is heard of it before it has ended."""
_LEFT_OUT = {paths.CALLS, f"{paths.EVALS}/{RUNS}"}


@dataclass
class _Call:
    job: Job
    began_s: float = field(default_factory=time.monotonic)


class Cluster:
    """A crew for the runner, see `runner.Crew`."""

    def __init__(
        self, address: str, task: Task, *, warm: Callable[[], None] | None = None, limit: int | None = None
    ) -> None:
        """`warm` is done on a node before its first call. Raises MissingExtra without Ray, Unavailable when there is no
        cluster at `address`."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # what a user tests is nobody else's business
        self._ray = _ray()
        self._connect(address)
        self._size = limit or int(self._ray.cluster_resources().get("CPU", 1))
        self._make = self._ray.remote(num_cpus=1, max_retries=0)(_made)
        self._task = task
        self._warm = warm
        self._calls: dict[Any, _Call] = {}
        self._projects: dict[Path, Any] = {}

    def _connect(self, address: str) -> None:
        where = {"include_dashboard": False} if address == LOCAL else {"address": address}
        try:
            self._ray.init(**where, log_to_driver=False, logging_level="error")
        except Exception as error:  # noqa: BLE001 - Ray raises a bare Exception when it does not start in time
            raise Unavailable(f"no Ray cluster at '{address}': {str(error).strip().splitlines()[0]}") from None

    @property
    def busy(self) -> int:
        return len(self._calls)

    @property
    def free(self) -> bool:
        return self.busy < self._size

    def submit(self, job: Job) -> None:
        root = job.planned.root
        if root not in self._projects:
            self._projects[root] = self._ray.put(packed(root))
        self._calls[self._make.remote(self._task, job, self._projects[root], self._warm)] = _Call(job)

    def wait(self, timeout_s: float) -> list[News]:
        ready, _ = self._ray.wait([*self._calls], num_returns=len(self._calls), timeout=timeout_s)
        return [*(self._news(each) for each in ready), *self._hung()]

    def _news(self, reference: Any) -> News:
        job = self._calls.pop(reference).job
        try:
            kind, values = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            return Lost(job, f"the cluster lost the call: {type(error).__name__}.")
        if kind == "refused":
            return Refused(job, *values)
        if kind == "lost":
            return Lost(job, *values)
        trial, result, record = values
        kept = unpacked(record, job.folder)
        return Done(
            job,
            Trial.model_validate_json(trial).model_copy(update={"folder": job.folder if kept else None}),
            Result.model_validate_json(result),
        )

    def _hung(self) -> Iterator[News]:
        for reference, call in list(self._calls.items()):
            if time.monotonic() - call.began_s > LIMIT_S:
                del self._calls[reference]
                self._ray.cancel(reference, force=True)
                yield Lost(call.job, f"the call had not ended after {LIMIT_S:.0f} s.")

    def close(self) -> None:
        for reference in self._calls:
            self._ray.cancel(reference, force=True)
        self._calls.clear()
        self._ray.shutdown()


def _ray() -> Any:
    try:
        import ray
    except ModuleNotFoundError:
        raise MissingExtra("Ray", "ray") from None
    return ray


# -- on a node --


def _made(task: Task, job: Job, project: bytes, warm: Callable[[], None] | None) -> tuple[str, tuple[Any, ...]]:
    """Make one call on whatever node this is; what it left behind comes back with it."""
    root = _project(project)
    with tempfile.TemporaryDirectory(prefix="voicebot-call-") as aside:
        folder = Path(aside, "call")
        planned = replace(job.planned, root=root, agent=root / job.planned.agent.relative_to(job.planned.root))
        try:
            if warm is not None:
                warm()
            trial, result = task(replace(job, planned=planned, folder=folder), lambda turn, call_s: None)
        except BadInput as error:
            return "refused", (str(error),)
        except VoicebotError as error:
            return "lost", (str(error),)
        except Exception as error:  # noqa: BLE001 - whatever broke here, the run goes on and tells it
            return "lost", (f"{type(error).__name__}: {error}",)
        return "done", (trial.model_dump_json(), result.model_dump_json(), packed(folder))


def _project(project: bytes) -> Path:
    """The project on this node, unpacked once for all calls of a run."""
    folder = Path(tempfile.gettempdir(), f"voicebot-project-{hashlib.sha256(project).hexdigest()[:16]}")
    if not folder.is_dir():
        aside = Path(tempfile.mkdtemp(prefix="voicebot-project-"))
        unpacked(project, aside)
        try:
            aside.rename(folder)
        except OSError:  # another call of this node was quicker
            shutil.rmtree(aside)
    return folder


# -- what travels --


def packed(folder: Path) -> bytes:
    """A folder as a tar, without hidden files and without what calls and runs have left behind; b'' when there is none.
    Links become what they lead to."""
    if not folder.is_dir():
        return b""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1, dereference=True) as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name, filter=_wanted)
    return buffer.getvalue()


def _wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    hidden = Path(entry.name).name.startswith((".", "__pycache__"))
    return None if hidden or entry.name in _LEFT_OUT else entry


def unpacked(record: bytes, folder: Path) -> bool:
    """Put a packed folder where it belongs; whether there was anything in it."""
    if not record:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(record), mode="r:gz") as archive:
        archive.extractall(folder, filter="data")
    return True
