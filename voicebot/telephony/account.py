"""The account at Twilio: who we are there, and every request to it.

    account = Account.from_settings(settings)
    call = await account.ask(lambda client: client.calls.create(to=..., from_=..., url=...), "call +15550100")

Twilio's SDK blocks, so `ask` runs it in a thread; `do` is the same for whoever may wait. What Twilio refuses is
`Refused` (nothing happened there); when no answer came, `Unanswered.in_doubt` says whether it may have happened.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from voicebot import config, paths
from voicebot.errors import BadInput, MissingExtra, Unavailable

T = TypeVar("T")

SID: Final = "TWILIO_ACCOUNT_SID"
TOKEN: Final = "TWILIO_AUTH_TOKEN"  # noqa: S105 - the name of a setting, no secret
KEY, KEY_SECRET = "TWILIO_API_KEY", "TWILIO_API_SECRET"
API_URL: Final = "TWILIO_API_URL"
"""Another place for requests to api.twilio.com and its sisters: a proxy, or a double of Twilio's in tests."""
TIMEOUT_S: Final = 15.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SID = re.compile(r"AC[0-9a-f]{32}")
_WHAT_IS_NEEDED = (
    f"set {SID} and {TOKEN} in the environment or in .env of the project, as the start page of Twilio's console "
    "shows them (console.twilio.com)"
)
_REMEDIES: Final = {
    20003: f"Twilio does not accept the credentials: check {SID} and {TOKEN}",
    20005: "this account at Twilio is not active; Twilio's console says why",
    20008: "these are Twilio's test credentials, which cannot do this; use the live ones",
    21210: "the number that is to be shown to the called side is neither bought nor verified in this account",
    21219: "a trial account at Twilio calls verified numbers only: verify this one in the console, or upgrade",
    21404: "a trial account at Twilio has one number at most; upgrade it, or release the other number",
    21422: "this number cannot be had any more; search again",
    21631: "numbers of this country need an address: add one in Twilio's console (Phone Numbers, Addresses)",
    21649: "numbers of this country need a regulatory bundle: make one in Twilio's console (Phone Numbers, Regulatory)",
}
"""What to do about Twilio's commonest refusals; all others are said in Twilio's own words."""
_LATER = (20429, 10001)
"""Codes of refusals that are nobody's fault and may not be there later."""


_NEVER_SENT = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)
"""What goes wrong before a request has left."""


class Refused(BadInput):
    """Twilio has said no, and nothing has happened there."""

    def __init__(self, sentence: str, code: int = 0, status: int = 400) -> None:
        super().__init__(sentence)
        self.code = code
        """Twilio's: https://www.twilio.com/docs/api/errors."""
        self.status = status


class Unanswered(Unavailable):
    """Twilio has not answered, or not now."""

    def __init__(self, sentence: str, *, in_doubt: bool) -> None:
        super().__init__(sentence)
        self.in_doubt = in_doubt
        """Whether it may have been done: the request went out, and no answer came."""


class HasProject(Protocol):
    """The settings of a server, for one."""

    @property
    def project(self) -> Path: ...


@dataclass(frozen=True)
class Account:
    """One account, or a subaccount. Nothing is asked of Twilio before the first request."""

    sid: str
    """AC…"""
    user: str
    """With what it signs in: the account's SID, or that of an API key."""
    secret: SecretStr
    api_url: str = ""
    """'': Twilio itself."""

    @classmethod
    def from_settings(cls, settings: HasProject | None = None) -> Account:
        """Of the server's project; without settings, of the project here. Raises BadInput, which says what to set."""
        return cls.of_project(settings.project if settings else paths.project_root())

    @classmethod
    def of_project(cls, root: Path) -> Account:
        """From the environment and the project's .env. Raises BadInput."""
        sid, token, key, key_secret, url = (
            found.get_secret_value() if (found := config.key(name, root)) else ""
            for name in (SID, TOKEN, KEY, KEY_SECRET, API_URL)
        )
        if not sid or not (token or (key and key_secret)):
            raise BadInput(f"no account at Twilio: {_WHAT_IS_NEEDED}.")
        if not _SID.fullmatch(sid):
            raise BadInput(
                f"{SID} is no SID of an account: AC and 32 hexadecimal digits, as Twilio's console shows it."
            )
        user, secret = (key, key_secret) if key and key_secret else (sid, token.partition(",")[0].strip())
        return cls(sid, user, SecretStr(secret), _checked(url))

    @cached_property
    def client(self) -> Any:
        """`twilio.rest.Client`. It blocks, and belongs into a thread."""
        try:
            from twilio.rest import Client
        except ImportError as error:
            raise MissingExtra("The package twilio", "phone") from error
        return Client(
            self.user, self.secret.get_secret_value(), account_sid=self.sid, http_client=_Elsewhere(self.api_url)
        )

    async def ask(self, what: Callable[[Any], T], doing: str) -> T:
        """What the client says, asked in a thread. `doing` is for the error: 'call +15550100'.

        Raises Refused, Unanswered.
        """
        return await asyncio.to_thread(self.do, what, doing)

    def do(self, what: Callable[[Any], T], doing: str) -> T:
        """The same; returns when Twilio has answered."""
        from twilio.base.exceptions import TwilioException

        client = self.client
        try:
            return what(client)
        except TwilioException as error:
            raise _of_twilio(error, doing) from None
        except OSError as error:  # what the SDK's HTTP client raises, requests, are such
            raise _of_the_network(error, doing) from None


def _checked(url: str) -> str:
    """Raises BadInput: the account's token travels there."""
    parts = urlsplit(url)
    if url and not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
        raise BadInput(f"{API_URL} is no https:// address. The token of the account is sent there.")
    return url.rstrip("/")


class _Elsewhere:
    """The SDK's HTTP client, at another address."""

    is_async = False

    def __init__(self, api_url: str) -> None:
        from twilio.http.http_client import TwilioHttpClient

        self._http = TwilioHttpClient(timeout=TIMEOUT_S)  # never asks twice by itself: a call would be made twice
        self._place = urlsplit(api_url)

    def request(self, method: str, url: str, *rest: Any, **named: Any) -> Any:
        place, asked = self._place, urlsplit(url)
        if place.netloc:
            url = urlunsplit((place.scheme, place.netloc, f"{place.path}{asked.path}", asked.query, ""))
        return self._http.request(method, url, *rest, **named)


def _of_twilio(error: Exception, doing: str) -> Refused | Unanswered:
    """What the SDK raises, as one sentence: it knows three forms of errors, and none is made for a person."""
    status, code, words = _said(error)
    if status >= 500:
        return Unanswered(f"could not {doing}: Twilio is out of order (HTTP {status}).", in_doubt=True)
    if status == 429 or code in _LATER:
        return Unanswered(f"could not {doing}: Twilio takes no more requests right now (error {code}).", in_doubt=False)
    said = _REMEDIES.get(20003 if status == 401 else code) or words
    number = f" (Twilio's error {code})" if code and code != status else ""
    return Refused(f"could not {doing}: {said}{number}.", code, status or 400)


def _said(error: Exception) -> tuple[int, int, str]:
    """HTTP status, Twilio's code (0: it has none), and Twilio's words."""
    answer = next((each for each in error.args if hasattr(each, "status_code")), None)
    if answer is not None:  # of a list, only the answer itself is in the error
        body = _parsed(answer.text)
        return answer.status_code, int(body.get("code") or 0), _clean(body.get("message") or "")
    status, code = int(getattr(error, "status", 0) or 0), int(getattr(error, "code", 0) or 0)
    words = getattr(error, "detail", "") or getattr(error, "msg", "") or str(error)
    return status, code, _clean(re.sub(r"^Unable to \w+ record: ", "", str(words)))


def _parsed(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _clean(words: str) -> str:
    return "".join(each for each in str(words) if each.isprintable())[:300].rstrip(". ") or "Twilio does not say why"


def _of_the_network(error: OSError, doing: str) -> Unanswered:
    never_sent = any(isinstance(each, _NEVER_SENT) for each in _causes(error))
    why = "Twilio cannot be reached" if never_sent else "Twilio did not answer"
    return Unanswered(f"could not {doing}: {why} ({type(error).__name__}).", in_doubt=not never_sent)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it came from, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
