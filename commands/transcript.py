"""A call as lines to read, from its events: for a recorded call, for a pipe, and (live.py) for a call going on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from voicebot import events
from voicebot.commands import waterfall
from voicebot.commands.terminal import Screen
from voicebot.latency import Waterfall, waterfalls

INDENT = 17


class Transcript:
    """A subscriber that prints one line an utterance: what was said, tools, and where the time went."""

    def __init__(self, screen: Screen, *, latency: bool = True, show_caller: bool = True) -> None:
        self.screen = screen
        self.latency = latency
        self.show_caller = show_caller
        """False when the caller types: the words are on the screen already."""
        self._turn: list[events.Event] = []  # what happened since the caller's last turn began
        self._calls: dict[str, events.ToolCalled] = {}
        self._paused_ms: float | None = None
        self._agent_ms: float | None = None
        self._fall: Waterfall | None = None

    def __call__(self, event: events.Event) -> None:
        if event.turn > 0:
            if self._turn and self._turn[0].turn != event.turn:
                self._close_turn()
            self._turn.append(event)
        match event:
            case events.CallStarted():
                self.call_started(event)
            case events.TurnEnded():
                self.caller_said(event)
            case events.ToolCalled():
                self._calls[event.id] = event
            case events.ToolReturned():
                self.tool_returned(event)
            case events.AgentSpeechStarted():
                self.agent_begins(event)
            case events.AgentSpeechStopped():
                self.agent_said(event)
            case events.AgentPaused():
                self._paused_ms = event.t_ms
            case events.AgentResumed():
                self.agent_resumed(event)
            case events.HandedOver():
                self.note(event.t_ms, f"handed over to {event.to}" + (f": {event.reason}" if event.reason else ""), "tool")
            case events.ProviderFailed():
                remedy = f" -> {event.remedy}" if event.remedy else ""
                self.note(event.t_ms, f"{event.kind} {event.provider} failed: {event.error}{remedy}", "poor")
            case events.CallEnded():
                self.call_ended(event)

    def call_started(self, event: events.CallStarted) -> None:
        stack = " · ".join(name for name in (event.stt, event.brain, event.tts) if name)
        clock = " · idle time skipped" if event.clock == "skip-idle" else ""
        head = Text.assemble((event.agent, "bold"), ("  called by ", "dim"), (event.caller or event.transport, "bold"))
        self.put(head.append(f"  {stack}{clock}", "dim"))
        self.put(Text())

    def caller_said(self, event: events.TurnEnded) -> None:
        if not self.show_caller:
            return
        began = next((e.speech_start_ms for e in self._turn if isinstance(e, events.CallerSpeechStarted)), event.t_ms)
        self.utterance(began, "caller", Text(event.text or "(nothing understood)", "" if event.text else "note"))

    def tool_returned(self, event: events.ToolReturned) -> None:
        called = self._calls.pop(event.id, None)
        said = arguments(called.arguments) if called else ""
        text = Text.assemble(("⚙ ", "tool"), (event.name, "tool"), (f"({said})", ""), (" → ", "dim"))
        text.append(short(event.result, 100) if event.ok else f"failed: {short(event.result, 100)}", "" if event.ok else "bad")
        self.utterance(None, "", text.append(f"  {event.duration_ms:.0f} ms", "dim"))

    def agent_begins(self, event: events.AgentSpeechStarted) -> None:
        self._agent_ms = event.t_ms
        first = sum(isinstance(e, events.AgentSpeechStarted) for e in self._turn) == 1
        if first and (falls := waterfalls(self._turn)):
            self._fall = falls[-1]  # printed beneath the answer, which may run into the next turn

    def agent_said(self, event: events.AgentSpeechStopped) -> None:
        began = self._agent_ms if self._agent_ms is not None else event.t_ms
        self.utterance(began, "agent", heard_of(event.heard, event.said, interrupted=event.interrupted))
        self._agent_ms = None
        if self._fall is not None:
            self._latency(self._fall)
            self._fall = None

    def agent_resumed(self, event: events.AgentResumed) -> None:
        held = f" after {event.t_ms - self._paused_ms:.0f} ms" if self._paused_ms is not None else ""
        self.note(event.t_ms, f"a sound from the caller, no interruption: the agent goes on{held}")
        self._paused_ms = None

    def call_ended(self, event: events.CallEnded) -> None:
        self._close_turn()
        detail = f" ({event.detail})" if event.detail else ""
        style = "bad" if event.reason == "failed" else "note"
        self.note(event.t_ms, f"call ended: {event.reason.replace('_', ' ')}{detail}", style)

    def _close_turn(self) -> None:
        """The turn is over: say so when nobody answered it."""
        falls = waterfalls(self._turn)
        self._turn = []
        if falls and falls[-1].v2v_ms is None:
            self._latency(falls[-1])

    def _latency(self, fall: Waterfall) -> None:
        if not self.latency or self.screen.quiet:
            return
        if self.screen.out.is_terminal:
            self.put(Text(" " * INDENT).append_text(waterfall.line(fall, self.screen.out.width - INDENT)))
            self.put(Text())
        else:
            self.put(Text(" " * INDENT + waterfall.plain(fall)))

    def note(self, t_ms: float, sentence: str, style: str = "note") -> None:
        if not self.screen.quiet:
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
