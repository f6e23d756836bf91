"""Connections to servers, shared by all calls on an event loop, so that an answer need not wait for a handshake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any, Protocol, TypeVar, cast
from weakref import WeakKeyDictionary


class _Client(Protocol):
    async def aclose(self) -> None: ...


Client = TypeVar("Client", bound=_Client)

_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Callable[..., Any], AsyncGenerator[Any]]]
_pools = WeakKeyDictionary()


async def shared(make: Callable[[], Client]) -> Client:
    """What `make` makes, once for each event loop; closed with the loop."""
    pools = _pools.setdefault(asyncio.get_running_loop(), {})
    if make not in pools:
        pools[make] = _pool(make)
    return cast(Client, await anext(pools[make]))


async def _pool(make: Callable[[], Client]) -> AsyncGenerator[Client]:
    """The same client each time. A generator, because a loop that ends closes its generators, and so the client."""
    loop = asyncio.get_running_loop()
    client = make()
    try:
        while True:
            yield client
    finally:
        _pools.get(loop, {}).pop(make, None)
        await client.aclose()
