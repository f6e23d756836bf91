"""The events of a call that are of its line and of its record, not of the conversation: see `voicebot.events`."""

from __future__ import annotations

from typing import Literal

from voicebot.events.base import Event as _Event


class CallerHeld(_Event):
    """The caller waits: they hear music, and nobody listens to them."""

    type: Literal["caller_held"] = "caller_held"
    why: Literal["asked", "transfer"]
    """`asked`: by somebody outside the conversation. `transfer`: while somebody is asked whether they take the call."""


class CallerBack(_Event):
    """The agent is back with a caller who waited."""

    type: Literal["caller_back"] = "caller_back"
    why: Literal["asked", "key", "spoke", "not_taken", "forgotten", "ending"]
    """`key`: the caller wanted it and pressed `*`. `spoke`: the caller went on speaking. `not_taken`: nobody takes the
    call. `forgotten`: after ten minutes. `ending`: the agent ends the call."""
    waited_ms: float


class TransferMoved(_Event):
    """News of a transfer for which the caller waits. When it comes to nothing, the agent goes on with the call."""

    type: Literal["transfer_moved"] = "transfer_moved"
    to: str
    state: Literal["ringing", "answered", "accepted", "declined", "no_answer", "busy", "failed", "cancelled"]
    """`answered`: they are told who calls. `cancelled`: the caller did not wait for the end of it."""
    detail: str = ""


class RecordingChanged(_Event):
    """The record of the call, or Twilio's, began, stopped or went on. While ours is paused, neither sound nor words of
    the caller are kept."""

    type: Literal["recording_changed"] = "recording_changed"
    state: Literal["paused", "resumed", "started", "failed"]
    by: Literal["us", "twilio"] = "us"
    why: str = ""
    """The slot that is secret, or who asked for it."""


class LineNews(_Event):
    """What the telephone network reports of this call."""

    type: Literal["line_news"] = "line_news"
    source: str
    """'twilio'."""
    kind: str
    """In the network's own words: 'stream-error', 'in-progress', 'human' ..."""
    text: str = ""
