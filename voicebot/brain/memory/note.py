"""The note that stands for the earlier part of a call, and how it is made of the turns it replaces.

    [Notes on the call so far. The turns they stand for are not shown any more.
    In short: Maria wants a cleaning and has asked for the prices.
    Said verbatim by the caller: "my name is Maria Lopez"; "my number is 212 555 0199" (corrected).
    Said verbatim by you: "A cleaning is 90 dollars".
    Tools: book(day="Tuesday"): {"outcome":"booked"}.
    Known: name = Maria Lopez.]

Only "In short" is anybody's summary. Everything else is copied by rule from what was said and done.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from voicebot.brain.memory.facts import Mark, Quote, quotes
from voicebot.brain.memory.meter import estimated_tokens
from voicebot.brain.memory.verbatim import LEFT_OUT, Verbatim, fitting, sifted

OPENING = "[Notes on the call so far. The turns they stand for are not shown any more."
LONGEST_RESULT_CHARACTERS = 300
_FRAME_TOKENS = 80
"""What the words around the entries of a note take."""
_SKETCH_AT_LEAST = 3
"""Words; "ok, thanks" needs no sketch."""
_QUOTED = 0.8
"""A turn of which so much is quoted needs no sketch."""
_LEAST_CHECKED = 3
"""Digits of a number in a summary, from which on somebody must have said it."""
SKETCH_WORDS = 12
"""Of a turn of the caller, in a summary that is made by rule."""
_SUMMARY_SHARE, _TOOLS_SHARE = 0.3, 0.3
"""Of a note, at most."""
_CONFIRMS = re.compile(r"book|confirm|reserv|cancel|order|creat|sav|sent|chang|paid|success|done|\bok\b", re.I)


@dataclass(frozen=True)
class Deed:
    """A tool that ran, and what it gave."""

    call: str
    result: str

    @property
    def shown(self) -> str:
        return f"{self.call}: {self.result}"


@dataclass(frozen=True)
class Note:
    """What is remembered of the conversation up to and with the message `through`."""

    through: str = ""
    summary: str = ""
    quotes: tuple[Quote, ...] = ()
    deeds: tuple[Deed, ...] = ()
    text: str = field(default="", compare=False)
    """The note as the model reads it."""

    def saved(self) -> dict[str, str]:
        """For a checkpoint, which has the conversation as well."""
        return {"through": self.through, "summary": self.summary, "text": self.text}

    @classmethod
    def of(cls, saved: Mapping[str, str], messages: Sequence[BaseMessage]) -> Self:
        """What `saved` has written, with the facts of the conversation that it stands for."""
        end = next((place for place, each in enumerate(messages, 1) if each.id == saved["through"]), 0)
        return cls(**saved, quotes=tuple(quotes_of(messages[:end])), deeds=tuple(_deeds(messages[:end], messages)))


def noted(
    before: Note | None,
    removed: Sequence[BaseMessage],
    kept: Sequence[BaseMessage],
    *,
    limit: int,
    summary: str | None = None,
    known: Mapping[str, Any] | None = None,
) -> Note:
    """The note for `removed` and all that `before` stood for, in about `limit` tokens.

    `summary` is what a model made of both; without it, one is made by rule. `kept` is what was said since: it may hold
    corrections, and results of tools that `removed` asked for. `known` are the slots of a flow.
    """
    before = before or Note()
    told = (*before.quotes, *quotes_of(removed))
    verbatim = sifted([*told, *quotes_of(kept)], listed=len(told))
    deeds = {deed.call: deed for deed in (*before.deeds, *_deeds(removed, kept))}
    if summary is None:
        summary = "\n".join(filter(None, [before.summary, _sketch(removed)]))
    else:
        summary = _grounded(summary, told, f"{before.text} {transcript(removed)}")
    summary = _without(_last_of(summary, round(_SUMMARY_SHARE * limit)), verbatim.replaced)
    note = Note(removed[-1].id or "", summary, told, tuple(deeds.values()))
    return replace(note, text=_text(note, verbatim, limit, known or {}))


def _text(note: Note, verbatim: Verbatim, limit: int, known: Mapping[str, Any]) -> str:
    slots = ", ".join(f"{name} = {value}" for name, value in known.items() if value is not None)
    left = max(limit - _FRAME_TOKENS - estimated_tokens(slots), 0)
    tools = _fitting_deeds(note.deeds, round(_TOOLS_SHARE * left))
    caller, agent = fitting(verbatim.kept, left - estimated_tokens(tools) - estimated_tokens(note.summary))
    lines = [
        OPENING,
        f"In short: {note.summary}" if note.summary else "",
        f"Said verbatim by the caller: {'; '.join(caller)}." if caller else "",
        f"Said verbatim by you: {'; '.join(agent)}." if agent else "",
        f"Tools: {tools}." if tools else "",
        f"Known: {slots}." if slots else "",
    ]
    return "\n".join(filter(None, lines)) + "]"


def transcript(messages: Sequence[BaseMessage]) -> str:
    """The conversation as somebody reads it who is to sum it up."""
    lines = []
    for message in messages:
        if isinstance(message, HumanMessage):
            lines.append(f"Caller: {message.text.strip() or '(silent)'}")
        elif isinstance(message, AIMessage) and message.text.strip():
            lines.append(f"Agent: {message.text.strip()}")
    return "\n".join([*lines, *(f"Tool {deed.shown}" for deed in _deeds(messages, ()))])


def quotes_of(messages: Sequence[BaseMessage]) -> list[Quote]:
    """What was said verbatim in them by the caller and by the agent."""
    found: list[Quote] = []
    asked = ""
    for message in messages:
        if isinstance(message, HumanMessage):
            found += quotes(message.text, "caller", asked)
        elif isinstance(message, AIMessage):
            found += quotes(message.text, "agent")
            asked = message.text or asked
    return found


def _sketch(messages: Iterable[BaseMessage]) -> str:
    """A summary by rule: how the caller's turns began, those aside of which everything is quoted."""
    lines = []
    for message in messages:
        if isinstance(message, HumanMessage):
            found = quotes(message.text, "caller")
            words = _unquoted(message.text, found).split()
            quoted = sum(len(quote.text) for quote in found)
            if len(words) >= _SKETCH_AT_LEAST and quoted < _QUOTED * len(message.text):
                begun = " ".join(words[:SKETCH_WORDS]) + (f" {LEFT_OUT}" if len(words) > SKETCH_WORDS else "")
                lines.append(f'The caller: "{begun}"')
    return "\n".join(lines)


def _unquoted(text: str, found: Iterable[Quote]) -> str:
    """The text without the values in it, which are quoted elsewhere."""
    for quote in found:
        for mark in quote.marks:
            text = text.replace(quote.text[mark.start : mark.end], LEFT_OUT)
    return text


def _without(summary: str, replaced: frozenset[str]) -> str:
    """The summary without the sentences that hold a value which was corrected since."""
    return _filtered(summary, lambda mark: mark.value not in replaced) if replaced else summary


def _grounded(summary: str, told: Iterable[Quote], source: str) -> str:
    """The summary without the sentences that hold a number or an address which nobody has said."""
    values = {mark.value for quote in told for mark in quote.marks}
    characters = re.sub(r"[^\w@+]", "", source).lower()
    checked = ("phone", "email", "code", "number")
    return _filtered(
        summary,
        lambda mark: (
            mark.kind not in checked
            or len(mark.value) < _LEAST_CHECKED
            or mark.value in values
            or mark.value in characters
        ),
    )


def _filtered(summary: str, holds: Callable[[Mark], bool]) -> str:
    lines = [re.split(r"(?<=[.!?])\s+", line) for line in summary.splitlines()]
    good = [" ".join(each for each in line if all(map(holds, _marks(each)))) for line in lines]
    return "\n".join(filter(None, good))


def _marks(sentence: str) -> list[Mark]:
    return [mark for quote in quotes(sentence, "agent") for mark in quote.marks]


def _deeds(messages: Sequence[BaseMessage], later: Sequence[BaseMessage]) -> list[Deed]:
    """The tools that `messages` asked for and that gave something, some of it perhaps in `later` messages."""
    results = {each.tool_call_id: each for each in (*messages, *later) if isinstance(each, ToolMessage)}
    deeds = []
    for message in messages:
        for call in message.tool_calls if isinstance(message, AIMessage) else ():
            result = results.get(call["id"] or "")
            if result is not None and result.status == "success":
                given = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in call["args"].items())
                deeds.append(Deed(f"{call['name']}({_cut(', '.join(given))})", _cut(result.text)))
    return deeds


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_RESULT_CHARACTERS else f"{_whole(line[: LONGEST_RESULT_CHARACTERS - 1])}…"


def _whole(text: str) -> str:
    """Without the beginning of a redaction ("[card 1]") that was cut off at its end."""
    return text[: text.rindex("[")].rstrip() if text.rfind("[") > text.rfind("]") else text


def _fitting_deeds(deeds: Sequence[Deed], limit: int) -> str:
    """Those that confirm something and the latest ones first, as many as fit; in the order in which they were done."""
    places = sorted(range(len(deeds)), key=lambda place: (not _CONFIRMS.search(deeds[place].shown), -place))
    chosen = set[int]()
    for place in places:
        tokens = estimated_tokens(deeds[place].shown) + 1
        if tokens <= limit:
            chosen.add(place)
            limit -= tokens
    return "; ".join(deed.shown for place, deed in enumerate(deeds) if place in chosen)


def _last_of(summary: str, limit: int) -> str:
    """The end of the summary: whole lines, of the last one whole sentences, as many as fit."""
    pieces = re.split(r"(?<=[.!?])\s+|\n", summary)
    while pieces and estimated_tokens(" ".join(pieces)) > limit:
        pieces.pop(0)
    return " ".join(pieces)
