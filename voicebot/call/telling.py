"""Who is told of a call's events: its record first, then its faces. What may not be kept is taken out before that: what
was said off the record, private data where the agent has a guardrail for it, and keys in any case."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar, cast

from loguru import logger

from voicebot import events
from voicebot.call.offrecord import OffRecord, deeply
from voicebot.logs import InCall, secrets
from voicebot.store.record import Record

Face = Callable[[events.Event], None]
AnyEvent = TypeVar("AnyEvent", bound=events.Event)

_FAILURES = ("error", "detail")
"""Fields with the words of an exception, which may hold a key."""
_WORDS = ("text", "heard", "said", "arguments", "result", "slots", "error", "detail", "keys")
"""Fields that may hold what was said in the call, or what tools made of it."""


class Censor(Protocol):
    """Takes private data out of what is kept; see `voicebot.brain.guardrails`."""

    def load(self) -> None:
        """Make its rules ready, off the event loop."""

    def record(self, text: str, *, interim: bool = False) -> str: ...

    def hide(self, text: str) -> str:
        """A line of the log, on any thread."""


class Telling:
    """One call's events on their way out. A plain call on the event loop."""

    def __init__(self, censor: Censor | None = None, traceparent: str = "") -> None:
        """`traceparent`: of which trace the call is a part, if of any (W3C Trace Context)."""
        self.traceparent = traceparent
        self.record: Record | None = None
        """Opened when the call begins."""
        self.off_record = OffRecord()
        self.place = InCall(hide=self._hidden)
        """What the log says of a line of this call."""
        self._censor = censor
        self._faces: list[Face] = []

    def load(self) -> None:
        """Make ready what events pass on their way out, off the event loop."""
        if self._censor:
            self._censor.load()

    def subscribe(self, face: Face) -> None:
        self._faces.append(face)

    async def close(self) -> None:
        """The call is over. Returns when its record is on the disk."""
        if self.record:
            await self.record.close()

    def tell(self, event: AnyEvent) -> AnyEvent:
        """Returns the event as it was told."""
        self.place.turn = event.turn
        event = self.off_record.event(event)
        if self._censor:
            event = _censored(event, self._censor)
        event = _without_keys(event)
        if self.record:
            self.record.event(event)
        for face in list(self._faces):
            try:
                face(event)
            except Exception:  # noqa: BLE001 - a broken face must not end the call; it is told once and left out
                logger.exception(f"a face failed on {event.type} and is dropped")
                self._faces.remove(face)
        return event

    def _hidden(self, text: str) -> str:
        text = self.off_record.hide(text)
        return self._censor.hide(text) if self._censor else text

    def caller(self, pcm: bytes) -> None:
        """The caller's next sound, s16le."""
        if self.record:
            self.record.caller(self.off_record.sound(pcm))

    def agent(self, pcm: bytes) -> None:
        """Sound of the agent's, heard behind what is there."""
        if self.record:
            self.record.agent(self.off_record.sound(pcm))

    def agent_silenced(self) -> None:
        """What of it was not heard will not be."""
        if self.record:
            self.record.agent_silenced()


def _censored(event: AnyEvent, censor: Censor) -> AnyEvent:
    interim = isinstance(event, events.TranscriptInterim)
    changed: dict[str, Any] = {}
    for name in _WORDS:
        value = getattr(event, name, None)
        if value and (clean := deeply(value, partial(censor.record, interim=interim))) != value:
            changed[name] = clean
    if isinstance(event, events.HandedOver):
        changed["reason"] = censor.record(event.reason)
    return cast(AnyEvent, event.model_copy(update=changed)) if changed else event


def _without_keys(event: AnyEvent) -> AnyEvent:
    changed: dict[str, Any] = {}
    for name in _WORDS:
        if value := getattr(event, name, None):
            hide = secrets.hide if name in _FAILURES else secrets.hide_known
            if (clean := deeply(value, hide)) != value:
                changed[name] = clean
    return cast(AnyEvent, event.model_copy(update=changed)) if changed else event
