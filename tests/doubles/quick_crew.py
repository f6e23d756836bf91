"""A crew that makes no call: each comes to its end at once, with what `judge` says of it.

monkeypatch.setattr("voicebot.studio.evals.making.Pool", lambda *args, **about: QuickCrew(judge))
"""

from __future__ import annotations

from collections.abc import Callable

from tests.doubles.recorded_call import booking
from voicebot.evals.case import Case
from voicebot.evals.measures import Measures, Rate
from voicebot.evals.result import Finding, Result
from voicebot.evals.running.jobs import Done, Job, Lost, News, Progress
from voicebot.evals.trial import Trial

Judge = Callable[[Case], list[Finding] | str]
"""What failed in a call; a text is why its process died."""


class QuickCrew:
    def __init__(self, judge: Judge, *, holds: Callable[[], bool] = lambda: False) -> None:
        """While `holds()`, calls are under way."""
        self._judge = judge
        self._holds = holds
        self._jobs: list[Job] = []

    @property
    def busy(self) -> int:
        return len(self._jobs)

    @property
    def free(self) -> bool:
        return len(self._jobs) < 2

    def submit(self, job: Job) -> None:
        self._jobs.append(job)

    def wait(self, timeout_s: float) -> list[News]:
        if self._holds():
            return [Progress(job, 3, 12.0) for job in self._jobs]
        jobs, self._jobs = self._jobs, []
        return [self._ended(job) for job in jobs]

    def close(self) -> None:
        self._jobs = []

    def _ended(self, job: Job) -> News:
        found = self._judge(job.case)
        if isinstance(found, str):
            return Lost(job, found)
        told = booking()
        told.call_id = job.folder.name
        told.write(job.folder.parent, audio=False)
        measures = Measures(v2v_ms=[600.0, 700.0], responses=Rate(hits=2, n=2), call_s=told.now_ms / 1000)
        result = Result(
            case=job.case,
            attempt=job.attempt,
            verdict="failed" if found else "passed",
            findings=[*found, Finding(check="ended", ok=True, stage="call", says="it ended")],
            measures=measures,
        )
        return Done(job, Trial(case=job.case, attempt=job.attempt, folder=job.folder, ended="agent_hung_up"), result)
