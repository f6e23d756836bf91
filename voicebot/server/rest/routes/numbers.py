"""Telephone numbers of the server's account at Twilio: search, buy, list, point and release.

Where there is no account, all of it is 409.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import JSONResponse, Response

from voicebot.errors import BadInput
from voicebot.server.agents import NAME, NoAgent
from voicebot.server.rest.access import Guarded, Here, needs
from voicebot.server.rest.problems import Problem, not_found
from voicebot.server.site import Site
from voicebot.telephony import e164
from voicebot.telephony.account import Account
from voicebot.telephony.numbers import MOST, Kind, NoNumber, Number, Numbers, Pointing, Wish, kind_of

router = APIRouter(prefix="/v1/phone", tags=["phone"], route_class=Guarded)

_STRICT = ConfigDict(extra="forbid")
_WEB = r"^https?://[^\s/]+(/\S*)?$"
E164 = Annotated[str, StringConstraints(pattern=e164.PATTERN), Field(examples=["+14155550100"])]
Which = Annotated[
    str,
    Path(pattern=rf"{e164.PATTERN}|^PN[0-9a-f]{{32}}$", description="E.164, or its SID.", examples=["+14155550100"]),
]
Digits = Annotated[str, Query(pattern=r"^[0-9]{0,6}$")]
Pattern = Annotated[str, Query(pattern=r"^[0-9A-Za-z*+]{0,20}$", description="Digits, keypad letters, * for any one.")]
Place = Annotated[str, Query(max_length=60)]
Confirm = Annotated[bool, Query(description="Without it, only what would be done is answered.")]


class Webhook(BaseModel):
    """Who answers a number."""

    model_config = _STRICT

    agent: str = Field(default="", pattern=rf"{NAME}|^$", examples=["ava"])
    """An agent of this server; without one the rules of its phone.yaml decide."""
    fallback_url: str = Field(default="", max_length=2000, pattern=rf"{_WEB}|^$")
    """Whom Twilio asks when this server fails; without one, the number keeps what it has."""


class Purchase(BaseModel):
    model_config = _STRICT

    number: E164
    webhook: Webhook | SkipJsonSchema[None] = None
    """Who answers it from then on; without it, nobody does yet."""


class OneNumber(BaseModel):
    """A number of the account."""

    number: str = Field(examples=["+14155550100"])
    sid: str
    name: str
    answered_by: str
    """The URL that Twilio asks, or the SIP trunk or TwiML application that is before it."""
    voice_url: str
    fallback_url: str
    status_callback: str


class NumberList(BaseModel):
    numbers: list[OneNumber]


class MonthlyPrice(BaseModel):
    monthly: str = Field(examples=["1.15"])
    currency: str = Field(examples=["USD"])


class Offered(BaseModel):
    """A number that can be bought."""

    number: str
    locality: str
    region: str
    country: str
    address_needed: bool
    """Whether the law there asks for an address of whoever has it."""


class OfferList(BaseModel):
    price: MonthlyPrice | None
    """Of each of them; null where Twilio does not say."""
    numbers: list[Offered]


class Bought(BaseModel):
    bought: bool
    """False without `confirm`: nothing has been done, and nothing has been paid."""
    price: MonthlyPrice | None
    number: str
    details: OneNumber | None = None


class Released(BaseModel):
    released: bool
    """False without `confirm`: nothing has been done."""
    details: OneNumber


def _numbers(site: Here) -> Numbers:
    """Raises Problem."""
    try:
        return Numbers(Account.from_settings(site.settings))
    except BadInput as error:
        raise Problem(409, "No telephone account", str(error)) from None


Account_ = Annotated[Numbers, Depends(_numbers)]


@router.get("/numbers", dependencies=[needs("phone:read")], summary="The account's numbers", responses={409: {}})
async def listed(numbers: Account_) -> NumberList:
    return NumberList(numbers=[_shown(each) for each in await numbers.list()])


@router.get(
    "/available", dependencies=[needs("phone:read")], summary="Numbers that can be bought", responses={409: {}, 422: {}}
)
async def available(
    numbers: Account_,
    country: Annotated[str, Query(pattern=r"^[A-Z]{2}$")] = "US",
    kind: Kind = "local",
    area_code: Digits = "",
    contains: Pattern = "",
    locality: Place = "",
    region: Place = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 20,
) -> OfferList:
    wish = Wish(country, kind, area_code, contains, locality, region, limit)
    offers = await numbers.search(wish)
    return OfferList(price=await _price(numbers, country, kind), numbers=[Offered(**asdict(each)) for each in offers])


@router.post(
    "/numbers",
    dependencies=[needs("phone:write")],
    summary="Buy a number",
    responses={
        200: {"model": Bought, "description": "What it would cost; nothing was bought"},
        201: {"model": Bought, "description": "Bought"},
        **{status: {} for status in (404, 409, 413, 415, 422)},
    },
)
async def buy(purchase: Purchase, site: Here, numbers: Account_, confirm: Confirm = False) -> Response:
    """It costs money, at once and every month: only with `confirm=true` is it bought."""
    where = await _pointing(site, purchase.webhook) if purchase.webhook else None
    price = await _price(numbers, e164.country_of(purchase.number), kind_of(purchase.number))
    answer = Bought(bought=False, price=price, number=purchase.number)
    if not confirm:
        return JSONResponse(answer.model_dump())
    mine = await numbers.buy(purchase.number, where)
    return JSONResponse(answer.model_copy(update={"bought": True, "details": _shown(mine)}).model_dump(), 201)


@router.put(
    "/numbers/{number}/webhook",
    dependencies=[needs("phone:write")],
    summary="Have a number answered here",
    responses={status: {} for status in (404, 409, 413, 415, 422)},
)
async def point(number: Which, webhook: Webhook, site: Here, numbers: Account_) -> OneNumber:
    """By this server, at the address that it was started with (`--public-url`): 409 when it does not know one. A SIP
    trunk or TwiML application that the number had is taken off it."""
    where = await _pointing(site, webhook)
    return _shown(await numbers.point(await _found(numbers, number), where))


@router.delete(
    "/numbers/{number}",
    dependencies=[needs("phone:write")],
    summary="Release a number",
    responses={404: {}, 409: {}, 422: {}},
)
async def release(number: Which, numbers: Account_, confirm: Confirm = False) -> Released:
    """Somebody else may have it soon: only with `confirm=true` is it given back."""
    mine = await _found(numbers, number)
    if confirm:
        await numbers.release(mine)
    return Released(released=confirm, details=_shown(mine))


async def _found(numbers: Numbers, which: str) -> Number:
    try:
        return await numbers.find(which)
    except NoNumber:
        raise not_found(f"The account has no number '{which}'.") from None


async def _price(numbers: Numbers, country: str, kind: Kind) -> MonthlyPrice | None:
    price = await numbers.price(country, kind) if country else None
    return MonthlyPrice(monthly=price.monthly, currency=price.currency) if price else None


async def _pointing(site: Site, webhook: Webhook) -> Pointing:
    """Raises Problem."""
    if not site.address.url:
        detail = "This server does not know where Twilio reaches it: it was started without --public-url."
        raise Problem(409, "No public address", detail)
    if webhook.agent:
        try:
            await site.agents.entry(webhook.agent)
        except NoAgent:
            raise not_found(f"There is no agent '{webhook.agent}'.") from None
    return Pointing.to(site.address.url, webhook.agent, webhook.fallback_url)


def _shown(number: Number) -> OneNumber:
    at = number.pointing
    return OneNumber(
        number=number.number,
        sid=number.sid,
        name=number.name,
        answered_by=number.answered_by,
        voice_url=at.voice_url,
        fallback_url=at.voice_fallback_url,
        status_callback=at.status_callback,
    )
