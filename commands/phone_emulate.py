"""`voicebot phone dev --emulate`: a simulated caller phones the agent, over the real telephone path of the server."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from voicebot import paths
from voicebot.errors import Unavailable
from voicebot.personas.casting import Casting, in_role
from voicebot.personas.kinds import CallerKind, Rules
from voicebot.personas.persona import Persona
from voicebot.personas.phoning import phone, telephoning
from voicebot.personas.role import Role
from voicebot.server.processes import alone, slot
from voicebot.server.processes.doorway import listen
from voicebot.server.processes.serving import parts_named
from voicebot.server.settings import Settings
from voicebot.telephony.account import TOKEN
from voicebot.telephony.emulated import Network, Told
from voicebot.telephony.numbers import VOICE

from . import demo_calls, demo_matter, phone_screen
from .terminal import Screen

if TYPE_CHECKING:
    from pydantic import SecretStr

    from voicebot.server.state import CallRow


def emulated(screen: Screen, agent: Path, persona: str | None, seed: int, port: int, *, as_json: bool) -> None:
    """One call. Raises BadInput, Unavailable; the latter also when the call has failed."""
    from pydantic import SecretStr

    root = paths.root_of(agent)
    cast = _cast(agent, demo_calls.callers(root, persona)[0], seed, root)
    calls = phone_screen.Calls(screen, as_json=as_json)
    token = SecretStr(secrets.token_hex(16))
    os.environ[TOKEN] = token.get_secret_value()  # for this run: what this network signs is checked like Twilio's
    phone_screen.warn_of(screen)
    told = asyncio.run(_called(screen, calls, agent, cast, token, port))
    for sentence in told.said:
        screen.talk(f"the telephone network said: {sentence}")
    for number in told.dialled:
        screen.talk(f"the caller would be put through to {number} now.")
    if calls.failed or not told.streams:
        raise Unavailable(f"the call failed: {calls.failed or 'the agent did not answer'}")


def _cast(agent: Path, persona: Persona, seed: int, root: Path) -> Casting:
    """The caller, in the role of the scenario that fits the agent, as in `voicebot demo`."""
    role: Role | None = None
    kind: CallerKind = Rules()
    line = None
    if scenario := demo_matter.matter(agent, persona):
        planned = demo_matter.planned(scenario, persona, root, seed)
        role, kind, line = planned.role, planned.kind, planned.line
    return Casting(in_role(persona, role, kind, root), kind, line, seed, root, date.today())


async def _called(
    screen: Screen, calls: phone_screen.Calls, agent: Path, cast: Casting, token: SecretStr, port: int
) -> Told:
    with listen("127.0.0.1", port) as listening:
        port = listening.getsockname()[1]
        webhook, server = f"{VOICE}/{agent.stem}", f"http://127.0.0.1:{port}"
        try:
            async with AsyncExitStack() as stack:
                with screen.waiting("getting ready ..."):
                    side = await telephoning(cast)

                    def watch(row: CallRow) -> Sequence[phone_screen.Face]:
                        return [*calls.watch(row), side.caller.hear]

                    parts = parts_named(os.environ.get("VOICEBOT_PARTS", ""))
                    settings = Settings(project=paths.root_of(agent), port=port)
                    settings = await stack.enter_async_context(slot.named(settings))
                    await stack.enter_async_context(alone.serving(settings, listening, watch, parts))
                screen.talk(f"{cast.persona.name} phones {agent.stem}: {server}{webhook}\n", "dim")
                return await phone(side, Network(server, token), webhook)
        finally:
            calls.close()
