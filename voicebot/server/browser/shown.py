"""What the page is told of a call: what was said, whose turn it is, how it ended.

Nothing else of the call's events leaves the server: tools, guardrails, costs and errors are not for the caller.
"""

from __future__ import annotations

from typing import Protocol

from voicebot import events
from voicebot.events import Event


class Told(Protocol):
    def tell(self, **message: object) -> None: ...


class Shown:
    """A face of one call: subscribe `event`."""

    def __init__(self, page: Told) -> None:
        self._page = page
        self._ended = False

    def event(self, event: Event) -> None:
        match event:
            case events.TranscriptInterim() | events.TranscriptFinal():
                self._caller(event.turn, event.text, final=False)
            case events.TurnEnded():
                self._caller(event.turn, event.text, final=True)
                self._state("thinking")
            case events.AgentSaying():
                self._page.tell(type="agent", turn=event.turn, text=event.text)
            case events.AgentSpeechStopped(interrupted=True):
                self._page.tell(type="cut", turn=event.turn, heard=event.heard)
                self._state("listening")
            case events.AudioNotice():
                self._page.tell(type="notice", kind=event.kind)
            case events.CallEnded():
                self.ended(event.reason)
            case _:
                self._state(_STATES.get(event.type, ""))

    def ended(self, reason: str) -> None:
        """The call is over, or did not begin. The first reason counts."""
        if not self._ended:
            self._ended = True
            self._page.tell(type="ended", reason=reason)

    def _caller(self, turn: int, text: str, *, final: bool) -> None:
        self._page.tell(type="caller", turn=turn, text=text, final=final)

    def _state(self, state: str) -> None:
        if state:
            self._page.tell(type="state", state=state)


_STATES = {
    "call_started": "listening",
    "caller_speech_started": "hearing",
    "agent_speech_started": "speaking",
    "agent_resumed": "speaking",
    "agent_speech_stopped": "listening",
}
