"""What Twilio is told about a colleague who is asked whether they take a call, and about the room where the two meet.

The caller stays on the agent's line until somebody has said yes. Then both are sent into a conference room of their
own, the caller when their stream is over (`/twilio/after`), and nobody of ours is in it.
"""

from __future__ import annotations

from typing import Final

from voicebot.errors import MissingExtra
from voicebot.server.state import CallRow
from voicebot.server.twilio.sentences import asked_words, locale_of

try:
    from twilio.twiml.voice_response import Dial, Gather, VoiceResponse
except ImportError as error:
    raise MissingExtra("The package twilio", "server") from error

_JOINED: Final = " in a conference"
_ANSWER_S: Final = 8
"""How long somebody may think about their answer."""


def joined(to: str) -> str:
    """The detail of a call that was handed over so."""
    return to + _JOINED


def is_joined(row: CallRow) -> bool:
    return row.reason == "handed_over" and row.detail.endswith(_JOINED)


def room_of(call_id: str) -> str:
    return f"voicebot-{call_id}"


def question(brief: str, language: str, choice_url: str) -> str:
    """Tell them who calls, and ask; they press a key or say it."""
    response, words, locale = VoiceResponse(), asked_words(language), locale_of(language)
    gather = Gather(
        input="dtmf speech",
        num_digits=1,
        timeout=_ANSWER_S,
        speech_timeout="auto",
        language=locale,
        hints=", ".join((*words.yes, *words.no)),
        action=choice_url,
        action_on_empty_result=True,
    )
    gather.say(f"{brief} {words.question}", language=locale)
    response.append(gather)
    return str(response)


def room(call_id: str, after_url: str) -> str:
    """Meet in the room of this call; whoever leaves it ends it."""
    response = VoiceResponse()
    dial = Dial(action=after_url)
    dial.conference(
        room_of(call_id), beep="false", start_conference_on_enter=True, end_conference_on_exit=True, max_participants=2
    )
    response.append(dial)
    return str(response)


def goodbye(what: str, language: str) -> str:
    """Say this sentence of `sentences.Asked`, and hang up."""
    response = VoiceResponse()
    response.say(getattr(asked_words(language), what), language=locale_of(language))
    response.hangup()
    return str(response)
