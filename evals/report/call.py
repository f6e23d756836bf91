"""One call as the page shows it: everything read from its record, laid out and ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voicebot import events
from voicebot.errors import BadInput
from voicebot.evals import transcript
from voicebot.evals.result import Finding, Result, Verdict
from voicebot.evals.trial import Trial
from voicebot.latency import Waterfall, waterfalls
from voicebot.store import calls

from . import lanes, sound

LEAD_MS = 2000.0
"""The failing moment is played from this long before it."""
_PIXELS_PER_S = 24


@dataclass(frozen=True)
class Failure:
    """A check that failed, and where that can be heard."""

    number: int
    """Counted from 1 in its call: what the mark in the picture says."""
    finding: Finding
    shift_px: int = 0
    """How far to the right the mark is drawn, beside those of the same moment."""

    @property
    def from_ms(self) -> float | None:
        at = self.finding.at_ms
        return None if at is None else max(0.0, at - LEAD_MS)


@dataclass(frozen=True)
class Outlines:
    """SVG paths of both sides of the sound."""

    caller: str
    agent: str


@dataclass(frozen=True)
class CallView:
    """What is shown of one call."""

    number: int
    result: Result
    before: Verdict | None
    """The verdict of the same case in the run that this one is compared to."""
    length_ms: float
    lines: list[transcript.Line]
    lanes: list[lanes.Lane]
    falls: list[Waterfall]
    outlines: Outlines | None
    audio: str = ""
    """A data URI; '' where the sound is not in the page, and `without` says why."""
    without: str = ""
    folder: str = ""
    """Of the record, as a person would type it."""

    @property
    def anchor(self) -> str:
        return f"call-{self.number}"

    @property
    def failures(self) -> list[Failure]:
        failed = self.result.failed
        return [Failure(n + 1, finding, 18 * self._beside(finding, failed[:n])) for n, finding in enumerate(failed)]

    def _beside(self, finding: Finding, earlier: Sequence[Finding]) -> int:
        """How many marks lie where this one would."""
        near_ms = self.length_ms / 100
        at_ms = finding.at_ms
        return sum(
            at_ms is not None and each.at_ms is not None and abs(each.at_ms - at_ms) < near_ms for each in earlier
        )

    @property
    def passed(self) -> list[Finding]:
        return [finding for finding in self.result.findings if finding.ok]

    @property
    def width_px(self) -> int:
        """How wide the picture has to be for something to be seen in it."""
        return round(self.length_ms / 1000 * _PIXELS_PER_S)

    @property
    def ticks_s(self) -> list[int]:
        """Marks of the time axis: every 5 s, or every 30 s of a long call."""
        seconds = self.length_ms / 1000
        step = next(step for step in (1, 5, 10, 30, 60, 300) if seconds / step <= 20 or step == 300)
        return list(range(0, int(seconds) + 1, step))

    def percent(self, at_ms: float) -> str:
        """A moment as a place on the time axis."""
        return f"{min(100.0, max(0.0, 100 * at_ms / self.length_ms)):.2f}%"

    @property
    def slowest_ms(self) -> float:
        """What the bars of the latencies are drawn against: at least a second, so that quick answers look quick."""
        return max([1000.0, *(fall.v2v_ms for fall in self.falls if fall.v2v_ms is not None)])


class Album:
    """Makes the views of a run's calls, and keeps an eye on how much sound goes into the page."""

    def __init__(self, room_bytes: float) -> None:
        self._room_bytes = room_bytes

    def view(self, number: int, result: Result, trial: Trial | None, before: Verdict | None, *, loud: bool) -> CallView:
        """The view of one call; `loud`: with its sound, when there is room left for it."""
        happened = _events(trial)
        sounds = trial.sounds if trial else []
        heard = sound.read(trial.audio) if trial and trial.audio else None
        length_ms = _length_ms(happened, [each.ends_ms for each in sounds], heard)
        audio, without = self._audio(heard, loud)
        return CallView(
            number=number,
            result=result,
            before=before,
            length_ms=length_ms,
            lines=transcript.of(happened, sounds),
            lanes=lanes.of(happened, sounds),
            falls=waterfalls(happened),
            outlines=_outlines(heard, length_ms),
            audio=audio,
            without=without,
            folder=result.call,
        )

    def _audio(self, heard: tuple[sound.Samples, int] | None, loud: bool) -> tuple[str, str]:
        if heard is None:
            return "", "This call has no sound: it was typed, or its recording is gone."
        if not loud:
            return "", "Its sound is not in this page."
        uri = sound.embedded(*heard)
        if len(uri) > self._room_bytes:
            return "", "Its sound is not in this page, which would have become too large."
        self._room_bytes -= len(uri)
        return uri, ""


def _events(trial: Trial | None) -> Sequence[events.Event]:
    """What the call told, as far as it can be read: a broken run may have left half a record."""
    if trial is None or trial.folder is None:
        return []
    try:
        return calls.read(trial.folder).events
    except BadInput:
        return []


def _length_ms(
    happened: Sequence[events.Event], ends_ms: Sequence[float], heard: tuple[sound.Samples, int] | None
) -> float:
    recorded = 1000 * len(heard[0]) / heard[1] if heard else 0.0
    return max([1.0, recorded, *(event.t_ms for event in happened), *ends_ms])


def _outlines(heard: tuple[sound.Samples, int] | None, length_ms: float) -> Outlines | None:
    if heard is None:
        return None
    samples, rate_hz = heard
    whole = max(len(samples), round(length_ms / 1000 * rate_hz))
    return Outlines(sound.outline(samples[:, 0], whole), sound.outline(samples[:, 1], whole, down=True))
