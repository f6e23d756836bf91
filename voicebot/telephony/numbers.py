"""Telephone numbers of an account: which there are to be had, what they cost, and who answers them.

    numbers = Numbers(account)
    offers = await numbers.search(Wish(country="US", area_code="415"))
    mine = await numbers.find("+14155550100")
    await numbers.point(mine, Pointing.to("https://voice.example.com", "ava"))

https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource. Buying costs money at once and every month;
whoever offers that to a person asks first, with `price`.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, Self

import phonenumbers
from phonenumbers import PhoneNumberType

from voicebot.errors import BadInput
from voicebot.telephony import e164
from voicebot.telephony.account import Account, Refused

Kind = Literal["local", "mobile", "toll-free"]
KINDS: Final[tuple[Kind, ...]] = ("local", "mobile", "toll-free")
VOICE, STATUS = "/twilio/voice", "/twilio/status"
MOST: Final = 100
_SHOWN = 5
_RESOURCES: Final = {"local": "local", "mobile": "mobile", "toll-free": "toll_free"}
_SID = re.compile(r"PN[0-9a-f]{32}")
NOT_FOUND: Final = 20404
"""Twilio's code for what is not there."""


class NoNumber(BadInput):
    """The account has no such number."""


@dataclass(frozen=True)
class Pointing:
    """Who is asked what to do with a call to a number, and who is told how it went. '' is nobody."""

    voice_url: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    """Who is asked when the first one fails."""
    voice_fallback_method: str = "POST"
    status_callback: str = ""
    status_callback_method: str = "POST"
    voice_application_sid: str = ""
    """Of a TwiML application: with one, Twilio ignores the URLs of voice above."""
    trunk_sid: str = ""
    """Of a SIP trunk: with one, Twilio ignores all the others."""

    @classmethod
    def to(cls, server: str, agent: str = "", fallback: str = "") -> Self:
        """A server of ours, as Twilio reaches it (https://…): an agent there, or else the rules of its phone.yaml."""
        server = server.rstrip("/")
        voice = f"{server}{VOICE}/{agent}" if agent else f"{server}{VOICE}"
        return cls(voice_url=voice, voice_fallback_url=fallback, status_callback=f"{server}{STATUS}")

    def with_fallback_of(self, other: Pointing) -> Pointing:
        """Who is asked in need is who `other` says."""
        return replace(
            self, voice_fallback_url=other.voice_fallback_url, voice_fallback_method=other.voice_fallback_method
        )


@dataclass(frozen=True)
class Number:
    """One of the account's."""

    sid: str
    """PN…"""
    number: str
    """E.164."""
    name: str
    voice: bool
    """Whether it can be called at all."""
    pointing: Pointing

    @property
    def answered_by(self) -> str:
        """Where calls to it go, in a word or a URL."""
        at = self.pointing
        if at.trunk_sid:
            return f"the SIP trunk {at.trunk_sid}"
        if at.voice_application_sid:
            return f"the TwiML application {at.voice_application_sid}"
        return at.voice_url


@dataclass(frozen=True)
class Wish:
    """Which number is looked for."""

    country: str = "US"
    kind: Kind = "local"
    area_code: str = ""
    contains: str = ""
    """Digits, letters of a keypad, and * for any one: '415*', 'TAXI'."""
    locality: str = ""
    region: str = ""
    """A state or province, as CA."""
    limit: int = 20


@dataclass(frozen=True)
class Offer:
    """A number that can be bought."""

    number: str
    locality: str
    region: str
    country: str
    address_needed: bool
    """Whether the law there asks for an address of whoever has it."""


@dataclass(frozen=True)
class Price:
    """Of a number, for a month. What its calls cost comes on top."""

    monthly: str
    """A decimal number; as text, so that it stays what Twilio says."""
    currency: str

    def __str__(self) -> str:
        return f"{self.monthly} {self.currency} a month"


class Numbers:
    """Of one account. Everything raises Refused or Unanswered."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def search(self, wish: Wish) -> list[Offer]:
        """What is to be had, `wish.limit` at most."""
        country, kind = _country(wish.country), _RESOURCES[wish.kind]
        like = {
            "area_code": wish.area_code,
            "contains": wish.contains,
            "in_locality": wish.locality,
            "in_region": wish.region,
        }
        asked: dict[str, Any] = {name: value for name, value in like.items() if value}
        asked |= {"voice_enabled": True, "limit": wish.limit, "page_size": min(wish.limit, MOST)}
        try:
            found = await self._account.ask(
                lambda client: getattr(client.available_phone_numbers(country), kind).list(**asked),
                f"search {wish.kind} numbers in {country}",
            )
        except Refused as refused:
            if refused.code != NOT_FOUND:
                raise
            raise BadInput(
                f"Twilio has no {wish.kind} numbers in {country}. Try another --kind or --country."
            ) from None
        return [_offer(each) for each in found]

    async def price(self, country: str, kind: Kind = "local") -> Price | None:
        """None where Twilio does not say."""
        country = _country(country)
        try:
            found = await self._account.ask(
                lambda client: client.pricing.v1.phone_numbers.countries(country).fetch(), "read Twilio's prices"
            )
        except Refused:
            return None
        wanted = kind.replace("-", " ")
        prices = [each["current_price"] for each in found.phone_number_prices if each["number_type"] == wanted]
        return Price(str(prices[0]), str(found.price_unit)) if prices else None

    async def list(self) -> list[Number]:
        """All of the account, by number."""
        found = await self._account.ask(lambda client: client.incoming_phone_numbers.list(), "list the numbers")
        return sorted((_number(each) for each in found), key=lambda each: each.number)

    async def find(self, which: str) -> Number:
        """By number, SID or name. Raises NoNumber when there is none."""
        if _SID.fullmatch(which):
            return await self._of_sid(which)
        wanted = e164.e164(which) if which.strip().startswith("+") else which
        mine = await self.list()
        found = [each for each in mine if wanted in (each.number, each.name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise BadInput(f"{len(found)} numbers are called '{which}': name one as +14155550100.")
        if not mine:
            raise BadInput("this account at Twilio has no number yet. Find one: voicebot phone numbers search")
        raise NoNumber(f"this account at Twilio has no number '{which}'.{_known(mine)}")

    async def _of_sid(self, sid: str) -> Number:
        """Raises NoNumber."""
        try:
            return await self.fetch(sid)
        except Refused as refused:
            if refused.code != NOT_FOUND:
                raise
            raise NoNumber(f"this account at Twilio has no number with the SID {sid}.") from None

    async def fetch(self, sid: str) -> Number:
        """As it is now. Raises Refused with code 20404 when it is not there any more."""
        return _number(
            await self._account.ask(lambda client: client.incoming_phone_numbers(sid).fetch(), f"read the number {sid}")
        )

    async def buy(self, number: str, pointing: Pointing | None = None) -> Number:
        """It costs money, at once."""
        wanted = e164.e164(number)
        asked = {name: value for name, value in asdict(pointing or Pointing()).items() if value} if pointing else {}
        return _number(
            await self._account.ask(
                lambda client: client.incoming_phone_numbers.create(phone_number=wanted, **asked), f"buy {wanted}"
            )
        )

    async def point(self, number: Number, pointing: Pointing) -> Number:
        """Have calls to it go there from now on. Without a fallback, the one that it has stays."""
        if not pointing.voice_fallback_url:
            pointing = pointing.with_fallback_of(number.pointing)
        return await self.change(number, asdict(pointing))

    async def change(self, number: Number, fields: dict[str, str]) -> Number:
        """Only these fields of its `Pointing`."""
        return _number(
            await self._account.ask(
                lambda client: client.incoming_phone_numbers(number.sid).update(**fields), f"point {number.number}"
            )
        )

    async def release(self, number: Number) -> None:
        """Give it back to Twilio. It may be somebody else's soon."""
        await self._account.ask(
            lambda client: client.incoming_phone_numbers(number.sid).delete(), f"release {number.number}"
        )


def _known(numbers: list[Number]) -> str:
    """Numbers differ by a digit: none of them is what another one was meant to be."""
    return f" It has {', '.join(each.number for each in numbers[:_SHOWN])}{', …' * (len(numbers) > _SHOWN)}."


def kind_of(number: str) -> Kind:
    """Which kind an E.164 number is, as far as it can be seen: in some countries any may be a mobile one."""
    kinds: dict[int, Kind] = {PhoneNumberType.TOLL_FREE: "toll-free", PhoneNumberType.MOBILE: "mobile"}
    return kinds.get(phonenumbers.number_type(phonenumbers.parse(number)), "local")


def _country(code: str) -> str:
    """Raises BadInput."""
    if (wanted := code.strip().upper()) in e164.countries():
        return wanted
    raise BadInput(f"'{code}' is no code of a country. Write it as US, GB or DE.")


def _number(record: Any) -> Number:
    return Number(
        sid=str(record.sid),
        number=str(record.phone_number),
        name=str(record.friendly_name or ""),
        voice=bool((record.capabilities or {}).get("voice", True)),
        pointing=Pointing(**{name: str(getattr(record, name) or "") for name in asdict(Pointing())}),
    )


def _offer(record: Any) -> Offer:
    return Offer(
        number=str(record.phone_number),
        locality=str(record.locality or ""),
        region=str(record.region or ""),
        country=str(record.iso_country or ""),
        address_needed=str(record.address_requirements or "none") != "none",
    )
