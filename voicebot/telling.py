"""Who is told of a call's events: its record first, then its faces. What may not be kept is taken out before that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from loguru import logger

from voicebot import events
from voicebot.store.record import Record

Face = Callable[[events.Event], None]
AnyEvent = TypeVar("AnyEvent", bound=events.Event)

_WORDS = ("text", "heard", "said", "arguments", "result", "slots", "error", "detail", "keys")
"""Fields that may hold what was said in the call, or what tools made of it."""


class Censor(Protocol):
    """Takes private data out of what is kept; see `voicebot.brain.guardrails`."""

    def load(self) -> None:
        """Make its rules ready, off the event loop."""

    def record(self, text: str, *, interim: bool = False) -> str: ...


class Telling:
    """One call's events on their way out. A plain call on the event loop."""

    def __init__(self, censor: Censor | None = None, traceparent: str = "") -> None:
        """`traceparent`: of which trace the call is a part, if of any (W3C Trace Context)."""
        self.traceparent = traceparent
        self.record: Record | None = None
        """Opened when the call begins."""
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
        if self._censor:
            event = _censored(event, self._censor)
        if self.record:
            self.record.event(event)
        for face in list(self._faces):
            try:
                face(event)
            except Exception:  # noqa: BLE001 - a broken face must not end the call; it is told once and left out
                logger.exception(f"a face failed on {event.type} and is dropped")
                self._faces.remove(face)
        return event


def _censored(event: AnyEvent, censor: Censor) -> AnyEvent:
    interim = isinstance(event, events.TranscriptInterim)
    changed: dict[str, Any] = {}
    for name in _WORDS:
        value = getattr(event, name, None)
        if value and (clean := _clean(value, censor, interim=interim)) != value:
            changed[name] = clean
    if isinstance(event, events.HandedOver):
        changed["reason"] = censor.record(event.reason)
    return cast(AnyEvent, event.model_copy(update=changed)) if changed else event


def _clean(value: Any, censor: Censor, *, interim: bool = False) -> Any:
    """At any depth; keys stay as they are."""
    if isinstance(value, str):
        return censor.record(value, interim=interim)
    if isinstance(value, dict):
        return {key: _clean(each, censor) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each, censor) for each in value]
    return value
