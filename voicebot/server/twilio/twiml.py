"""What Twilio is told to do with a call: https://www.twilio.com/docs/voice/twiml."""

from __future__ import annotations

import re
from collections.abc import Mapping

from voicebot.errors import MissingExtra
from voicebot.server.twilio.sentences import What, locale_of, sentence

try:
    from twilio.twiml.voice_response import Connect, Dial, Hangup, VoiceResponse
except ImportError as error:
    raise MissingExtra("The package twilio", "server") from error

_NUMBER = re.compile(r"\+?[0-9][0-9 ()./-]{1,30}")
_SIP = re.compile(r"sips?:[^\s<>\"]{3,250}")
_LONGEST_MESSAGE_S = 180
_LONGEST = 400
"""Twilio takes 500 characters for a parameter's name and value together."""


def connect(*, stream_url: str, after_url: str, status_url: str, parameters: Mapping[str, str]) -> str:
    """Open a stream both ways; when it is over, ask `after_url` what comes next."""
    response = VoiceResponse()
    connected = Connect(action=after_url)
    stream = connected.stream(url=stream_url, status_callback=status_url)
    for name, value in parameters.items():
        if value := printable(value):
            stream.parameter(name=name, value=value)
    response.append(connected)
    return str(response)


def elsewhere(overflow: str, what: What, language: str) -> str:
    """A call that cannot be taken goes to `overflow` (a number, a SIP address, a URL with TwiML), or is told why."""
    response = VoiceResponse()
    if overflow.startswith(("http://", "https://")):
        response.redirect(overflow)
    elif dialled := _dialled(overflow):
        response.append(dialled)
    else:
        text, locale = sentence(what, language)
        response.say(text, language=locale)
        response.hangup()
    return str(response)


def transfer(to: str, after_url: str) -> str:
    """Put the caller through to what can be dialled; then ask `after_url`, which is told how that went."""
    response = VoiceResponse()
    response.append(_dialled(to, action=after_url) or Hangup())
    return str(response)


def record(text: str, language: str, message_url: str) -> str:
    """Tell the caller something, and record what they say behind the tone; `message_url` is told where that is."""
    response = VoiceResponse()
    response.say(text, language=locale_of(language))
    response.record(
        action=message_url, recording_status_callback=message_url, max_length=_LONGEST_MESSAGE_S, play_beep=True
    )
    response.hangup()
    return str(response)


def hang_up() -> str:
    response = VoiceResponse()
    response.hangup()
    return str(response)


def can_be_dialled(to: str) -> bool:
    """Whether it is a telephone number or a SIP address, and not the name of a person or a desk."""
    return _dialled(to) is not None


def printable(text: str) -> str:
    """What XML can carry, and Twilio takes."""
    return "".join(each for each in text if each.isprintable())[:_LONGEST]


def _dialled(to: str, **how: str) -> Dial | None:
    to = to.strip()
    if _SIP.fullmatch(to):
        dial = Dial(**how)
        dial.sip(to)
        return dial
    return Dial(re.sub(r"[^+0-9]", "", to), **how) if _NUMBER.fullmatch(to) else None
