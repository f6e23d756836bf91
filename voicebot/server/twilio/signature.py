"""Whether a request is Twilio's, and at which address Twilio knows this server.

Twilio signs the URL it was told to ask for, together with the form it posts, with the auth token of the account:
https://www.twilio.com/docs/usage/webhooks/webhooks-security. A server behind a proxy does not see that URL. Where
`public_url` does not say it, the addresses that the request could have been sent to are tried: the one that the
signature fits is the true one, whoever wrote the headers it was taken from.

An upgrade to a websocket is signed in the same way, over its wss:// URL without parameters, and so with the same
signature every time: it proves that Twilio asks, not for which call. That is what the ticket in the stream proves.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from loguru import logger
from starlette.datastructures import ImmutableMultiDict

from voicebot import config
from voicebot.errors import MissingExtra
from voicebot.server.address import Address
from voicebot.server.settings import Settings

try:
    from twilio import request_validator as sdk
except ImportError as error:
    raise MissingExtra("The package twilio", "server") from error

SETTING = "TWILIO_AUTH_TOKEN"
_ALGORITHMS = (sdk.HMAC_SHA1, sdk.HMAC_SHA256)
_HOST = re.compile(r"(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>\d{1,5}))?")
_MOST_TOKENS = 4
_WARN_S = 60.0

Form = ImmutableMultiDict[str, str]


class Unsigned(Exception):
    """The request is not known to be Twilio's. The sentence is for whoever runs the server, not for whoever asks."""


@dataclass(frozen=True)
class Asked:
    """What the signature of a request covers, and where to find it."""

    target: str
    """Path and query, as they were sent."""
    headers: Mapping[str, str]
    """Names in any case."""
    form: Form = field(default_factory=Form)
    """What was posted."""

    def header(self, name: str) -> str:
        """'' as well for one that was sent twice: nobody knows which was meant."""
        try:
            return self.headers.get(name, "")
        except LookupError:
            return ""


class Signatures:
    """Checks them. The tokens are read anew each time, so that they can be changed while the server runs."""

    def __init__(self, settings: Settings, address: Address | None = None) -> None:
        """`address`: where that changes while the server runs."""
        self._settings = settings
        self._address = address or Address(settings.public_url)
        self._next_warning_s = 0.0

    def base(self, asked: Asked) -> str:
        """The server's address as Twilio knows it: 'https://voice.example.com'. Raises Unsigned."""
        return self._proven(asked, websocket=False)

    def base_of_upgrade(self, asked: Asked) -> str:
        """The same for a websocket: 'https://voice.example.com'. Raises Unsigned."""
        return self._proven(asked, websocket=True)

    def _proven(self, asked: Asked, *, websocket: bool) -> str:
        bases = list(self._bases(asked))
        if not self._settings.signatures:
            return bases[0] if bases else ""
        try:
            return self._fitting(asked, bases, websocket=websocket)
        except Unsigned as unsigned:
            self._warn(f"a request for {asked.target.partition('?')[0]!r} was refused: {unsigned}")
            raise

    def _fitting(self, asked: Asked, bases: list[str], *, websocket: bool) -> str:
        signature = asked.header(sdk.SIGNATURE_HEADER)
        algorithm = sdk.get_signature_algorithm(asked.header(sdk.SIGNATURE_SETTINGS_HEADER)).upper()
        validators = self._validators()
        if not signature or algorithm not in _ALGORITHMS:
            raise Unsigned(f"it has no {sdk.SIGNATURE_HEADER}")
        for base in bases:
            for url in _upgraded(base + asked.target) if websocket else (base + asked.target,):
                if any(each.validate(url, asked.form, signature, algorithm) for each in validators):
                    return base
        tried = ", ".join(bases) or "an address nobody could have asked for"
        raise Unsigned(f"its signature fits {SETTING} at none of {tried}. Set --public-url to the address Twilio uses")

    def _validators(self) -> list[sdk.RequestValidator]:
        """Twilio signs with the first token of an account; while it is being exchanged, the second may be the first."""
        tokens = config.key(SETTING, self._settings.project)
        if tokens is None:
            raise Unsigned(
                f"set {SETTING} in the environment or in .env of the project, as the Twilio console shows it"
            )
        each = [token.strip() for token in tokens.get_secret_value().split(",")]
        return [sdk.RequestValidator(token) for token in each if token][:_MOST_TOKENS]

    def _bases(self, asked: Asked) -> Iterator[str]:
        """Where this server may be, the likeliest first."""
        if self._address.url:
            yield self._address.url.rstrip("/")
            return
        likely = _first(asked.header("x-forwarded-proto")).lower()
        schemes = ("https", "http") if likely == "https" else ("http", "https")
        hosts = (_first(asked.header("x-forwarded-host")), asked.header("host"))
        for host in dict.fromkeys(host for host in hosts if _is_host(host)):
            yield from (f"{scheme}://{host}" for scheme in schemes)

    def _warn(self, sentence: str) -> None:
        """Not for each of a thousand probes."""
        if (now_s := time.monotonic()) >= self._next_warning_s:
            self._next_warning_s = now_s + _WARN_S
            logger.warning(sentence)


def websocket_url(url: str) -> str:
    """'wss://…' for 'https://…'."""
    return "ws" + url.removeprefix("http")


def _upgraded(url: str) -> tuple[str, str]:
    """Twilio's documentation says that a slash may have to be thought of behind the path of a stream."""
    url = websocket_url(url)
    return url, f"{url}/"


def _first(value: str) -> str:
    """Of a list that grew from proxy to proxy, what the first one was asked for."""
    return value.partition(",")[0].strip()


def _is_host(text: str) -> bool:
    host = _HOST.fullmatch(text)
    return host is not None and int(host["port"] or 0) < 2**16
