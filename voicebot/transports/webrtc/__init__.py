"""A call from a browser over WebRTC: one `Transport` a call, on aiortc. It needs the extra `webrtc`.

line = WebRTC("Maria")
answer = await line.answer(offer)      # to the page, which offers again when its network has changed
await line.connected()
try:
    await Call(agent, line).run()
finally:
    await line.hang_up()

line      the call's line: it outlives every connection that carries it
peer      one connection of a browser: its sound, and the data channel that the page talks over
speech    what the agent says, and how much of it was heard
track     takes that every 20 ms and makes Opus of it
thirds    the caller's sound at a third of its rate
offer     what a stranger offers, looked at before anything is made of it
ports     the UDP ports of a range
said      what the page says over the data channel
"""

from __future__ import annotations

from voicebot.errors import MissingExtra

try:
    from .line import GRACE_S, WebRTC
    from .offer import MOST_CHARACTERS, Candidate, IceServer, NoOffer
    from .ports import NoPort, Ports
except ModuleNotFoundError as missing:
    if (missing.name or "").partition(".")[0] not in ("aiortc", "av", "aioice"):
        raise
    raise MissingExtra("WebRTC", "webrtc") from None

__all__ = ["GRACE_S", "MOST_CHARACTERS", "Candidate", "IceServer", "NoOffer", "NoPort", "Ports", "WebRTC"]
