"""Twilio's side of a call from its first webhook to its last: who rings, what is signed, and what TwiML is obeyed.

    exchange = Exchange("127.0.0.1:8080")
    ringing = exchange.ring("+15550100")
    verbs = await ringing.ask("/twilio/voice/ava")       # what the server says is to be done
    async with ringing.stream(verbs[0]) as socket: ...   # the stream that its <Connect> names
    verbs = await ringing.ask(verbs[0].attributes["action"], CallStatus="in-progress")

The server is known to Twilio by `public`, a name that leads nowhere but here. How Twilio signs:
https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree as ET

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.doubles.twilio_stream import ACCOUNT_SID

TOKEN = "0123456789abcdef0123456789abcdef"
PUBLIC = "https://voice.example.com"
CALLEE = "+15550199"


def signature(url: str, form: Mapping[str, str] | None = None, token: str = TOKEN) -> str:
    signed = url + "".join(f"{name}{value}" for name, value in sorted((form or {}).items()))
    return b64encode(hmac.digest(token.encode(), signed.encode(), hashlib.sha1)).decode()


@dataclass(frozen=True)
class Verb:
    """One of TwiML's, with what lies in it."""

    name: str
    text: str
    attributes: Mapping[str, str]
    inner: tuple[Verb, ...] = ()

    @classmethod
    def of(cls, element: ET.Element) -> Verb:
        return cls(element.tag, element.text or "", dict(element.attrib), tuple(cls.of(each) for each in element))

    @property
    def parameters(self) -> dict[str, str]:
        """Of a <Stream>."""
        return {each.attributes["name"]: each.attributes["value"] for each in self.inner}


def verbs_of(twiml: str) -> list[Verb]:
    response = ET.fromstring(twiml)
    assert response.tag == "Response"
    return [Verb.of(each) for each in response]


class Exchange:
    """Twilio, as one server sees it, at `address` (host:port)."""

    def __init__(self, address: str, *, public: str = PUBLIC, token: str = TOKEN) -> None:
        self.address = address
        self.public = public
        self.token = token

    def ring(self, caller: str = "+15550100") -> Ringing:
        return Ringing(self, caller, f"CA{secrets.token_hex(16)}")

    async def post(
        self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """A webhook, through the proxy that the server stands behind. `headers` replace those that Twilio sends."""
        usual = {
            "Host": urlsplit(self.public).netloc,
            "X-Forwarded-Proto": urlsplit(self.public).scheme,
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "X-Twilio-Signature": signature(f"{self.public}{path}", form, self.token),
        }
        async with httpx.AsyncClient(
            verify=False
        ) as http:  # there is no TLS here, and its certificates take 20 ms to load
            return await http.post(
                f"http://{self.address}{path}", content=urlencode(form), headers={**usual, **(headers or {})}
            )

    @asynccontextmanager
    async def open(self, url: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[ClientConnection]:
        """The websocket at `url`, wherever that says it is. Raises websockets' InvalidStatus."""
        host, _, port = self.address.rpartition(":")
        signed = {"X-Twilio-Signature": signature(url, token=self.token), **(headers or {})}
        plain = url.replace("wss://", "ws://", 1)
        async with connect(
            plain, host=host, port=int(port), additional_headers=signed, compression=None, proxy=None
        ) as socket:
            yield socket


class Ringing:
    """One call of somebody's."""

    def __init__(self, exchange: Exchange, caller: str, sid: str) -> None:
        self.sid = sid
        self._exchange = exchange
        self._about = {"AccountSid": ACCOUNT_SID, "CallSid": sid, "From": caller, "To": CALLEE, "CallerName": ""}

    def form(self, **more: str) -> dict[str, str]:
        return {**self._about, "CallStatus": "ringing", "Direction": "inbound", "ApiVersion": "2010-04-01", **more}

    async def ask(self, url: str, **more: str) -> list[Verb]:
        """What the server at `url` (of its public address, or only a path) wants done."""
        answer = await self._exchange.post(url.removeprefix(self._exchange.public), self.form(**more))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("application/xml")
        return verbs_of(answer.text)

    @asynccontextmanager
    async def stream(self, verb: Verb) -> AsyncIterator[ClientConnection]:
        """What a <Connect> names, before Twilio has said anything on it."""
        (stream,) = verb.inner
        async with self._exchange.open(stream.attributes["url"]) as socket:
            yield socket
