"""What Twilio's public OpenAPI description (twilio_api_v2010) allows to be sent, and how it says that something else
came. A parameter that is not there would be ignored by Twilio; here it is an error, so that a typing error is found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_PAGES = ("PageSize", "Page", "PageToken")
_VOICE = """FriendlyName ApiVersion SmsApplicationSid SmsFallbackMethod SmsFallbackUrl SmsMethod SmsUrl
    StatusCallback StatusCallbackMethod VoiceApplicationSid VoiceCallerIdLookup VoiceFallbackMethod VoiceFallbackUrl
    VoiceMethod VoiceUrl
    EmergencyStatus EmergencyAddressSid TrunkSid VoiceReceiveMode IdentitySid AddressSid BundleSid""".split()
_MACHINES = """MachineDetection MachineDetectionTimeout MachineDetectionSpeechThreshold
    MachineDetectionSpeechEndThreshold MachineDetectionSilenceTimeout""".split()
_RECORDED = """RecordingChannels RecordingStatusCallback RecordingStatusCallbackMethod RecordingStatusCallbackEvent
    RecordingTrack Trim""".split()


@dataclass(frozen=True)
class Operation:
    """`several`: those that may come more than once."""

    known: frozenset[str]
    required: tuple[str, ...] = ()
    several: frozenset[str] = frozenset()
    one_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _operation(
    known: Iterable[str], required: Sequence[str] = (), one_of: Mapping[str, tuple[str, ...]] | None = None
) -> Operation:
    known = frozenset(known)
    several = frozenset(name for name in known if name.endswith("CallbackEvent"))
    return Operation(known, tuple(required), several, one_of or {})


_EVENTS = ("initiated", "ringing", "answered", "completed")
OPERATIONS = {
    "ListIncomingPhoneNumber": _operation(("Beta", "FriendlyName", "PhoneNumber", "Origin", *_PAGES)),
    "CreateIncomingPhoneNumber": _operation((*_VOICE, "PhoneNumber", "AreaCode")),
    "UpdateIncomingPhoneNumber": _operation((*_VOICE, "AccountSid")),
    "ListAvailablePhoneNumber": _operation(
        """AreaCode Contains SmsEnabled MmsEnabled VoiceEnabled ExcludeAllAddressRequired ExcludeLocalAddressRequired
        ExcludeForeignAddressRequired Beta NearNumber NearLatLong Distance InPostalCode InRegion InRateCenter InLata
        InLocality FaxEnabled""".split()
        + list(_PAGES)
    ),
    "CreateCall": _operation(
        """To From Method FallbackUrl FallbackMethod StatusCallback StatusCallbackEvent StatusCallbackMethod SendDigits
        Timeout Record SipAuthUsername SipAuthPassword CallerId AsyncAmd AsyncAmdStatusCallback
        AsyncAmdStatusCallbackMethod Byoc CallReason CallToken TimeLimit ClientNotificationUrl Url Twiml
        ApplicationSid""".split()
        + _MACHINES
        + _RECORDED,
        ("To", "From"),
        {
            "StatusCallbackEvent": _EVENTS,
            "MachineDetection": ("Enable", "DetectMessageEnd"),
            "AsyncAmd": ("true", "false"),
            "Record": ("true", "false"),
        },
    ),
    "UpdateCall": _operation(
        """Url Method Status FallbackUrl FallbackMethod StatusCallback StatusCallbackMethod Twiml TimeLimit""".split(),
        one_of={"Status": ("canceled", "completed")},
    ),
    "ListCall": _operation(
        ("To", "From", "ParentCallSid", "Status", "StartTime", "StartTime<", "StartTime>", "EndTime", *_PAGES)
    ),
    "CreateCallRecording": _operation(
        _RECORDED, one_of={"RecordingStatusCallbackEvent": ("in-progress", "completed", "absent")}
    ),
    "UpdateCallRecording": _operation(
        ("Status", "PauseBehavior"),
        ("Status",),
        {"Status": ("in-progress", "paused", "stopped"), "PauseBehavior": ("skip", "silence")},
    ),
    "ListRecording": _operation(("DateCreated", "CallSid", "ConferenceSid", "IncludeSoftDeleted", *_PAGES)),
    "ListConference": _operation(("DateCreated", "DateUpdated", "FriendlyName", "Status", *_PAGES)),
    "UpdateConference": _operation(("Status", "AnnounceUrl", "AnnounceMethod"), one_of={"Status": ("completed",)}),
    "ListParticipant": _operation(("Muted", "Hold", "Coaching", *_PAGES)),
    "CreateParticipant": _operation(
        """From To StatusCallback StatusCallbackMethod StatusCallbackEvent Label Timeout Record Muted Beep
        StartConferenceOnEnter EndConferenceOnExit WaitUrl WaitMethod EarlyMedia MaxParticipants ConferenceRecord
        ConferenceTrim ConferenceStatusCallback ConferenceStatusCallbackMethod ConferenceStatusCallbackEvent
        SipAuthUsername SipAuthPassword Region ConferenceRecordingStatusCallback
        ConferenceRecordingStatusCallbackMethod ConferenceRecordingStatusCallbackEvent Coaching CallSidToCoach
        JitterBufferSize Byoc CallerId CallReason TimeLimit AmdStatusCallback AmdStatusCallbackMethod CallToken
        ClientNotificationUrl CallerDisplayName""".split()
        + _MACHINES
        + _RECORDED,
        ("From", "To"),
        {"StatusCallbackEvent": _EVENTS},
    ),
    "UpdateParticipant": _operation(
        """Muted Hold HoldUrl HoldMethod AnnounceUrl AnnounceMethod WaitUrl WaitMethod BeepOnExit EndConferenceOnExit
        Coaching CallSidToCoach""".split()
    ),
}


class Refusal(Exception):
    """An answer that is an error, as Twilio writes it."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.body = {
            "code": code,
            "message": message,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        }


Sent = Mapping[str, list[str]]
"""What came: of each parameter all values."""


def check(operation: str, sent: Sent) -> None:
    """Raises Refusal."""
    allowed = OPERATIONS[operation]
    for name, values in sent.items():
        if name not in allowed.known:
            raise Refusal(400, 20001, f"{operation} has no parameter '{name}'")
        if len(values) > 1 and name not in allowed.several:
            raise Refusal(400, 20001, f"'{name}' came {len(values)} times")
        possible = allowed.one_of.get(name)
        if possible and not set(values) <= set(possible):
            raise Refusal(400, 20001, f"Invalid {name}: {', '.join(values)}")
        if name.endswith("Url") or name.endswith("Callback"):
            _check_url(name, values[0])
    for name in allowed.required:
        if not sent.get(name, [""])[0]:
            raise Refusal(400, {"To": 21201, "From": 21213}.get(name, 20001), f"No '{name}' number is specified")


def _check_url(name: str, url: str) -> None:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise Refusal(400, 21502 if name.startswith("Voice") else 21205, f"{name} is not a valid URL: {url}")


def one(sent: Sent, name: str, default: str = "") -> str:
    return sent.get(name, [default])[0]


def is_number(text: str) -> bool:
    return re.fullmatch(r"\+[1-9]\d{6,14}", text) is not None
