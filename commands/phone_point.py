"""`voicebot phone numbers point`: who answers a number."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, NoColor, Project, Quiet
from .phone_account import Fallback, Url, Which, facts, pointing, with_numbers


def point(
    number: Which,
    agent: Annotated[
        str, typer.Argument(metavar="[AGENT]", help="Who answers; without it, the rules of phone.yaml decide.")
    ] = "",
    url: Url = "",
    fallback: Fallback = "",
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Have a number answered by a server of yours: voice webhook, status callback and, on request, fallback.

    A SIP trunk or TwiML application that the number had is taken off it: Twilio would not ask the server otherwise.
    What it was before is shown, so that it can be put back.

    \b
    Examples:
      voicebot phone numbers point +14155550100 ava --url https://voice.example.com
      voicebot phone numbers point +14155550100 --url https://voice.example.com    # as phone.yaml says
    """
    from voicebot.telephony.numbers import Number, Numbers

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    where = pointing(project, agent, url, fallback)

    async def pointed(numbers: Numbers) -> tuple[Number, Number]:
        was = await numbers.find(number)
        return was, await numbers.point(was, where)

    was, now = with_numbers(project, pointed)
    if as_json:
        screen.json(facts(now) | {"was": facts(was)})
        return
    screen.data(f"{now.number} is answered by {now.answered_by}")
    screen.talk(f"before, it was {was.answered_by or 'nobody'}; calls under way go on as they were.")
