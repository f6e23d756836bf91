"""`voicebot phone numbers buy`: a number becomes yours, with --yes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, NoColor, Project, Quiet
from .phone_account import Fallback, Url, Yes, facts, pointing, with_numbers


def buy(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="As the search shows it: +14155550100.")],
    agent: Annotated[str, typer.Option("--agent", "-a", metavar="AGENT", help="Who answers it from now on.")] = "",
    url: Url = "",
    fallback: Fallback = "",
    yes: Yes = False,
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Buy a number. Without --yes nothing is bought: what it would cost is shown.

    \b
    Examples:
      voicebot phone numbers buy +14155550100
      voicebot phone numbers buy +14155550100 --agent ava --url https://voice.example.com --yes
    """
    from dataclasses import asdict

    from voicebot.telephony import e164
    from voicebot.telephony.numbers import Number, Numbers, Price, kind_of

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    wanted = e164.e164(number)
    where = pointing(project, agent, url, fallback) if agent or url else None

    async def bought(numbers: Numbers) -> tuple[Price | None, Number | None]:
        price = await numbers.price(e164.country_of(wanted), kind_of(wanted))
        return price, await numbers.buy(wanted, where) if yes else None

    price, mine = with_numbers(project, bought)
    if as_json:
        done = {"bought": mine is not None, "price": asdict(price) if price else None}
        screen.json(done | (facts(mine) if mine else {"number": wanted}))
    elif mine is None:
        answers = f", answered by {where.voice_url}" if where else ""
        screen.talk(f"{wanted} would cost {price or 'what Twilio says'}, the first month at once{answers}.")
        screen.talk("nothing was bought. Buy it: the same with --yes")
    else:
        screen.data(mine.number)
        screen.talk(f"{mine.number} is yours, for {price or 'what Twilio says'}; answered by {mine.answered_by or '-'}")
        if where is None:
            screen.talk(f"have an agent answer it: voicebot phone dev AGENT --number {mine.number}")
