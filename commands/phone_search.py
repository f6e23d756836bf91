"""`voicebot phone numbers search`: which numbers can be bought."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from .options import Json, NoColor, Project, Quiet
from .phone_account import with_numbers


def search(
    country: Annotated[str, typer.Option("--country", metavar="CODE", help="As US, GB, DE.")] = "US",
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="local, mobile or toll-free.")] = "local",
    area_code: Annotated[str, typer.Option("--area-code", metavar="DIGITS", help="In the US and Canada.")] = "",
    contains: Annotated[
        str, typer.Option("--contains", metavar="PATTERN", help="Digits, letters of a keypad, * for any one.")
    ] = "",
    locality: Annotated[str, typer.Option("--locality", metavar="TOWN", help="As 'San Francisco'.")] = "",
    region: Annotated[str, typer.Option("--region", metavar="CODE", help="State or province, as CA.")] = "",
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=1000, help="So many at most.")] = 20,
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Numbers that can be bought, and what one costs a month; --quiet prints the numbers alone.

    \b
    Examples:
      voicebot phone numbers search --area-code 415
      voicebot phone numbers search --country GB --kind mobile --limit 5
      voicebot phone numbers search --contains "*TAXI"
    """
    from dataclasses import asdict

    from voicebot.errors import BadInput, did_you_mean
    from voicebot.telephony.numbers import KINDS, Kind, Numbers, Offer, Price, Wish

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    if kind not in KINDS:
        raise BadInput(f"--kind: there are no '{kind}' numbers.{did_you_mean(kind, KINDS)}")
    chosen: Kind = next(each for each in get_args(Kind) if each == kind)
    wish = Wish(country, chosen, area_code, contains, locality, region, limit)

    async def found(numbers: Numbers) -> tuple[list[Offer], Price | None]:
        return await numbers.search(wish), await numbers.price(country, chosen)

    offers, price = with_numbers(project, found)
    if as_json:
        screen.json({"price": asdict(price) if price else None, "numbers": [asdict(offer) for offer in offers]})
        return
    if quiet:
        for offer in offers:
            screen.data(offer.number)
        return
    rows = [
        (each.number, ", ".join(filter(None, (each.locality, each.region))), "needs an address" * each.address_needed)
        for each in offers
    ]
    screen.table(("number", "where", ""), rows)
    if offers:
        screen.talk(
            f"\neach costs {price or 'what Twilio says'}. Buy one: voicebot phone numbers buy {offers[0].number}"
        )
    else:
        screen.talk("there is none like that. Ask for less: another area code, or fewer digits.")
