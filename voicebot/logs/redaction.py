"""What a text of any origin may say in a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicebot.logs import secrets

if TYPE_CHECKING:
    from voicebot.logs.place import InCall

LONGEST = 6000
"""Characters of a message or a traceback that are written."""
_LOOKED_AT = 100_000
"""Characters in which keys are looked for."""
_BEYOND = 400
"""Characters behind what is written in which private data is looked for, so that the end cuts no number in half."""
_CUT = " ... (cut)"
_UNREAD = "[left out: it could not be redacted]"


def hidden(text: str, place: InCall | None = None) -> str:
    """`text` without keys and without private data; `place`: the call that it belongs to. On any thread.

    Never raises; what cannot be looked at is left out. Of a long text the beginning is returned.
    """
    try:
        return _hidden(text[:_LOOKED_AT], place)
    except Exception:  # noqa: BLE001 - a rule that fails must cost neither the caller nor their secret
        return _UNREAD


def _hidden(text: str, place: InCall | None) -> str:
    from voicebot.logs import private  # half a second of rules, for the thread of the log

    text = secrets.hide(text)
    is_long = len(text) > LONGEST
    if is_long:
        text = text[: LONGEST + _BEYOND]
    if place and place.hide:
        text = place.hide(text)
    text = private.hide(text, place.language if place else "en")
    return text[:LONGEST] + _CUT if is_long else text
