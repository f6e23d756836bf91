"""A call as rows to read, from its events: kept apart from the widget that shows them, and free of any screen.

One row is one utterance, one tool call or one remark. A row that is still going on (interim words, an answer being
spoken, a tool that runs) is changed in place; `feed` says which rows are new or other than before.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from voicebot import events
from voicebot.events.remarks import remark
from voicebot.latency import Waterfall, waterfalls

Who = Literal["caller", "agent", "tool", "note", "poor", "bad"]
EARLIER = -1
"""The turn of what was said before this call."""
_LONGEST = 160
"""Characters of a tool's result."""


@dataclass
class Row:
    """What one line of a transcript says."""

    who: Who
    turn: int
    t_ms: float | None
    """When it began; None where the line above says."""
    text: str = ""
    interim: str = ""
    """Words that may still change."""
    lost: str = ""
    """Words the caller cut off."""
    cut: bool = False
    going_on: bool = False
    fall: Waterfall | None = None
    """Of the agent's answer: how long the caller waited for it."""
    ends_ms: float | None = None


@dataclass
class Script:
    """The rows of one call so far."""

    rows: list[Row] = field(default_factory=list)
    _turns: dict[int, list[events.Event]] = field(default_factory=dict)
    _began_ms: float | None = None
    _paused_ms: float = 0.0
    _caller: Row | None = None
    _finals: list[str] = field(default_factory=list)
    _agent: Row | None = None
    _tools: dict[str, Row] = field(default_factory=dict)

    def feed(self, event: events.Event) -> list[Row]:
        """Take in the next event. Returns the rows it added or changed."""
        self._turns.setdefault(event.turn, []).append(event)
        match event:
            case events.CallerSpeechStarted():
                self._began_ms = event.speech_start_ms
                return []
            case events.TranscriptInterim() | events.TranscriptFinal():
                return self._hearing(event)
            case events.TurnEnded():
                return self._caller_said(event)
            case events.AgentSpeechStarted():
                return self._agent_begins(event)
            case events.AgentSaying():
                return self._agent_says(event)
            case events.AgentSpeechStopped():
                return self._agent_said(event)
            case events.ToolCalled() | events.ToolReturned():
                return self._tool(event)
            case events.CallEnded():
                return self._ended(event)
            case _:
                return self._remarked(event)

    def turn_over(self, said: str) -> Script:
        """Another call goes on behind these rows, and counts its turns and its time anew."""
        for row in self.rows:
            row.turn, row.going_on = EARLIER, False
        return Script([*self.rows, Row("note", EARLIER, None, said)])

    def at(self, t_ms: float) -> Row | None:
        """The row that is spoken at this moment of the call, or was spoken last."""
        before = [row for row in self.rows if row.t_ms is not None and row.t_ms <= t_ms]
        return max(reversed(before), key=lambda row: row.t_ms or 0.0, default=None)

    def _new(self, row: Row) -> Row:
        self.rows.append(row)
        return row

    def _hearing(self, event: events.TranscriptInterim | events.TranscriptFinal) -> list[Row]:
        if self._caller is None:
            began = self._began_ms if self._began_ms is not None else event.t_ms
            self._caller = self._new(Row("caller", event.turn, began, going_on=True))
            self._finals = []
        if isinstance(event, events.TranscriptFinal):
            self._finals.append(event.text)
            self._caller.interim = ""
        else:
            self._caller.interim = event.text
        self._caller.text = " ".join(self._finals)
        return [self._caller]

    def _caller_said(self, event: events.TurnEnded) -> list[Row]:
        began = self._began_ms if self._began_ms is not None else event.t_ms
        row = self._caller or self._new(Row("caller", event.turn, began))
        row.turn, row.text, row.interim, row.going_on = event.turn, event.text or "(nothing understood)", "", False
        row.ends_ms = event.speech_end_ms
        self._caller = self._began_ms = None
        return [row]

    def _agent_begins(self, event: events.AgentSpeechStarted) -> list[Row]:
        self._agent = self._new(Row("agent", event.turn, event.t_ms, going_on=True))
        return [self._agent, *self._measured(event.turn)]

    def _agent_says(self, event: events.AgentSaying) -> list[Row]:
        if self._agent is None:
            self._agent = self._new(Row("agent", event.turn, event.starts_ms, going_on=True))
        self._agent.text = f"{self._agent.text} {event.text}".strip()
        self._agent.ends_ms = event.ends_ms
        return [self._agent, *self._measured(event.turn)]

    def _agent_said(self, event: events.AgentSpeechStopped) -> list[Row]:
        row = self._agent or self._new(Row("agent", event.turn, event.t_ms))
        row.going_on, row.ends_ms, row.cut = False, event.t_ms, event.interrupted
        row.text = event.heard.strip() if event.interrupted else event.said or event.heard
        row.lost = " ".join(event.said.split()[len(event.heard.split()) :]) if event.interrupted else ""
        self._agent = None
        return [row]

    def _measured(self, turn: int) -> list[Row]:
        """Once the answer is heard, and not only a filler, its latency is known."""
        falls = waterfalls(self._turns.get(turn, ()))
        if self._agent is None or self._agent.fall or not falls or falls[-1].v2v_ms is None:
            return []
        self._agent.fall = falls[-1]
        return [self._agent]

    def _tool(self, event: events.ToolCalled | events.ToolReturned) -> list[Row]:
        if isinstance(event, events.ToolCalled):
            said = ", ".join(f"{name}={short(value, 40)}" for name, value in event.arguments.items())
            row = self._tools[event.id] = self._new(Row("tool", event.turn, event.t_ms, f"{event.name}({said})"))
            row.going_on = True
            return [row]
        called = self._tools.pop(event.id, None)
        row = called or self._new(Row("tool", event.turn, event.t_ms, event.name))
        row.going_on, row.ends_ms = False, event.t_ms
        result = short(event.result, _LONGEST)
        row.text += f" → {result}" if event.ok else f" → failed: {result}"
        row.who = "tool" if event.ok else "bad"
        row.text += f"  {event.duration_ms:.0f} ms"
        return [row]

    def _ended(self, event: events.CallEnded) -> list[Row]:
        left = [row for row in (self._agent, self._caller, *self._tools.values()) if row]
        for row in left:
            row.going_on = False
        detail = f" ({event.detail})" if event.detail else ""
        who: Who = "bad" if event.reason in ("failed", "lost") else "note"
        said = f"call ended: {event.reason.replace('_', ' ')}{detail}"
        return [*left, self._new(Row(who, event.turn, event.t_ms, said))]

    def _remarked(self, event: events.Event) -> list[Row]:
        if isinstance(event, events.AgentPaused):
            self._paused_ms = event.t_ms
        said = remark(event, self._paused_ms)
        return [self._new(Row(said[1], event.turn, event.t_ms, said[0]))] if said else []


def clock(t_ms: float) -> str:
    """'01:07.3', minutes and seconds of the call."""
    tenths = round(t_ms / 100)
    return f"{tenths // 600:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def short(value: Any, most: int) -> str:
    """A value as compact JSON of at most `most` characters; a text as it is."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
