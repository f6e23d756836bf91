"""What a browser offers (SDP, RFC 8866): text of a stranger's, of which nothing is built before it was looked at.

A call has one track of sound in Opus and one data channel. Pictures are refused, because each of their streams would
get a decoder. Of the addresses that a browser says it has, only plain ones are believed: the names that it makes up for
privacy would be looked for in our network.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from aiortc import RTCIceCandidate, RTCSessionDescription
from aiortc.sdp import SessionDescription, candidate_from_sdp

from voicebot.errors import BadInput

MOST_CHARACTERS = 32 * 1024
"""Of an offer: browsers send four to eight thousand."""
_MOST_CANDIDATES = 24
_CANDIDATE = "a=candidate:"
_DIGESTS = ("sha-256", "sha-384", "sha-512")
_KINDS = ("host", "srflx", "relay")


class NoOffer(BadInput):
    """There can be no call on this; the sentence says why."""


@dataclass(frozen=True)
class IceServer:
    """A server that tells one's address (stun:), or relays (turn:), as the W3C's RTCIceServer."""

    url: str
    username: str = ""
    credential: str = ""


@dataclass(frozen=True)
class Candidate:
    """One more address of the browser's, for the media section `mid`."""

    text: str
    """'candidate:...', as RTCIceCandidate has it."""
    mid: str


def read(sdp: str) -> RTCSessionDescription:
    """The offer, without the addresses that are not used. Raises NoOffer."""
    if len(sdp) > MOST_CHARACTERS:
        raise NoOffer(f"an offer may have {MOST_CHARACTERS} characters.")
    kept = "".join(f"{line}\r\n" for line in _useful(sdp.splitlines()))
    try:
        described = SessionDescription.parse(kept)
    except Exception as error:  # noqa: BLE001 - a parser of somebody else's, on text that was made to break it
        raise NoOffer(f"this is no session description ({type(error).__name__}).") from None
    _check(described)
    return RTCSessionDescription(kept, "offer")


def address(candidate: Candidate) -> RTCIceCandidate | None:
    """None when it is not one that is used."""
    found = _candidate(candidate.text.removeprefix("a=").removeprefix("candidate:"))
    if found:
        found.sdpMid = candidate.mid
    return found


def _check(described: SessionDescription) -> None:
    kinds = sorted(media.kind for media in described.media)
    if kinds not in (["audio"], ["application", "audio"]):
        raise NoOffer("a call has one track of sound and at most one data channel.")
    for media in described.media:
        if not (media.ice.usernameFragment and media.ice.password and media.dtls):
            raise NoOffer("the offer says nothing of ICE or DTLS.")
        if not any(each.algorithm.lower() in _DIGESTS for each in media.dtls.fingerprints):
            raise NoOffer("the offer has no fingerprint of its certificate.")
        if media.kind == "audio" and not any(codec.name.lower() == "opus" for codec in media.rtp.codecs):
            raise NoOffer("the offer has no Opus.")


def _useful(lines: list[str]) -> list[str]:
    kept, candidates = [], 0
    for line in lines:
        if line.startswith(_CANDIDATE):
            candidates += 1
            if candidates > _MOST_CANDIDATES or _candidate(line.removeprefix(_CANDIDATE)) is None:
                continue
        kept.append(line)
    return kept


def _candidate(text: str) -> RTCIceCandidate | None:
    try:
        found = candidate_from_sdp(text)
        where = ipaddress.ip_address(found.ip)
    except (ValueError, AssertionError, IndexError, KeyError):
        return None
    usual = found.protocol.lower() == "udp" and found.type in _KINDS and 0 < found.port < 65536
    return found if usual and not (where.is_multicast or where.is_unspecified) else None
