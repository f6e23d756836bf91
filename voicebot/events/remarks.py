"""What an event means to a person, in a sentence: for those that are worth a line of their own beside what was said."""

from __future__ import annotations

from typing import Literal

from voicebot import events

Weight = Literal["note", "tool", "poor", "bad"]
"""How much it matters; the names are those of the styles that faces draw it with."""

LineEvent = events.CallerHeld | events.CallerBack | events.TransferMoved | events.RecordingChanged | events.LineNews

NOTICES = {
    "too_quiet": "the caller is hard to hear, at {:.0f} dB; nearer to the microphone, or more gain",
    "clipping": "the caller is too loud: {:.1f} % of the sound is cut off; less gain",
    "dropouts": "the caller's line breaks up: {:.0f} ms were lost in ten seconds",
    "narrowband": "the caller's sound is that of a telephone, though the line carries more; a headset by Bluetooth?",
}
"""What `events.AudioNotice` means to a person, and what helps."""


def remark(event: events.Event, paused_ms: float = 0.0) -> tuple[str, Weight] | None:
    """(sentence, weight), or None. `paused_ms`: when the agent last paused, on the call's clock."""
    match event:
        case events.AgentResumed():
            held_ms = event.t_ms - paused_ms
            return f"a sound, no interruption: the agent paused for {held_ms:.0f} ms and went on", "note"
        case events.HandedOver():
            return f"handed over to {event.to}" + (f": {event.reason}" if event.reason else ""), "tool"
        case events.ProviderFailed():
            remedy = f" -> {event.remedy}" if event.remedy else ""
            return f"{event.kind} {event.provider} failed: {event.error}{remedy}", "poor"
        case events.GuardrailHit():
            return f"guardrail: {event.rail} {event.kind} ({event.side}) -> {event.action}", "poor"
        case events.BudgetReached():
            share = f"${event.spent_usd:.4f} of the ${event.budget_usd:g} of this {event.of}"
            return (f"budget spent: {share}", "bad") if event.over else (f"budget: {share}", "poor")
        case events.KeysPressed():
            return f"{event.side} pressed {event.keys}", "tool"
        case events.CallerSilent():
            return "the caller is silent", "note"
        case events.AudioNotice():
            return NOTICES[event.kind].format(event.level), "poor"
        case events.CallerHeld() | events.CallerBack() | events.TransferMoved():
            return line_remark(event), "note"
        case events.RecordingChanged() | events.LineNews():
            bad = event.state == "failed" if isinstance(event, events.RecordingChanged) else "error" in event.kind
            return line_remark(event), "poor" if bad else "note"
        case _:
            return None


def line_remark(event: LineEvent) -> str:
    """What happened to the line or to the record."""
    match event:
        case events.CallerHeld():
            return "the caller waits to music"
        case events.CallerBack():
            return f"the agent is back after {event.waited_ms / 1000:.0f} s ({event.why.replace('_', ' ')})"
        case events.TransferMoved():
            return f"transfer to {event.to}: {event.state.replace('_', ' ')}" + _behind(event.detail)
        case events.RecordingChanged():
            whose = "Twilio's recording" if event.by == "twilio" else "recording"
            return f"{whose} {event.state}" + _behind(event.why)
        case events.LineNews():
            return f"{event.source} reports {event.kind}" + _behind(event.text)


def _behind(text: str) -> str:
    return f": {text}" if text else ""
