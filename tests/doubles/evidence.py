"""A call to be judged, built by hand: events and sounds on the disk, facts and figures as the test says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.doubles.recorded_call import RecordedCall
from voicebot.evals.case import Case
from voicebot.evals.checks import Checks, Evidence, run
from voicebot.evals.measures import Measures
from voicebot.evals.result import Finding
from voicebot.evals.trial import Trial
from voicebot.personas import truth
from voicebot.personas.truth import Sound

CASE = Case(scenario="books", persona="maria", agent="ava")
STORE = "data/appointments.json"


def a_trial(
    folder: Path, call: RecordedCall | None, *, sounds: Sequence[Sound] = (), audio: bool = True, **about: Any
) -> Trial:
    """The trial of `call`; None for one that left no record."""
    if call is None:
        return Trial(case=CASE, **about)
    ended = next((event.reason for event in call.events if event.type == "call_ended"), "")
    record = call.write(folder, audio=audio)
    truth.write(record, list(sounds))
    return Trial(case=CASE, folder=record, **{"ended": ended, "call_s": call.now_ms / 1000, **about})


def evidence(
    folder: Path,
    call: RecordedCall | None,
    *,
    measures: Measures | None = None,
    ways: dict[str, list[str]] | None = None,
    **about: Any,
) -> Evidence:
    return Evidence(a_trial(folder, call, **about), measures or Measures(), ways or {})


def found(checks: dict[str, Any], call: Evidence) -> list[Finding]:
    """What the declared checks find, as in a scenario file."""
    return run(Checks.model_validate(checks), call)


def one(checks: dict[str, Any], call: Evidence) -> Finding:
    (finding,) = found(checks, call)
    return finding
