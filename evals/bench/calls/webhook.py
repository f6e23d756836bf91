"""What comes before a stream: Twilio asks the agent's webhook what to do with a call, and is told where to stream.

Signatures: https://www.twilio.com/docs/usage/security#validating-requests
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

from voicebot.evals.bench.calls.line import NoAnswer
from voicebot.evals.bench.calls.plan import Door

_WITHIN_S = 10.0


@dataclass(frozen=True)
class Stream:
    """Where the sound of one call goes."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)


async def stream_of(door: Door, sid: str) -> Stream:
    """Ask, as Twilio would for a call of its own. Raises NoAnswer when the server does not want the call, OSError."""
    if not door.agent:
        return Stream(door.url.replace("http", "ws", 1) + "/ws")
    asked = {
        "AccountSid": f"AC{0:032x}",
        "CallSid": f"CA{sid}",
        "From": "+15550100",
        "To": "+15550199",
        "Direction": "inbound",
        "CallStatus": "ringing",
        "ApiVersion": "2010-04-01",
    }
    url = f"{door.url}/twilio/voice/{door.agent}"
    async with asyncio.timeout(_WITHIN_S):
        status, body = await _post(url, asked, signed(door.auth_token, url, asked))
    if status != 200:
        raise NoAnswer(f"the webhook answered {status}")
    return _told(body, door.auth_token)


def signed(auth_token: str, url: str, asked: Mapping[str, str]) -> dict[str, str]:
    """The header that proves who asks; none without a token."""
    if not auth_token:
        return {}
    text = url + "".join(name + asked[name] for name in sorted(asked))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return {"X-Twilio-Signature": base64.b64encode(digest).decode()}


async def _post(url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, bytes]:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    reader, writer = await asyncio.open_connection(
        parts.hostname, parts.port or (443 if secure else 80), ssl=secure or None
    )
    try:
        body = urlencode(form).encode()
        sent = {
            "Host": parts.netloc,
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        lines = [f"{name}: {value}" for name, value in (sent | dict(headers)).items()]
        writer.write("\r\n".join([f"POST {parts.path} HTTP/1.1", *lines, "", ""]).encode() + body)
        head, _, content = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    status = head.split(b" ", 2)[1:2]
    if not status or not status[0].isdigit():
        raise NoAnswer("the webhook did not speak HTTP")
    return int(status[0]), content


def _told(twiml: bytes, auth_token: str) -> Stream:
    try:
        root = ElementTree.fromstring(twiml)  # noqa: S314 - from the server under test
    except ElementTree.ParseError as error:
        raise NoAnswer(f"the webhook's answer is no TwiML ({error})") from error
    stream = root.find("./Connect/Stream")
    if stream is None:
        raise NoAnswer(f"refused with <{root[0].tag}>" if len(root) else "refused")
    url = stream.get("url", "")
    parameters = {each.get("name", ""): each.get("value", "") for each in stream.findall("Parameter")}
    return Stream(url, signed(auth_token, url, {}), parameters)
