"""The whole page: which calls are on it, in which order, and how it is put together."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

import jinja2

from voicebot.evals.kept.runs import Run
from voicebot.evals.result import Result, Verdict
from voicebot.evals.trial import Trial
from voicebot.latency import STAGES

from . import matrix, overview, sound
from .call import Album, CallView, Failure
from .change import Change
from .matrix import Matrix
from .overview import Overview

Audio = Literal["all", "failed", "none"]
"""Which calls can be heard: all of them; those that failed, and a few that passed to compare; none."""

ROOM_BYTES = 3_500_000
"""Sound in a page, so that one of 60 calls stays below 5 MB and can be sent by mail."""
PASSED_WITH_SOUND = 3
_RANK: dict[Verdict, int] = {"failed": 0, "invalid": 1, "passed": 2}
_POLICY = (
    "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; media-src data:; "
    "base-uri 'none'; form-action 'none'"
)
"""What callers and tools said stands in the page as text. Should it ever get out of there, no browser runs it."""


@dataclass(frozen=True)
class Page:
    """What the template is filled with."""

    title: str
    suite: str
    subtitle: str
    overview: Overview
    change: Change | None
    matrix: Matrix
    views: list[CallView]
    """Failed calls first."""
    failures: list[tuple[CallView, Failure]]
    invalid: list[tuple[Result, bool]]
    """Every attempt that broke, and whether a later one was good."""
    provenance: list[str]

    @property
    def anchors(self) -> dict[str, str]:
        """Where the call of each case is."""
        return {view.result.case.id: view.anchor for view in self.views}


def of(run: Run, baseline: Run | None, change: Change | None, audio: Audio) -> Page:
    """The page of a run; `change` says what became of it since `baseline`."""
    final = run.final()
    before = {result.case.id: result.verdict for result in baseline.final()} if baseline else {}
    planned = _views(final, run.trials(), before, audio)
    views = sorted(planned, key=lambda view: _RANK[view.result.verdict])
    return Page(
        title=f"{run.meta.suite}: voicebot eval report",
        suite=run.meta.suite,
        subtitle=f"{run.id} · {run.meta.started_at[:16].replace('T', ' ')} · {len(final)} calls",
        overview=overview.of(run, final),
        change=change,
        matrix=matrix.of(planned),
        views=views,
        failures=[(view, failure) for view in views for failure in view.failures],
        invalid=_invalid(run.results(), final),
        provenance=_provenance(run),
    )


def _views(
    results: Sequence[Result], trials: Sequence[Trial], before: Mapping[str, Verdict], audio: Audio
) -> list[CallView]:
    """In the order of the results; sound is given out to failed calls first, as long as there is room."""
    happened = {(trial.case.id, trial.attempt): trial for trial in trials}
    album = Album(float("inf") if audio == "all" else ROOM_BYTES)
    quiet = 0 if audio == "all" else PASSED_WITH_SOUND
    views: dict[int, CallView] = {}
    for place in sorted(range(len(results)), key=lambda place: _RANK[results[place].verdict]):
        result = results[place]
        passed_before = sum(view.result.verdict == "passed" for view in views.values())
        loud = audio == "all" or (audio == "failed" and (result.verdict != "passed" or passed_before < quiet))
        trial = happened.get((result.case.id, result.attempt))
        views[place] = album.view(place + 1, result, trial, before.get(result.case.id), loud=loud)
    return [views[place] for place in range(len(results))]


def _invalid(results: Sequence[Result], final: Sequence[Result]) -> list[tuple[Result, bool]]:
    good = {result.case.id for result in final if result.verdict != "invalid"}
    return [(result, result.case.id in good) for result in results if result.verdict == "invalid"]


def _provenance(run: Run) -> list[str]:
    meta = run.meta
    machine = meta.machine
    lines = [
        f"Scorer {meta.scorer}" + (f", commit {meta.commit.sha[:12]}" if meta.commit else "")
        + (" with uncommitted changes" if meta.commit and meta.commit.dirty else ""),
        " · ".join(f"{name} {version}" for name, version in meta.versions.items()),
        " · ".join(filter(None, (machine.system, f"Python {machine.python}", f"{machine.cores} cores"))),
        " · ".join(f"{name} {digest[:12]}" for name, digest in meta.hashes.items()),
    ]  # fmt: skip
    return [line for line in lines if line]


def rendered(page: Page) -> str:
    """The page as HTML. Everything that is put in is escaped; only our own style and script, `|safe` there, are not."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"clock": _clock, "whole": _whole, "ms": lambda value: f"{value:.0f} ms"}
    style, script = _template("report.css"), _template("report.js")
    return environment.get_template("report.html").render(
        page=page,
        policy=_POLICY.format(script=_sha256(script), style=_sha256(style)),
        style=style,
        script=script,
        signs=matrix.SIGNS,
        stages=STAGES,
        box={"width": sound.COLUMNS, "height": sound.HEIGHT},
    )


def _template(name: str) -> str:
    return (resources.files(__package__) / name).read_text("utf-8")


def _sha256(code: str) -> str:
    return base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()


def _clock(at_ms: float) -> str:
    """'1:07.3', minutes and seconds of the call."""
    tenths = round(max(0.0, at_ms) / 100)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def _whole(at_ms: float) -> str:
    return _clock(at_ms)[:-2]
