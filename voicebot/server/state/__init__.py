"""What a server keeps beside the records of its calls: who may do what, and which calls there are and were.

    state.migrate(url)                           # once, before the workers start
    async with await State.open(url) as kept:
        row, ticket = await kept.calls.expect(id=new_id(), agent="ava", transport="websocket")

SQLite or PostgreSQL, by URL. No call waits for it once it has begun: what is written after that goes through `Ledger`.
"""

from __future__ import annotations

from voicebot.errors import MissingExtra

try:
    from .calls import AlreadyKnown, CallRow, Calls, End, Page
    from .keys import SCOPES, Key, Keys
    from .ledger import Ledger
    from .opening import State
    from .registry import Place, Registry
    from .schema import migrate
    from .url import DATABASE, default_url
except ModuleNotFoundError as missing:
    if missing.name != "sqlalchemy":
        raise
    raise MissingExtra("the server's database", "server") from None

__all__ = [
    "DATABASE",
    "SCOPES",
    "AlreadyKnown",
    "CallRow",
    "Calls",
    "End",
    "Key",
    "Keys",
    "Ledger",
    "Page",
    "Place",
    "Registry",
    "State",
    "default_url",
    "migrate",
]
