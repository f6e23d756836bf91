"""US social security numbers: nine digits that were said to be one, or are grouped like one."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.brain.guardrails.pii.numbers import Run
from voicebot.brain.guardrails.pii.scene import Private, Scene

LENGTH = 9
LEAST_BEGUN = 3


def find(scene: Scene) -> Iterator[Private]:
    for run in scene.runs:
        cue, digits = scene.cue(run), run.digits
        if cue == "ssn" and LEAST_BEGUN <= len(digits) <= LENGTH + 1:
            begun = scene.tail.digits if scene.tail.cue == "ssn" and scene.continues(run) else ""
            yield scene.private(
                "ssn", begun + digits, run.first, run.end, 1.0 if len(begun + digits) == LENGTH else 0.8
            )
        elif len(digits) == LENGTH and _is_issued(digits):
            grouped = _groups(scene, run) == [3, 2, 4]
            if grouped and cue in ("", "ssn", "birth", "other"):
                yield scene.private("ssn", digits, run.first, run.end, 0.9)
            elif not cue and "US" in scene.regions and len(run.pieces) > 1 and scene.is_bare(run.first, run.end):
                yield scene.private("ssn", digits, run.first, run.end, 0.6)


def _is_issued(digits: str) -> bool:
    """Rules of the Social Security Administration: no part is all zeros, the first is not 666."""
    return digits[:3] not in ("000", "666") and digits[3:5] != "00" and digits[5:] != "0000"


def _groups(scene: Scene, run: Run) -> list[int]:
    """How many digits stand between two signs or "dash"es; for groups of figures between two of them."""
    groups = [0]
    for number, piece in enumerate(run.pieces):
        written = scene.reading.tokens[piece.first].isdigit() and len(piece.digits) > 1
        apart = number and piece.first > run.pieces[number - 1].end
        if apart or (number and written):
            groups.append(0)
        groups[-1] += len(piece.digits)
    return groups
