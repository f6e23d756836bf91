"""The transcript of a call going on: words appear as they are heard, then settle into lines."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from voicebot import events

from .terminal import Screen
from .transcript import Transcript, clock, laid_out, short

REFRESH_HZ = 12


class LiveTranscript(Transcript):
    """Transcript with a moving part below: interim words dim, the agent's clauses as they are spoken, the flow's step.

    On anything but a terminal it is a plain Transcript. Use as a context manager around the call.
    """

    def __init__(self, screen: Screen, *, latency: bool = True, show_caller: bool = True) -> None:
        super().__init__(screen, latency=latency, show_caller=show_caller)
        self._finals: list[str] = []
        self._interim = ""
        self._spoken: list[str] = []
        self._due: list[asyncio.TimerHandle] = []
        self._status = Text("getting ready ...", "dim")
        self._now_ms = 0.0
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self.screen.live and not self.screen.quiet:
            console = self.screen.out
            self._live = Live(self, console=console, transient=True, refresh_per_second=REFRESH_HZ)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._forget_clauses()
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __call__(self, event: events.Event) -> None:
        self._now_ms = event.t_ms
        if self._live is not None:
            self._move(event)
        super().__call__(event)

    def _move(self, event: events.Event) -> None:
        match event:
            case events.CallStarted():
                self._status = Text()
            case events.TranscriptInterim():
                self._interim = event.text
            case events.TranscriptFinal():
                self._finals.append(event.text)
                self._interim = ""
            case events.TurnEnded():
                self._finals, self._interim = [], ""
            case events.AgentSaying():
                self._say_when_heard(event)
            case events.BargeIn() | events.AgentSpeechStopped():
                self._forget_clauses()
            case events.BrainMoved():
                filled = [(name, value) for name, value in event.slots.items() if value is not None]
                slots = "  ".join(f"{name} {short(value, 40)}" for name, value in filled)
                self._status = Text.assemble(("at ", "dim"), (event.node, "dim bold"), (f"  {slots}", "dim"))
            case _:
                pass

    def _say_when_heard(self, event: events.AgentSaying) -> None:
        delay_s = max(0.0, event.starts_ms - event.t_ms) / 1000
        self._due.append(asyncio.get_running_loop().call_later(delay_s, self._spoken.append, event.text))

    def _forget_clauses(self) -> None:
        for timer in self._due:
            timer.cancel()
        self._due, self._spoken = [], []

    def __rich__(self) -> RenderableType:
        """The moving part as it is now; also drawn anew with every line printed above it."""
        lines: list[RenderableType] = []
        if self._spoken:
            lines.append(laid_out(self.screen, self._agent_ms, "agent", Text(" ".join(self._spoken))))
        if self.show_caller and (self._finals or self._interim):
            said = Text(" ".join(self._finals)).append(" " if self._finals else "").append(self._interim, "note")
            lines.append(laid_out(self.screen, None, "caller", said))
        foot = Table.grid(padding=(0, 1))
        foot.add_column(width=8, style="time")
        foot.add_column()
        foot.add_row(clock(self._now_ms), self._status)
        return Group(*lines, foot)

    def put(self, what: Text | Table) -> None:
        if self._live is not None:
            self._live.console.print(what)
        else:
            super().put(what)
