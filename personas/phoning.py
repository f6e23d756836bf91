"""A simulated caller on a telephone: their call goes through webhooks and a Media Stream, as every telephone call does.

side = await telephoning(casting)
server.desk.watch = lambda row: [side.caller.hear]      # callers react to the events of their call
told = await phone(side, network, "/twilio/voice/ava")
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from .casting import Casting, Side, speaking

if TYPE_CHECKING:
    from voicebot.telephony.emulated import Network, Told

RATE_HZ = 8000
_NOTICES_S = 5.0
"""How long a caller may take to notice that the call is over."""


async def telephoning(cast: Casting) -> Side:
    """A caller who speaks over the telephone network, whatever line they usually have. Raises BadInput, Unavailable."""
    line = cast.line or cast.persona.line
    return await speaking(replace(cast, line=line.model_copy(update={"rate_hz": RATE_HZ})))


async def phone(side: Side, network: Network, webhook: str, told: Told | None = None) -> Told:
    """One call, until somebody hangs up. Raises Unavailable for a broken line, CallerBroke for a broken caller."""
    caller = asyncio.create_task(side.caller.run())
    ringing = asyncio.create_task(network.call(webhook, side.transport, told=told))
    try:
        await asyncio.wait({caller, ringing}, return_when=asyncio.FIRST_COMPLETED)
        if caller.done():
            caller.result()
        came_of_it = await ringing
        with suppress(TimeoutError):
            async with asyncio.timeout(_NOTICES_S):
                await caller
        return came_of_it
    finally:
        for task in (caller, ringing):
            task.cancel()
        await asyncio.gather(caller, ringing, return_exceptions=True)
