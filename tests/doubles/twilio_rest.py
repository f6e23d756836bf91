"""Twilio: its REST interface on a real port for the real SDK, its calls, and its webhooks to the server under test.

    async with TwilioRest() as twilio:
        twilio.reach(PUBLIC, server.address)               # where the server's public address really is
        twilio.phones["+15550123"] = Phone("machine")      # what becomes of calls to this number
        environment = twilio.environment                   # for a process that uses the SDK
        call = await twilio.ring("+15550199")              # somebody calls one of our numbers
        await call.ended()

Parameters are checked against Twilio's public OpenAPI description, requests need the account's SID and token, webhooks
are signed. `requests` has what was asked, `callbacks` what was told to whom; `faults` are answers that go wrong,
`repeats` and `late_s` are callbacks that come twice or late. A second of Twilio's takes `second_s`.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx
from aiohttp import web

from tests.doubles.twilio_account.calls import PhoneCall
from tests.doubles.twilio_account.conferences import Conferences
from tests.doubles.twilio_account.operations import Operations
from tests.doubles.twilio_account.parameters import Refusal, Sent
from tests.doubles.twilio_account.phones import Phone, Talk
from tests.doubles.twilio_account.recordings import Recordings
from tests.doubles.twilio_account.records import BASE, Number, available
from tests.doubles.twilio_caller import CALLEE, TOKEN, Exchange, Verb, signature
from tests.doubles.twilio_stream import ACCOUNT_SID

__all__ = ["ACCOUNT_SID", "CALLEE", "TOKEN", "Fault", "Phone", "PhoneCall", "Request", "TwilioRest"]


@dataclass(frozen=True)
class Request:
    """One that came, with what it was answered."""

    method: str
    path: str
    sent: Sent
    status: int


@dataclass
class Fault:
    """Instead of what a request to `path` (a part of it) would be answered. With `acts` it is done all the same: the
    answer is lost on the way. Status 0: the connection breaks."""

    path: str
    method: str = "POST"
    status: int = 500
    code: int = 20500
    message: str = "An internal server error has occurred"
    acts: bool = False
    times: int = 1


class TwilioRest:
    """One account."""

    def __init__(self, *, second_s: float = 0.02) -> None:
        self.second_s = second_s
        self.numbers: dict[str, Number] = {}
        """Those of the account, by SID."""
        self.for_sale = [available(f"+1415555{1000 + n}", "San Francisco", "CA", "US") for n in range(60)]
        self.calls: dict[str, PhoneCall] = {}
        self.phones: dict[str, Phone] = {}
        """By number; every other one is a person who answers."""
        self.conferences = Conferences(self)
        self.recordings = Recordings(self)
        self.requests: list[Request] = []
        self.callbacks: list[tuple[str, dict[str, str]]] = []
        self.events: list[tuple[str, str, dict[str, str]]] = []
        """All that was asked and told by webhook: the call's SID, the URL, the form."""
        self.debugger: list[tuple[int, str]] = []
        """What Twilio's console would show: codes, and the URL that is to blame."""
        self.broken: list[Exception] = []
        """What went wrong in the double itself; looked at when it is closed."""
        self.faults: list[Fault] = []
        self.repeats = 1
        self.late_s = 0.0
        self.stuck: set[str] = set()
        """Parts of URLs of which no request of Twilio's is ever answered."""
        self._reached: dict[str, str] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self.add_number(CALLEE)

    # -- an account --------------------------------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """For a process that is to use this account."""
        return {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_API_URL": self.url}

    def add_number(self, number: str, **fields: Any) -> Number:
        added = Number(number, **fields)
        self.numbers[added["sid"]] = added
        return added

    def number(self, number: str = CALLEE) -> Number:
        return next(each for each in self.numbers.values() if each["phone_number"] == number)

    def reach(self, public: str, address: str) -> None:
        """What is sent to `public` (https://…) goes to `address` (host:port)."""
        self._reached[public.rstrip("/")] = address

    # -- calls -------------------------------------------------------------------------------------------------------

    async def ring(self, to: str = CALLEE, caller: str = "+15550100", talk: Talk | None = None) -> PhoneCall:
        """Somebody calls a number of the account."""
        number = self.number(to)
        settings = {
            "Url": [number["voice_url"]],
            "Method": [number["voice_method"]],
            "FallbackUrl": [number["voice_fallback_url"]],
            "FallbackMethod": [number["voice_fallback_method"]],
            "StatusCallback": [number["status_callback"]],
        }
        phone = Phone(talk=talk)
        return self.begin(PhoneCall(self, to=to, caller=caller, direction="inbound", phone=phone, settings=settings))

    def dial(self, parent: PhoneCall, dial: Verb, inner: Verb, base: str) -> PhoneCall:
        """Another leg, as <Dial> asks for it."""
        attributes, to = inner.attributes, inner.text.strip()
        settings = {"Timeout": [dial.attributes.get("timeout", "30")]}
        if callback := attributes.get("statusCallback"):
            settings["StatusCallback"] = [urljoin(base, callback)]
            settings["StatusCallbackEvent"] = attributes.get("statusCallbackEvent", "completed").split()
        settings["Url"] = [urljoin(base, attributes["url"])] if "url" in attributes else [""]
        settings["Twiml"] = [""] if "url" in attributes else ["<Response><Pause length='3600'/></Response>"]
        caller = dial.attributes.get("callerId", parent.caller)
        phone = self.phone(to)
        child = PhoneCall(
            self, to=to, caller=caller, direction="outbound-dial", phone=phone, settings=settings, parent=parent
        )
        parent.children.append(child)
        return self.begin(child)

    def phone(self, number: str) -> Phone:
        return replace(self.phones.get(number, Phone()))

    def begin(self, call: PhoneCall) -> PhoneCall:
        self.calls[call.sid] = call
        self.owned(call.run())
        return call

    def owned(self, work: Coroutine[Any, Any, Any]) -> None:
        """A task that ends with the account at the latest."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self.broken.append(error)

    # -- webhooks ----------------------------------------------------------------------------------------------------

    def exchange(self, url: str) -> Exchange:
        """The way to the server that `url` is at."""
        parts = urlsplit(url)
        scheme = parts.scheme.replace("ws", "http")
        base = f"{scheme}://{parts.netloc}"
        return Exchange(self._reached.get(base, parts.netloc), public=base, token=TOKEN)

    async def webhook(self, url: str, form: dict[str, str], method: str = "POST") -> httpx.Response:
        """Raises OSError when nobody is there."""
        exchange = self.exchange(url)
        self.events.append((form.get("CallSid", ""), url, form))
        if any(part in url for part in self.stuck):
            await asyncio.Event().wait()
        try:
            if method == "GET":
                return await self._get(exchange, url, form)
            return await exchange.post(url.removeprefix(exchange.public), form)
        except httpx.HTTPError as error:
            raise OSError(str(error)) from error

    async def _get(self, exchange: Exchange, url: str, form: dict[str, str]) -> httpx.Response:
        url = f"{url}{'&' if '?' in url else '?'}{urlencode(form)}"
        headers = {"Host": urlsplit(url).netloc, "X-Forwarded-Proto": urlsplit(url).scheme}
        headers["X-Twilio-Signature"] = signature(url)
        async with httpx.AsyncClient(verify=False) as http:
            return await http.get(f"http://{exchange.address}{url.removeprefix(exchange.public)}", headers=headers)

    async def callback(self, url: str, form: dict[str, str]) -> None:
        """Tell somebody what has happened, who may not be there; as often and as late as the test wants."""
        if not url:
            return
        for _ in range(self.repeats):
            self.owned(self._tell(url, form))

    async def _tell(self, url: str, form: dict[str, str]) -> None:
        await asyncio.sleep(self.late_s)
        self.callbacks.append((url, form))
        try:
            answer = await self.webhook(url, form)
        except OSError:
            self.debugger.append((11205, url))
        else:
            if answer.status_code >= 300:
                self.debugger.append((15003, url))

    # -- REST --------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *error: type[BaseException] | BaseException | TracebackType | None) -> None:
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._runner.cleanup()
        if self.broken and error[0] is None:
            raise ExceptionGroup("the double of Twilio broke", self.broken)

    async def _answer(self, request: web.Request) -> web.Response:
        sent = parse_qs(request.query_string, keep_blank_values=True)
        sent |= parse_qs(await request.text(), keep_blank_values=True)
        try:
            self._check_credentials(request)
            self._fail(request, before=True)
            status, body = await Operations(self).answer(request.method, request.path, sent)
            self._fail(request, before=False)
        except Refusal as refusal:
            status, body = int(str(refusal.body["status"])), refusal.body
        self.requests.append(Request(request.method, request.path, sent, status))
        if status == 0:
            assert request.transport
            request.transport.close()
        return web.json_response(body, status=status) if body is not None else web.Response(status=status)

    def _check_credentials(self, request: web.Request) -> None:
        signed_in = b64encode(f"{ACCOUNT_SID}:{TOKEN}".encode()).decode()
        if request.headers.get("Authorization", "") != f"Basic {signed_in}":
            raise Refusal(401, 20003, "Authenticate")
        if request.path.startswith("/2010") and not request.path.startswith(BASE):
            raise Refusal(404, 20404, f"The requested resource {request.path} was not found")

    def _fail(self, request: web.Request, *, before: bool) -> None:
        for fault in self.faults:
            if fault.times and fault.path in request.path and fault.method == request.method and fault.acts != before:
                fault.times -= 1
                raise Refusal(fault.status, fault.code, fault.message)
