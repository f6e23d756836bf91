"""Twilio does what it is told: one document of TwiML after the other, verb by verb.

Understood: Say, Play, Pause, Redirect, Hangup, Reject, Connect (Stream), Dial (Number, Sip, Conference), Start
(Recording), Gather with the choices of the telephone. Everything else is an error, as at Twilio (12200).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urljoin

from websockets.exceptions import WebSocketException

from tests.doubles.sockets import Dialled
from tests.doubles.twilio_account.records import now, sid
from tests.doubles.twilio_caller import Verb, verbs_of
from tests.doubles.twilio_stream import TwilioStream

if TYPE_CHECKING:
    from tests.doubles.twilio_account.calls import PhoneCall

Source = Mapping[str, str]
"""A document to be fetched (`Url`, `Method`), or one that is there (`Twiml`), and what is told to whoever has it."""
_OF_A_DOCUMENT = ("Url", "Twiml", "Method", "FallbackUrl", "FallbackMethod")
_MOST = 50
"""Documents that one call may be led through."""


class HungUp(Exception):
    """The call is over, and no verb behind this one is obeyed."""


class Misled(Exception):
    """What the server answered cannot be obeyed; Twilio's debugger shows the code."""

    def __init__(self, code: int, url: str, what: str) -> None:
        super().__init__(f"{code} at {url}: {what}")
        self.code, self.url = code, url


class Obeying:
    """One call's. `run` returns when nothing more is to be done with it."""

    def __init__(self, call: PhoneCall) -> None:
        self._call = call
        self._twilio = call.twilio
        self._base = ""
        """Where the document came from: relative addresses belong there."""

    async def run(self, source: Source) -> None:
        with contextlib.suppress(HungUp):
            for _ in range(_MOST):
                following = await self._document(source)
                if following is None:
                    return
                source = following
            raise Misled(81025, self._base, "it leads in a circle")

    async def _document(self, source: Source) -> Source | None:
        """The next one; None: the end of the last one was reached, and Twilio hangs up."""
        try:
            verbs = await self._fetched(source)
        except Misled as misled:
            self._twilio.debugger.append((misled.code, misled.url))
            if not source.get("FallbackUrl"):
                self._call.said.append("An application error has occurred.")
                return None
            told = {"ErrorCode": str(misled.code), "ErrorUrl": misled.url}
            return {"Url": source["FallbackUrl"], "Method": source.get("FallbackMethod", ""), **told}
        for verb in verbs:
            self._call.obeyed.append(verb)
            obey = getattr(self, f"_{verb.name.lower()}", None) or self._unknown
            following: Source | None = await obey(verb)
            if following is not None:
                return following
        return None

    async def _fetched(self, source: Source) -> list[Verb]:
        if twiml := source.get("Twiml"):
            return verbs_of(twiml)
        self._base = url = source["Url"]
        more = {name: value for name, value in source.items() if name not in _OF_A_DOCUMENT}
        if not url:
            raise Misled(11100, url, "there is no URL")
        try:
            answer = await self._twilio.webhook(url, self._call.about(**more), source.get("Method") or "POST")
        except OSError as error:
            raise Misled(11205, url, str(error)) from error
        if answer.status_code != 200:
            raise Misled(11200, url, f"HTTP {answer.status_code}")
        try:
            return verbs_of(answer.text)
        except SyntaxError as error:
            raise Misled(12100, url, str(error)) from error

    # -- verbs: each returns where to go on, or None for the next verb -----------------------------------------------

    async def _say(self, verb: Verb) -> None:
        self._call.said.append(verb.text)

    async def _play(self, verb: Verb) -> None:
        self._call.said.append(verb.text or f"keys {verb.attributes.get('digits', '')}")

    async def _pause(self, verb: Verb) -> None:
        await asyncio.sleep(float(verb.attributes.get("length", "1")) * self._twilio.second_s)

    async def _gather(self, verb: Verb) -> Source | None:
        for inner in verb.inner:
            await (self._say if inner.name == "Say" else self._play)(inner)
        answer = self._call.phone.choices.pop(0) if self._call.phone.choices else ""
        if not answer:
            await asyncio.sleep(float(verb.attributes.get("timeout", "5")) * self._twilio.second_s)
        if not answer and verb.attributes.get("actionOnEmptyResult") != "true":
            return None
        told = {"Digits": answer} if answer.isdigit() else {"SpeechResult": answer, "Confidence": "0.9"}
        return self._then(verb, **(told if answer else {"Digits": ""}))

    async def _redirect(self, verb: Verb) -> Source:
        return {"Url": urljoin(self._base, verb.text), "Method": verb.attributes.get("method", "POST")}

    async def _hangup(self, verb: Verb) -> NoReturn:
        raise HungUp

    async def _reject(self, verb: Verb) -> NoReturn:
        self._call.status = "busy" if verb.attributes.get("reason") == "busy" else "no-answer"
        raise HungUp

    async def _start(self, verb: Verb) -> None:
        for inner in verb.inner:
            if inner.name == "Recording":
                self._twilio.recordings.begin(self._call, inner.attributes)

    async def _unknown(self, verb: Verb) -> NoReturn:
        raise AssertionError(f"TwiML has no <{verb.name}> here")

    async def _connect(self, verb: Verb) -> Source | None:
        (stream,) = verb.inner
        assert stream.name == "Stream", f"<Connect> of <{stream.name}> is not understood here"
        await self._streamed(stream)
        if self._call.hung_up.is_set():
            raise HungUp
        return self._then(verb)

    async def _streamed(self, verb: Verb) -> None:
        """Until one side closes it."""
        call, news = self._call, {"StreamSid": sid("MZ")}
        url = verb.attributes["url"]
        told = urljoin(self._base, callback) if (callback := verb.attributes.get("statusCallback")) else ""
        try:
            async with self._twilio.exchange(url).open(url) as socket:
                stream = TwilioStream(call.link, Dialled(socket), verb.parameters, call.sid)
                call.streams.append(stream)
                await self._twilio.callback(told, call.about(StreamEvent="stream-started", Timestamp=now(), **news))
                await stream.run()
        except (OSError, WebSocketException) as error:
            news |= {"StreamEvent": "stream-error", "StreamError": f"31920 - {error}"}
            self._twilio.debugger.append((31920, url))
        else:
            news["StreamEvent"] = "stream-stopped"
        await self._twilio.callback(told, call.about(Timestamp=now(), **news))

    async def _dial(self, verb: Verb) -> Source | None:
        inner = verb.inner[0] if verb.inner else Verb("Number", verb.text, {})
        if inner.name == "Conference":
            await self._twilio.conferences.join(self._call, inner.text.strip(), inner.attributes, self._base)
            told = {"DialCallStatus": "answered"}
        else:
            told = await self._called(verb, inner)
        if self._call.hung_up.is_set() and self._call.status == "in-progress":
            raise HungUp
        return self._then(verb, **told)

    async def _called(self, verb: Verb, inner: Verb) -> dict[str, str]:
        """Another telephone, until one of the two hangs up."""
        child = self._twilio.dial(self._call, verb, inner, self._base)
        gone = asyncio.create_task(self._call.hung_up.wait())
        over = asyncio.create_task(child.over.wait())
        try:
            await asyncio.wait({gone, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (gone, over):
                task.cancel()
            await asyncio.gather(gone, over, return_exceptions=True)
            child.hang_up()
        return {"DialCallStatus": child.status, "DialCallSid": child.sid, "DialCallDuration": "1"}

    def _then(self, verb: Verb, **told: str) -> Source | None:
        """Where the verb's `action` leads, which is told what came of the verb."""
        action = verb.attributes.get("action")
        if not action:
            return None
        return {"Url": urljoin(self._base, action), "Method": verb.attributes.get("method", "POST"), **told}
