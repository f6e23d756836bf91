"""What the caller heard the agent say, and what must never be heard. Words the agent only meant to say do not count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from pydantic import model_validator

from voicebot.evals.result import Finding

from .evidence import Evidence, Line, Unknown
from .values import Budget, Part, Pattern


class Said(Part):
    """Words that the caller must hear. A plain text is short for `match`."""

    match: Pattern
    """A regular expression; upper and lower case are the same, number words are found as digits, too. `{day}` stands
    for any way to say that fact of the caller: "Thursday the fourth", "March 4th"."""
    within: Budget | None = None
    """So long after the call was answered at the latest: `20s`."""
    answering: Pattern | None = None
    """Only in what the agent says next after the caller has said these words."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"match": value} if isinstance(value, str) else value


def check(said: Sequence[Said], never_said: Sequence[str], call: Evidence) -> Iterator[Finding]:
    """One finding for every pattern."""
    for wanted in said:
        yield _judged("said", call, partial(_said, wanted, call))
    for pattern in never_said:
        yield _judged("never_said", call, partial(_never, pattern, call))


def _judged(name: str, call: Evidence, judge: Callable[[], Finding]) -> Finding:
    """What cannot be looked at has not been shown."""
    if not call.lines:
        return Finding(check=name, ok=False, stage="call", says="there is no record of what the caller heard")
    try:
        return judge()
    except Unknown as error:
        return Finding(check=name, ok=False, stage="brain", says=str(error))


def _said(wanted: Said, call: Evidence) -> Finding:
    lines = call.lines if wanted.answering is None else list(_answers(wanted.answering, call))
    if wanted.answering is not None and not lines:
        says = f"the caller never said '{wanted.answering}', so there is no answer to look at"
        return Finding(check="said", ok=False, stage="call", says=says)
    hit = found(wanted.match, lines, call)
    if hit is None:
        where = f" in answer to '{wanted.answering}'" if wanted.answering else ""
        heard = lines[-1]
        says = f"the caller never heard '{wanted.match}'{where}"
        return Finding(check="said", ok=False, stage="brain", says=says, at_ms=heard.at_ms, quote=heard.text)
    line, words = hit
    late = wanted.within is not None and line.at_ms > wanted.within * 1000
    says = f"the caller heard '{words}' after {line.at_ms / 1000:.1f} s"
    if late:
        says += f", later than {wanted.within:g} s"
    return Finding(check="said", ok=not late, stage="brain", says=says, at_ms=line.at_ms, quote=line.text)


def _never(pattern: str, call: Evidence) -> Finding:
    hit = found(pattern, call.lines, call)
    if hit is None:
        return Finding(check="never_said", ok=True, stage="brain", says=f"nobody heard '{pattern}'")
    line, words = hit
    says = f"the caller heard '{words}', which must never be said ('{pattern}')"
    return Finding(check="never_said", ok=False, stage="brain", says=says, at_ms=line.at_ms, quote=line.text)


def found(pattern: str, lines: Sequence[Line], call: Evidence) -> tuple[Line, str] | None:
    """The first line in which the words are heard, and the words. They may run over the end of a clause."""
    for line in lines:
        if words := call.search(pattern, line.text):
            return line, words
    for turn in dict.fromkeys(line.turn for line in lines):
        of_turn = [line for line in lines if line.turn == turn]
        whole = " ".join(line.text for line in of_turn)
        if words := call.search(pattern, whole):
            return Line("agent", whole, of_turn[0].at_ms, turn), words
    return None


def _answers(question: str, call: Evidence) -> Iterator[Line]:
    """What the agent said between the caller's words that match and the caller's next words."""
    spoken = call.utterances
    for index, said in enumerate(spoken):
        if call.search(question, said.text):
            until = spoken[index + 1].at_ms if index + 1 < len(spoken) else float("inf")
            yield from (line for line in call.lines if said.at_ms <= line.at_ms < until)
