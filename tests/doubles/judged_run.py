"""A run of a suite as the runner leaves it behind, built without calling anybody.

run = JudgedRun(project).call("books", "maria").call("cancels", "maria", failed=[wrong]).done()
"""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tests.doubles.recorded_call import RecordedCall, booking
from voicebot.evals.case import Case
from voicebot.evals.kept import runs
from voicebot.evals.kept.runs import Meta, Run
from voicebot.evals.measures import Measures, Rate
from voicebot.evals.result import Finding, Result
from voicebot.evals.trial import Trial
from voicebot.personas import truth
from voicebot.personas.truth import Sound

RATE_HZ = 8000


def wrong(says: str = "no appointment for Maria", *, at_ms: float | None = 9000.0, **about: Any) -> Finding:
    """A check that failed."""
    about = {"check": "expect data/appointments.json", "stage": "tools", "quote": "You are booked."} | about
    return Finding(ok=False, says=says, at_ms=at_ms, **about)


@functools.cache
def humming(seconds: float) -> bytes:
    """A stereo WAV: the caller hums in the first half, the agent in the second."""
    half = int(seconds * RATE_HZ / 2)
    tone = (9000 * np.sin(2 * np.pi * 220 * np.arange(half) / RATE_HZ)).astype("<i2")
    silence = np.zeros_like(tone)
    written = io.BytesIO()
    both = np.concatenate([np.stack([tone, silence], axis=1), np.stack([silence, tone], axis=1)])
    soundfile.write(written, both, RATE_HZ, format="WAV", subtype="PCM_16")
    return written.getvalue()


class JudgedRun:
    """`call` adds one call; the first of a case is attempt 1, every further one the next."""

    def __init__(self, root: Path, run_id: str = "20270301-093000-ci-4f2a", **about: Any) -> None:
        meta = Meta(id=run_id, suite="ci", state="done", started_at="2027-03-01T09:30:00+00:00", **about)
        self._run = runs.create(root, meta)
        self._attempts: dict[str, int] = {}

    def call(
        self,
        scenario: str,
        persona: str,
        *,
        failed: Sequence[Finding] = (),
        broke: str = "",
        line: str = "clean",
        seed: int = 0,
        told: RecordedCall | None = None,
        sounds: Sequence[Sound] = (),
        seconds: float = 20.0,
    ) -> JudgedRun:
        """One call with its record: `told` is what happened in it, `seconds` of sound (0: a typed one)."""
        case = Case(scenario=scenario, persona=persona, line=line, seed=seed, agent="ava")
        attempt = self._attempts[case.id] = self._attempts.get(case.id, 0) + 1
        folder = self._run.call_folder(case, attempt)
        told = told or booking()
        told.call_id = folder.name
        told.write(folder.parent, audio=False)
        truth.write(folder, list(sounds))
        if seconds:
            (folder / "call.wav").write_bytes(humming(seconds))
        verdict = "invalid" if broke else "failed" if failed else "passed"
        kept = Finding(check="ended", ok=True, stage="call", says="the call ended with 'agent_hung_up'")
        measures = Measures(v2v_ms=[600.0, 700.0], responses=Rate(hits=2, n=2), call_s=told.now_ms / 1000)
        self._run.add(
            Trial(case=case, attempt=attempt, folder=folder, broke=broke, ended="agent_hung_up"),
            Result(
                case=case, attempt=attempt, verdict=verdict, findings=[*failed, kept], broke=broke, measures=measures
            ),
        )
        self._run.meta.planned = [*self._run.meta.planned, *([case] if attempt == 1 else [])]
        return self

    def done(self) -> Run:
        """As it lies on the disk."""
        self._run.save()
        return runs.load(self._run.folder)
