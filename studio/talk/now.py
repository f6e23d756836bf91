"""Where a call is at this moment, from its events: who speaks, at which step, what it has cost. Free of any screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from voicebot import events
from voicebot.latency import Waterfall, waterfalls
from voicebot.money.costs import costs, total_usd
from voicebot.money.prices import Prices

Speaker = Literal["", "caller", "agent", "thinking"]


@dataclass
class Now:
    """Of one call; a new one has a new `Now`."""

    prices: Prices
    told: list[events.Event] = field(default_factory=list)
    speaker: Speaker = ""
    """`thinking`: the caller has finished and the agent has not begun."""
    stack: str = ""
    """Ear, brain and voice, by name."""
    node: str = ""
    slots: dict[str, Any] = field(default_factory=dict)
    tool: str = ""
    """The tool that runs."""
    guarded: int = 0
    """How often a guardrail struck."""
    tools: int = 0
    usd: float | None = None
    """What has been used so far; None while that has no price."""
    falls: list[Waterfall] = field(default_factory=list)

    def feed(self, event: events.Event) -> None:
        self.told.append(event)
        self.speaker = _SPEAKER.get(type(event), self.speaker)
        match event:
            case events.CallStarted():
                self.stack = " · ".join(name for name in (event.stt, event.brain, event.tts) if name)
            case events.BrainMoved():
                self.node, self.slots = event.node, event.slots
            case events.ToolCalled():
                self.tool = event.name
                self.tools += 1
            case events.ToolReturned():
                self.tool = ""
            case events.GuardrailHit():
                self.guarded += 1
            case events.ModelUsed() | events.SpeechUsed():
                self.usd = total_usd(costs(self.told, self.prices))
            case events.TurnEnded() | events.AgentSpeechStarted() | events.AgentSaying() | events.AgentSpeechStopped():
                self.falls = waterfalls(self.told)
            case _:
                pass

    @property
    def money(self) -> str:
        """'$0.0021', '' while nothing was used that has a price."""
        return f"${self.usd:.4f}" if self.usd else ""


_SPEAKER: dict[type[events.Event], Speaker] = {
    events.CallerSpeechStarted: "caller",
    events.TurnEnded: "thinking",
    events.AgentSpeechStarted: "agent",
    events.AgentSpeechStopped: "",
    events.AgentPaused: "",
    events.AgentResumed: "agent",
    events.CallEnded: "",
}
