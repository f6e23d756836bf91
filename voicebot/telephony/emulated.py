"""A telephone network on this machine: it rings at a server as Twilio does, and does what it is told.

    network = Network("http://127.0.0.1:8080", token)
    told = await network.call("/twilio/voice/ava", telephone, caller="+15550100")

No account is needed: the webhooks are signed, the TwiML is read, the Media Stream is opened, with sound of the
telephone network both ways; only that behind the telephone there is a `Transport` on this machine, such as the wire of
a persona. Nobody else can be dialled from here: what would be is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode, urljoin, urlsplit
from xml.etree import ElementTree as ET

import httpx
from pydantic import SecretStr

from voicebot.errors import MissingExtra, Unavailable
from voicebot.telephony.media_stream import MediaStream, sid
from voicebot.transports import Transport
from voicebot.transports.dialect import GOOD_BYE, MOST_BYTES, Message, SocketClosed

try:
    from twilio.request_validator import RequestValidator
    from websockets.asyncio.client import ClientConnection, connect
    from websockets.exceptions import ConnectionClosed, WebSocketException
except ImportError as error:
    raise MissingExtra("The telephone server", "server") from error

ACCOUNT_SID: Final = "AC" + "0" * 32
CALLER, CALLEE = "+15550100", "+15550199"
_MOST_DOCUMENTS: Final = 20
_TIMEOUT_S = 15.0
_PAUSE_S = 1.0


@dataclass
class Told:
    """What the server had the network do with one call."""

    call_sid: str = field(default_factory=lambda: sid("CA"))
    streams: int = 0
    said: list[str] = field(default_factory=list)
    """By the network's own voice: texts, and addresses of sounds."""
    dialled: list[str] = field(default_factory=list)
    """Where the caller would have been put through to."""
    hung_up: str = "the server"
    """Who has: 'the server' or 'the caller'."""


class _HungUp(Exception):
    """No verb behind this one is obeyed."""


@dataclass(frozen=True)
class _Document:
    url: str
    more: Mapping[str, str] = field(default_factory=dict)
    """What whoever has it is told besides."""


class Network:
    """One that knows the server at `server` (http://host:port) under that address, or as `public`."""

    def __init__(self, server: str, token: SecretStr, *, public: str = "") -> None:
        self._server = server.rstrip("/")
        self._public = public.rstrip("/") or self._server
        self._validator = RequestValidator(token.get_secret_value())

    async def call(
        self,
        webhook: str,
        telephone: Transport,
        *,
        caller: str = CALLER,
        callee: str = CALLEE,
        told: Told | None = None,
    ) -> Told:
        """One call from its first ring to its end. `webhook` is a path, or a URL of the server's.

        `told` may be given to look at it while the call goes on. Raises Unavailable when the server is not there, or
        answers what no network would understand.
        """
        told = told or Told()
        form = {
            "AccountSid": ACCOUNT_SID,
            "ApiVersion": "2010-04-01",
            "CallSid": told.call_sid,
            "CallStatus": "ringing",
            "Called": callee,
            "Caller": caller,
            "Direction": "inbound",
            "From": caller,
            "To": callee,
        }
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as http:
            await _Ringing(self, http, telephone, form, told).run(_Document(urljoin(self._public + "/", webhook)))
        return told

    def at(self, url: str) -> str:
        """Where a URL of the server's really leads."""
        return self._server + url.removeprefix(self._public) if url.startswith(self._public) else url

    def signed(self, url: str, form: Mapping[str, str] | None = None) -> dict[str, str]:
        """The headers of a request for it, as the server's own address has them."""
        public = urlsplit(self._public)
        signature = str(self._validator.compute_signature(url, dict(form or {})))
        return {"Host": public.netloc, "X-Forwarded-Proto": public.scheme, "X-Twilio-Signature": signature}

    def open(self, url: str) -> connect:
        """The websocket at `url` (ws:// or wss://)."""
        real = urlsplit(self.at("http" + url.removeprefix("ws")))
        return connect(
            f"{'wss' if real.scheme == 'https' else 'ws'}://{urlsplit(url).netloc}{urlsplit(url).path}",
            host=real.hostname,
            port=real.port,
            additional_headers={"X-Twilio-Signature": self.signed(url)["X-Twilio-Signature"]},
            compression=None,
            max_size=MOST_BYTES,
            open_timeout=_TIMEOUT_S,
            proxy=None,
        )


class _Ringing:
    """One call, in the middle of what it is told to do."""

    def __init__(
        self, network: Network, http: httpx.AsyncClient, telephone: Transport, form: dict[str, str], told: Told
    ) -> None:
        self._network = network
        self._http = http
        self._telephone = telephone
        self._form = form
        self._told = told
        self._at = ""

    async def run(self, document: _Document | None) -> None:
        for _ in range(_MOST_DOCUMENTS):
            if document is None:
                return
            try:
                document = await self._obey(await self._fetched(document))
            except _HungUp:
                return
            self._form["CallStatus"] = "in-progress"
        raise Unavailable(f"the server leads the call in a circle: {self._at}")

    async def _fetched(self, document: _Document) -> ET.Element:
        """The TwiML. Raises Unavailable."""
        self._at, form = document.url, {**self._form, **document.more}
        headers = {**self._network.signed(document.url, form), "Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = await self._http.post(self._network.at(document.url), content=urlencode(form), headers=headers)
            answer.raise_for_status()
            return ET.fromstring(answer.content)  # noqa: S314 - our own server has written it
        except (httpx.HTTPError, ET.ParseError) as error:
            raise Unavailable(f"the server did not answer the call as it should: {error}") from error

    async def _obey(self, response: ET.Element) -> _Document | None:
        for verb in response:
            match verb.tag:
                case "Say" | "Play":
                    self._told.said.append(verb.text or "")
                case "Pause":
                    await asyncio.sleep(float(verb.get("length", _PAUSE_S)))
                case "Redirect":
                    return _Document(urljoin(self._at, verb.text or ""))
                case "Connect":
                    return await self._connect(verb)
                case "Dial":
                    return self._dial(verb)
                case _:  # <Hangup>, <Reject>, and what only a real network can do
                    raise _HungUp
        return None

    async def _connect(self, verb: ET.Element) -> _Document | None:
        stream = verb.find("Stream")
        if stream is None:
            raise _HungUp
        parameters = {each.get("name", ""): each.get("value", "") for each in stream.iter("Parameter")}
        if await self._streamed(stream.get("url", ""), parameters) == "caller_hung_up":
            self._told.hung_up = "the caller"
            raise _HungUp
        return self._then(verb)

    async def _streamed(self, url: str, parameters: Mapping[str, str]) -> str:
        """How it ended. Raises Unavailable."""
        try:
            async with self._network.open(url) as connection:
                self._told.streams += 1
                stream = MediaStream(
                    self._telephone,
                    _Socket(connection),
                    call_sid=self._told.call_sid,
                    account_sid=ACCOUNT_SID,
                    parameters=parameters,
                )
                return await stream.run()
        except (OSError, WebSocketException, SocketClosed) as error:
            raise Unavailable(f"the stream of the call broke: {error}") from error

    def _dial(self, verb: ET.Element) -> _Document | None:
        inner = next(iter(verb), verb)
        self._told.dialled.append((inner.text or "").strip())
        return self._then(verb, DialCallStatus="completed")

    def _then(self, verb: ET.Element, **more: str) -> _Document | None:
        """Where the verb's `action` leads."""
        action = verb.get("action")
        return _Document(urljoin(self._at, action), more) if action else None


class _Socket:
    """A websocket of the package websockets, as transports take it."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def receive(self) -> Message:
        try:
            return await self._connection.recv()
        except ConnectionClosed as closed:
            raise _closed(closed) from closed

    async def send(self, message: Message) -> None:
        try:
            await self._connection.send(message)
        except ConnectionClosed as closed:
            raise _closed(closed) from closed

    async def close(self, code: int = GOOD_BYE, reason: str = "") -> None:
        await self._connection.close(code, reason)


def _closed(closed: ConnectionClosed) -> SocketClosed:
    return SocketClosed(closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else SocketClosed()
