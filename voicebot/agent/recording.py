"""How calls are recorded: the `recording` of an agent file."""

from __future__ import annotations

from voicebot.agent.values import Part, Text


class Recording(Part):
    """What callers are told of the recording, and when it pauses. See docs/recording.md."""

    announce: Text | None = None
    """Said before anything else in a call: "This call is recorded." It is not said where no record is kept."""
    twilio: bool = False
    """Twilio records a telephone call, too, from the answer on. It pauses whenever ours does."""
