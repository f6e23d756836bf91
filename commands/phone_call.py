"""`voicebot phone call`: an agent calls somebody."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import AgentFile, Json, NoColor, Project, Quiet
from .phone_outbound import From, Port, Server, Url

if TYPE_CHECKING:
    from voicebot.telephony.batch.rest import Rest, Seen

    from .terminal import Screen

_LOOK_S = 0.5
_SAID = {
    "answered": "answered",
    "voicemail": "an answering machine",
    "busy": "busy",
    "no_answer": "nobody answered",
    "canceled": "canceled",
    "failed": "not reached",
    "lost": "lost: the server died during the call",
    "in_doubt": "in doubt: Twilio does not say whether it was made; it is not made again",
}


def call(
    to: Annotated[str, typer.Argument(metavar="NUMBER", help="Whom to call, as +12025550123.")],
    agent: AgentFile = None,
    vars_: Annotated[
        list[str], typer.Option("--vars", metavar="NAME=VALUE", help="What {{NAME}} stands for; may be repeated.")
    ] = [],  # noqa: B006 - Typer reads it and copies it
    from_: From = "",
    at_any_hour: Annotated[bool, typer.Option("--at-any-hour", help="Also in quiet hours.")] = False,
    retries: Annotated[int, typer.Option("--retries", min=0, max=10, help="When busy, or nobody answers.")] = 0,
    retry_after: Annotated[str, typer.Option("--retry-after", metavar="TIME", help="As 90s, 30m; 30m.")] = "30m",
    server: Server = "",
    url: Url = "",
    port: Port = 0,
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Have an agent call a number, and watch the call. The number it comes from stands in phone.yaml (outbound).

    Without --server there is a server for as long as the command runs, and a tunnel to it; with it, a running
    'voicebot serve' makes the call, and VOICEBOT_API_KEY is a key of it (calls:write, calls:read).

    Exit code 0: somebody, or their answering machine, has answered; 1: nobody has.

    \b
    Examples:
      voicebot phone call +12025550123 --agent ava
      voicebot phone call +12025550123 --agent ava --vars name=Maria --vars date=Tuesday
      voicebot phone call +12025550123 --agent ava --server https://voice.example.com --json
    """
    import asyncio

    from voicebot import paths
    from voicebot.agent import find_agent
    from voicebot.errors import EXIT_FAILED, EXIT_UNAVAILABLE
    from voicebot.telephony.e164 import e164

    from . import phone_outbound
    from .terminal import Screen

    screen = Screen(quiet=quiet or as_json, no_color=no_color)
    phone_outbound.check(server, url, port)
    root = paths.project_root(project)
    who = agent if server and agent else find_agent(agent).stem
    wanted = {"from_": from_, "parameters": variables(vars_), "at_any_hour": at_any_hour}
    tries = _Tries(screen, e164(to), who, wanted, retries, seconds("--retry-after", retry_after))

    async def called() -> Seen:
        async with phone_outbound.making(screen, root, server, url, port, lambda row: ()) as rest:
            return await tries.run(rest)

    seen = asyncio.run(called())
    if as_json:
        screen.json({**seen.model_dump(), "outcome": seen.outcome})
    if seen.outcome in ("lost", "in_doubt"):
        raise typer.Exit(EXIT_UNAVAILABLE)
    if seen.outcome not in ("answered", "voicemail"):
        raise typer.Exit(EXIT_FAILED)


def variables(pairs: list[str]) -> dict[str, str]:
    """Of --vars. Raises BadInput."""
    from voicebot.errors import BadInput

    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise BadInput(f"--vars: '{pair}' is no variable. Write it as name=Maria.")
        found[name] = value
    return found


def seconds(option: str, text: str) -> float:
    """'90s', '30m', '2h'. Raises BadInput."""
    from voicebot.errors import BadInput

    found = re.fullmatch(r"(\d{1,6})\s*([smh])", text.strip())
    if found is None:
        raise BadInput(f"{option}: '{text}' is no time. Write it as 90s, 30m or 2h.")
    return int(found[1]) * {"s": 1.0, "m": 60.0, "h": 3600.0}[found[2]]


class _Tries:
    """One number, called until somebody answers or it was tried often enough."""

    def __init__(
        self, screen: Screen, to: str, agent: str, wanted: dict[str, Any], retries: int, after_s: float
    ) -> None:
        self._screen = screen
        self._to = to
        self._agent = agent
        self._wanted = wanted
        self._retries = retries
        self._after_s = after_s

    async def run(self, rest: Rest) -> Seen:
        """The last call. Raises BadInput, Unavailable when it cannot be made."""
        import asyncio

        for left in range(self._retries, -1, -1):
            seen = await self._once(rest)
            self._screen.talk(f"{self._to}: {_SAID.get(seen.outcome, seen.outcome)}{_why(seen)}")
            if left == 0 or seen.outcome not in ("busy", "no_answer"):
                break
            self._screen.talk(f"once more in {self._after_s:g} s", "dim")
            await asyncio.sleep(self._after_s)
        return seen

    async def _once(self, rest: Rest) -> Seen:
        import asyncio

        from voicebot.call.opening import new_id
        from voicebot.errors import BadInput, Unavailable
        from voicebot.telephony.batch.rest import Later, NotMade

        call_id = new_id()
        try:
            seen = await rest.call(self._agent, self._to, call_id=call_id, **self._wanted)
            self._screen.talk(f"calling {self._to} ({call_id})", "dim")
            while not seen.over:
                if seen.state == "live":
                    await self._show(rest, call_id)
                await asyncio.sleep(_LOOK_S)
                seen = await rest.look(call_id)
        except NotMade as refused:
            raise BadInput(_sentence(refused)) from None
        except Later as away:
            raise Unavailable(_sentence(away)) from None
        return seen

    async def _show(self, rest: Rest, call_id: str) -> None:
        """The conversation, while it goes on."""
        from voicebot import events
        from voicebot.server.state import CallRow

        from . import phone_screen

        if self._screen.quiet:
            return
        calls = phone_screen.Calls(self._screen)
        faces = calls.watch(CallRow(call_id, self._agent, "twilio"))
        try:
            async for line in rest.events(call_id):
                event = events.parse(line)
                for face in faces:
                    face(event)
        finally:
            calls.close()


def _why(seen: Seen) -> str:
    return f" ({seen.detail})" if seen.detail else ""


def _sentence(error: Exception) -> str:
    text = str(error)
    return text if text.endswith((".", "?", "!")) else f"{text}."
