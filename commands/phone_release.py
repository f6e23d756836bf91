"""`voicebot phone numbers release`: a number is given back to Twilio, with --yes."""

from __future__ import annotations

from pathlib import Path

from .options import Json, NoColor, Project, Quiet
from .phone_account import Which, Yes, facts, with_numbers


def release(
    number: Which,
    yes: Yes = False,
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Give a number back: it costs nothing any more, and somebody else may have it soon. Without --yes nothing is done.

    \b
    Examples:
      voicebot phone numbers release +14155550100
      voicebot phone numbers release +14155550100 --yes
    """
    from voicebot.telephony.numbers import Number, Numbers

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)

    async def released(numbers: Numbers) -> Number:
        found = await numbers.find(number)
        if yes:
            await numbers.release(found)
        return found

    gone = with_numbers(project, released)
    if as_json:
        screen.json(facts(gone) | {"released": yes})
    elif yes:
        screen.talk(f"{gone.number} is not yours any more.")
    else:
        screen.talk(f"{gone.number} ({gone.name}), answered by {gone.answered_by or 'nobody'}, would be given back.")
        screen.talk("nothing was done. Release it for good: the same with --yes")
