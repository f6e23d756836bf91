"""What became of many calls, asked of the server with one request for all of them.

    looking = Looking(server)
    seen = await looking.over(call_id)         # when the call is over

The latest calls of a server are one page. A call that is further back, because it lasts while many others come, is
asked for by itself, a few in each round.
"""

from __future__ import annotations

import asyncio

from loguru import logger

from voicebot.telephony.batch.rest import Later, NotMade, Rest, Seen

LOOK_S = 0.5
_FAR_BACK = 5
"""Calls that are asked for one by one in each round."""


class Looking:
    """Of one batch. `close` it in the end."""

    def __init__(self, server: Rest) -> None:
        self._server = server
        self._awaited: dict[str, asyncio.Future[Seen]] = {}
        self._task: asyncio.Task[None] | None = None

    async def over(self, call_id: str) -> Seen:
        """The call, when it is over. Raises what the server is asked in vain for: BadInput, Unavailable."""
        future: asyncio.Future[Seen] = asyncio.get_running_loop().create_future()
        self._awaited[call_id] = future
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look(), name="looking")
        try:
            return await future
        finally:
            del self._awaited[call_id]

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look(self) -> None:
        """Until nobody waits for a call any more."""
        while self._awaited:
            await asyncio.sleep(LOOK_S)
            try:
                await self._round()
            except Later as later:
                logger.debug(f"{later}; again in {later.retry_s:g} s")
                await asyncio.sleep(later.retry_s)
            except Exception as error:  # noqa: BLE001 - whoever waits for a call is told, whatever it is
                self._fail(error)

    async def _round(self) -> None:
        latest = await self._server.latest()
        for seen in latest:
            self._tell(seen)
        near = {seen.id for seen in latest}
        for call_id in [each for each in self._awaited if each not in near][:_FAR_BACK]:
            try:
                self._tell(await self._server.look(call_id))
            except NotMade as gone:
                self._tell(Seen(id=call_id, state="ended", reason="in_doubt", detail=str(gone)))

    def _tell(self, seen: Seen) -> None:
        future = self._awaited.get(seen.id)
        if seen.over and future and not future.done():
            future.set_result(seen)

    def _fail(self, error: Exception) -> None:
        for future in self._awaited.values():
            if not future.done():
                future.set_exception(error)
