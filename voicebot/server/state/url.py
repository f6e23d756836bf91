"""Where the state is: a URL as a person writes it, as the drivers want it, and as it may be shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from voicebot import config
from voicebot.errors import BadInput, Unavailable
from voicebot.server.settings import Settings

DATABASE = "VOICEBOT_DATABASE"
EXAMPLES = "sqlite:////var/lib/voicebot/state.db or postgresql://voicebot@db.example.com/voicebot"
_SQLITE = ("sqlite", "sqlite+aiosqlite")
_POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")


def default_url(settings: Settings) -> str:
    """Of the settings, or of VOICEBOT_DATABASE, which shows in no list of processes; else of a file in the project."""
    named = config.key(DATABASE, settings.project)
    return settings.database or (named.get_secret_value() if named else f"sqlite:///{settings.own_dir / 'state.db'}")


@dataclass(frozen=True)
class Where:
    """One database. What it prints as names the place and nobody's password."""

    file: Path | None
    """The SQLite file, absolute; None: a PostgreSQL server."""
    postgres: URL | None

    @classmethod
    def of(cls, url: str) -> Where:
        """Raises BadInput for what is no URL of a database that is supported. The URL itself is not repeated."""
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            raise BadInput(f"the database's URL cannot be read. Write it as {EXAMPLES}.") from None
        if parsed.drivername in _POSTGRES:
            return cls(None, parsed.set(drivername="postgresql+psycopg"))
        if parsed.drivername not in _SQLITE:
            raise BadInput(f"no state can be kept in '{parsed.drivername}'. Write the URL as {EXAMPLES}.")
        if not parsed.database or parsed.database == ":memory:":
            raise BadInput("the database's URL names no file; processes cannot share one in memory.")
        return cls(Path(parsed.database).expanduser().absolute(), None)

    def __str__(self) -> str:
        if self.postgres is None:
            return str(self.file)
        hosts = self.postgres.host or self.postgres.query.get("host", "localhost")
        host = hosts if isinstance(hosts, str) else ",".join(hosts)
        port = f":{self.postgres.port}" if self.postgres.port else ""
        return f"postgresql://{host}{port}/{self.postgres.database or ''}"

    __repr__ = __str__

    def engine_url(self, driver: str = "") -> URL:
        """For `create_engine` ('') and `create_async_engine` ('aiosqlite'; psycopg serves both).

        A SQLite file must exist: a typing error in a path makes no empty database.
        """
        if self.postgres is not None:
            return self.postgres
        name = f"sqlite+{driver}" if driver else "sqlite"
        return URL.create(name, database=f"file:{quote(str(self.file))}", query={"mode": "rw", "uri": "true"})

    def unreachable(self, why: BaseException | str) -> Unavailable:
        """The driver's own first line as one sentence, without a secret in it."""
        lines = str(getattr(why, "orig", None) or why).strip().splitlines() or [type(why).__name__]
        reason = lines[0]
        for secret in self._secrets():
            reason = reason.replace(secret, "***")
        return Unavailable(f"the server's state in {self} cannot be reached: {reason.rstrip('.')}.")

    def _secrets(self) -> list[str]:
        if self.postgres is None:
            return []
        in_query = self.postgres.query.get("password", "")
        found = [self.postgres.password or "", *([in_query] if isinstance(in_query, str) else in_query)]
        return [secret for secret in found if secret]
