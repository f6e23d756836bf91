"""Worker processes for calls: started one by one as they are needed, watched, and replaced when they die or hang."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from voicebot import paths
from voicebot.errors import Unavailable
from voicebot.evals.result import Result
from voicebot.evals.trial import Trial

from . import worker
from .jobs import Done, Job, Lost, News, Progress, Refused, Task

STALL_S = 180.0
"""A call of which nothing is heard for so long is taken for dead. Slow models answer within that."""
START_S = 120.0
"""How long a process may take to begin."""

_SPAWN = multiprocessing.get_context("spawn")  # a fork would inherit threads' locks and half a terminal


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    job: Job | None = None
    ready: bool = False
    heard_s: float = field(default_factory=time.monotonic)

    @property
    def silent_s(self) -> float:
        return time.monotonic() - self.heard_s


class Pool:
    """At most `size` processes, one call at a time in each."""

    def __init__(
        self,
        size: int,
        task: Task,
        log: Path,
        *,
        warm: Callable[[], None] | None = None,
        stall_s: float = STALL_S,
    ) -> None:
        """`log` takes what the processes print; `warm` is done in each before its first call."""
        self._size = size
        self._task = task
        self._log = log
        self._warm = warm
        self._stall_s = stall_s
        self._workers: list[_Worker] = []

    @property
    def busy(self) -> int:
        return sum(worker.job is not None for worker in self._workers)

    @property
    def free(self) -> bool:
        return self.busy < self._size

    def submit(self, job: Job) -> None:
        """Give the job to an idle worker, or to a new one. Only while `free`."""
        idle = next((each for each in self._workers if each.job is None), None) or self._start()
        idle.job = job
        idle.heard_s = time.monotonic()
        try:
            idle.connection.send(job)
        except OSError:
            return  # it has just died: `wait` will find it so, and tell that the job is lost

    def wait(self, timeout_s: float) -> list[News]:
        """What is heard of the jobs within this time; at once when there is something. Raises Unavailable when no
        worker can even start."""
        handles: list[object] = [each.connection for each in self._workers]
        handles += [each.process.sentinel for each in self._workers]
        wait(handles, timeout_s)  # type: ignore[arg-type]  # it takes both kinds, as its documentation says
        return [news for each in list(self._workers) for news in self._news_of(each)]

    def close(self) -> None:
        """End all workers, whatever they are doing."""
        for each in self._workers:
            self._kill(each)
        self._workers.clear()

    def _start(self) -> _Worker:
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=worker.serve, args=(theirs, self._task, self._log, self._warm), daemon=True)
        process.start()
        theirs.close()  # so that its death is the end of the connection
        self._workers.append(_Worker(process, ours))
        return self._workers[-1]

    def _news_of(self, each: _Worker) -> Iterator[News]:
        try:
            while each.connection.poll():
                yield from self._understood(each, each.connection.recv())
        except (EOFError, OSError):
            yield from self._died(each)
            return
        if not each.process.is_alive():
            yield from self._died(each)
        elif each.job is not None and each.silent_s > (self._stall_s if each.ready else START_S):
            yield from self._hung(each)

    def _understood(self, each: _Worker, message: worker.Message) -> Iterator[News]:
        kind, values = message
        each.heard_s = time.monotonic()
        if kind == "ready":
            each.ready = True
            return
        job = each.job
        assert job is not None
        if kind == "progress":
            yield Progress(job, *values)
            return
        each.job = None
        if kind == "done":
            trial, result = values
            yield Done(job, Trial.model_validate_json(trial), Result.model_validate_json(result))
        elif kind == "refused":
            yield Refused(job, *values)
        else:
            yield Lost(job, *values)

    def _died(self, each: _Worker) -> Iterator[News]:
        each.process.join(1)  # its connection closes a moment before it is gone
        why = _cause_of_death(each.process.exitcode)
        self._remove(each)
        if not each.ready:
            raise Unavailable(f"a process for calls could not start ({why}). What it said: {paths.shown(self._log)}")
        if each.job is not None:
            yield Lost(each.job, f"the process of the call died ({why}). What it said: {paths.shown(self._log)}")

    def _hung(self, each: _Worker) -> Iterator[News]:
        assert each.job is not None
        self._remove(each)
        if not each.ready:
            raise Unavailable(f"a process for calls did not start within {START_S:.0f} s.")
        yield Lost(each.job, f"nothing was heard of the call for {self._stall_s:.0f} s, so its process was ended.")

    def _remove(self, each: _Worker) -> None:
        self._workers.remove(each)
        self._kill(each)

    @staticmethod
    def _kill(each: _Worker) -> None:
        each.process.kill()
        each.process.join(10)
        each.connection.close()


def _cause_of_death(exit_code: int | None) -> str:
    if exit_code is None:
        return "it closed its connection"
    if exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"
