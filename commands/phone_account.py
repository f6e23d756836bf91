"""The account that `voicebot phone` works with, and how its numbers are shown."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from voicebot.telephony.numbers import Number, Numbers, Pointing

T = TypeVar("T")

Which = Annotated[str, typer.Argument(metavar="NUMBER", help="As +14155550100, or its name at Twilio.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Really do it.")]
Url = Annotated[
    str,
    typer.Option(
        "--url", metavar="URL", envvar="VOICEBOT_PUBLIC_URL", show_envvar=False, help="Where Twilio reaches the server."
    ),
]
Fallback = Annotated[
    str,
    typer.Option("--fallback", metavar="URL", help="Whom Twilio asks when the server fails; it answers with TwiML."),
]


def with_numbers(project: Path, use: Callable[[Numbers], Awaitable[T]]) -> T:
    """What `use` returns for the numbers of the project's account. Raises BadInput, Unavailable."""
    import asyncio

    from voicebot import paths
    from voicebot.telephony.account import Account
    from voicebot.telephony.numbers import Numbers

    numbers = Numbers(Account.of_project(paths.project_root(project)))

    async def used() -> T:
        return await use(numbers)

    return asyncio.run(used())


def pointing(project: Path, agent: str, url: str, fallback: str) -> Pointing:
    """To a server of ours. Raises BadInput for an agent that is not there, and for what is no address."""
    from voicebot import paths
    from voicebot.errors import BadInput, did_you_mean
    from voicebot.telephony.numbers import Pointing

    if not url:
        raise BadInput("where does Twilio reach the server? Say it with --url https://voice.example.com")
    for option, address in (("--url", url), ("--fallback", fallback)):
        if address and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", address):
            raise BadInput(f"{option}: '{address}' is no web address. Write it as https://voice.example.com.")
    known = [file.stem for file in paths.agent_files(paths.project_root(project))]
    if agent and known and agent not in known:
        raise BadInput(f"no agent '{agent}' in this project.{did_you_mean(agent, known)}")
    return Pointing.to(url, agent, fallback)


def facts(number: Number) -> dict[str, Any]:
    """For --json."""
    return {
        "number": number.number,
        "sid": number.sid,
        "name": number.name,
        "answered_by": number.answered_by,
        **asdict(number.pointing),
    }
