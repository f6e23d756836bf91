"""The call's events as they come, one a line: what everything else on the page is made of."""

from __future__ import annotations

from collections import deque

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget

from voicebot.events import AgentSaying, Event, TranscriptInterim
from voicebot.studio.look.script import clock, short

KEPT = 200
_COMMON = {"v", "t_ms", "lag_ms", "turn", "type"}


class EventStream(Widget):
    """The last ones, as many as there is room for; interim words are left to the transcript."""

    DEFAULT_CSS = "EventStream { height: 1fr; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._events: deque[Event] = deque(maxlen=KEPT)

    def feed(self, event: Event) -> None:
        if not isinstance(event, TranscriptInterim):
            self._events.append(event)
            self.refresh()

    def clear(self) -> None:
        self._events.clear()
        self.refresh()

    def render(self) -> RenderResult:
        if not self._events:
            return Content.styled("Every event of the call will stand here.", "$dim")
        last = list(self._events)[-self.size.height :] if self.size.height else []
        return Content("\n").join(_line(event).truncate(self.size.width, ellipsis=True) for event in last)


def _line(event: Event) -> Content:
    told = event.text if isinstance(event, AgentSaying) else _told(event)
    return Content.assemble(
        (f"{clock(event.t_ms)} ", "$dim"), (f"{event.turn:>2} ", "$dim"), (event.type, "$secondary"), f"  {told}"
    )


def _told(event: Event) -> str:
    """Its own fields, those that say something."""
    fields = event.model_dump(mode="json", exclude=_COMMON, exclude_defaults=True)
    return "  ".join(f"{name} {short(value, 48)}" for name, value in fields.items() if value not in ("", None))
