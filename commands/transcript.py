"""A call as lines to read, from its events: for a recorded call, for a pipe, and (live.py) for a call going on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from voicebot import events
from voicebot.events.remarks import remark
from voicebot.latency import Waterfall, waterfalls
from voicebot.money.spending import spending

from . import waterfall
from .terminal import Screen

INDENT, INDENT_PLAIN = 16, 17


class Transcript:
    """A subscriber that prints one line an utterance: what was said, tools, and where the time went."""

    def __init__(self, screen: Screen, *, latency: bool = True, show_caller: bool = True) -> None:
        self.screen = screen
        self.latency = latency
        self.show_caller = show_caller
        """False when the caller types: the words are on the screen already."""
        self._turns: dict[int, list[events.Event]] = {}  # the turns that nobody has answered yet
        self._called: dict[str, events.ToolCalled] = {}
        self._notes: list[tuple[float, str, str]] = []  # what happened while the agent spoke, told after it
        self._paused_ms = 0.0
        self._agent_ms: float | None = None
        self._clauses: list[str] = []
        self._fall: Waterfall | None = None
        self._used: list[events.Event] = []

    def __call__(self, event: events.Event) -> None:
        self._turns.setdefault(event.turn, []).append(event)
        match event:
            case events.CallStarted():
                self.call_started(event)
            case events.TurnEnded():
                self.caller_said(event)
            case events.ToolCalled():
                self._called[event.id] = event
            case events.ToolReturned():
                self.tool_returned(event)
            case events.AgentSpeechStarted():
                self.agent_begins(event)
            case events.AgentSpeechStopped():
                self.agent_said(event)
            case events.AgentSaying():
                self._clauses.append(event.text)
                self._measure(event.turn)
            case events.ModelUsed():
                self._used.append(event)
            case events.AgentPaused():
                self._paused_ms = event.t_ms
            case events.CallEnded():
                self.call_ended(event)
            case _:
                if said := remark(event, self._paused_ms):
                    self.note(event.t_ms, *said)

    def call_started(self, event: events.CallStarted) -> None:
        stack = " · ".join(name for name in (event.stt, event.brain, event.tts) if name)
        clock = " · idle time skipped" if event.clock == "skip-idle" else ""
        head = Text.assemble((event.agent, "bold"), ("  called by ", "dim"), (event.caller or event.transport, "bold"))
        self.put(head.append(f"  {stack}{clock}", "dim"))
        self.put(Text())

    def caller_said(self, event: events.TurnEnded) -> None:
        self._report_unanswered(before=event.turn)
        if not self.show_caller:
            return
        # The last one counts: a cough before the turn had its number too, until it was taken back.
        turn = reversed(self._turns[event.turn])
        began = next((e.speech_start_ms for e in turn if isinstance(e, events.CallerSpeechStarted)), event.t_ms)
        self.utterance(began, "caller", Text(event.text or "(nothing understood)", "" if event.text else "note"))

    def tool_returned(self, event: events.ToolReturned) -> None:
        called = self._called.pop(event.id, None)
        said = arguments(called.arguments) if called else ""
        text = Text.assemble(("⚙ ", "tool"), (event.name, "tool"), (f"({said})", ""), (" → ", "dim"))
        result = short(event.result, 100)
        text.append(result) if event.ok else text.append(f"failed: {result}", "bad")
        self.utterance(None, "", text.append(f"  {event.duration_ms:.0f} ms", "dim"))

    def agent_begins(self, event: events.AgentSpeechStarted) -> None:
        self._agent_ms = event.t_ms
        self._measure(event.turn)

    def _measure(self, turn: int) -> None:
        """Once the answer is heard, and not only a filler, its latency is known; it is printed beneath it."""
        falls = waterfalls(self._turns.get(turn, ()))
        if falls and falls[-1].v2v_ms is not None:
            self._fall = falls[-1]
            del self._turns[turn]

    def agent_said(self, event: events.AgentSpeechStopped) -> None:
        began = self._agent_ms if self._agent_ms is not None else event.t_ms
        self._agent_line(began, heard_of(event.heard, event.said, interrupted=event.interrupted))

    def _agent_line(self, began_ms: float, said: Text) -> None:
        """The agent's words, with what belongs to them: their latency, and remarks made meanwhile."""
        self.utterance(began_ms, "agent", said)
        self._agent_ms, self._clauses = None, []
        if self._fall is not None:
            self._show_latency(self._fall)
            self._fall = None
        self._show_spending()
        notes, self._notes = self._notes, []
        for t_ms, sentence, style in notes:
            self.note(t_ms, sentence, style)

    def call_ended(self, event: events.CallEnded) -> None:
        self.broke_off()
        self._report_unanswered(before=event.turn + 1)
        if not self.show_caller:
            self.put(Text())  # the cursor stands behind a prompt that nobody answers any more
        detail = f" ({event.detail})" if event.detail else ""
        style = "bad" if event.reason in ("failed", "lost") else "note"
        self.note(event.t_ms, f"call ended: {event.reason.replace('_', ' ')}{detail}", style)

    def broke_off(self) -> None:
        """No more events will come: what the agent was saying is told as far as it is known."""
        if self._agent_ms is not None:
            self._agent_line(self._agent_ms, Text(" ".join([*self._clauses, "…"])))

    def _report_unanswered(self, before: int) -> None:
        for turn in [turn for turn in self._turns if turn < before]:
            for fall in waterfalls(self._turns.pop(turn)):
                self._show_latency(fall)

    def _show_latency(self, fall: Waterfall) -> None:
        if not self.latency or self.screen.quiet:
            return
        if self.screen.out.is_terminal:
            self.put(Text(" " * INDENT).append_text(waterfall.line(fall, self.screen.out.width - INDENT)))
            self.put(Text())
        else:
            self.put(Text(" " * INDENT_PLAIN + waterfall.plain(fall)))

    def _show_spending(self) -> None:
        """What the models used since this was last shown: an answer cut short is told of with the next one."""
        spent, self._used = spending(self._used), []
        if spent is not None and self.latency and not self.screen.quiet:
            indent = INDENT if self.screen.out.is_terminal else INDENT_PLAIN
            self.put(Text(" " * indent).append(str(spent), "dim"))

    def note(self, t_ms: float, sentence: str, style: str = "note") -> None:
        """A remark beside the conversation; one made while the agent speaks follows its words."""
        if self._agent_ms is not None:
            self._notes.append((t_ms, sentence, style))
        elif not self.screen.quiet:
            self.utterance(t_ms, "", Text(sentence, style))

    def utterance(self, t_ms: float | None, who: str, text: Text) -> None:
        """A line with time and speaker; on a terminal long text wraps under itself."""
        self.put(laid_out(self.screen, t_ms, who, text))

    def put(self, what: Text | Table) -> None:
        """Print for good. The live screen prints above itself."""
        self.screen.data(what)


def laid_out(screen: Screen, t_ms: float | None, who: str, text: Text) -> Text | Table:
    stamp = "" if t_ms is None else clock(t_ms)
    if not screen.out.is_terminal:
        return Text.assemble(f"{stamp:<8} {who:<7} ").append_text(text)
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=8, style="time")
    grid.add_column(width=6, style=who or None)
    grid.add_column()
    grid.add_row(stamp, who, text)
    return grid


def heard_of(heard: str, said: str, *, interrupted: bool) -> Text:
    """What was heard, and struck through what the caller cut off."""
    if not interrupted:
        return Text(said or heard)
    lost = " ".join(said.split()[len(heard.split()) :])
    text = Text(heard.rstrip())
    text.append(" " if heard else "").append("✂", "bad")
    return text.append(" ").append(lost, "cut") if lost else text


def clock(t_ms: float) -> str:
    """'01:07.3', minutes and seconds of the call."""
    tenths = round(t_ms / 100)
    return f"{tenths // 600:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def arguments(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={short(value, 40)}" for name, value in values.items())


def short(value: object, most: int) -> str:
    """A value as compact JSON of at most `most` characters."""
    text = value if isinstance(value, str) and most > 40 else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
