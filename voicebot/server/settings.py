"""What one server is told on its command line, the same in all of its processes."""

from __future__ import annotations

import socket
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from voicebot import paths


class Settings(BaseModel):
    """Plain data: a supervisor passes it to its workers as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: Path
    """The folder with agents/; absolute."""
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    calls: int | None = None
    """Calls that one worker may have at once; None: as many as this machine was measured to carry."""
    drain_s: float = 600.0
    """How long running calls may go on after SIGTERM before they get a goodbye."""
    database: str = ""
    """SQLAlchemy URL of the state; '': SQLite in `<project>/.voicebot/state.db`."""
    redis: str = ""
    """URL of the registry of calls of several machines; '': there is one machine."""
    advertise: str = ""
    """Where the other machines reach this one, as http://10.0.0.5:8080. Needed with `redis`."""
    public_url: str = ""
    """Where Twilio reaches this server, as https://voice.example.com; '': what the request says."""
    signatures: bool = True
    """Whether a request of Twilio's must be signed with TWILIO_AUTH_TOKEN."""
    overflow: str = ""
    """Where a telephone call goes that cannot be taken: a number or a URL with TwiML; '': it is told so."""
    origins: tuple[str, ...] = ()
    """Web pages (scheme://host) whose scripts may use the REST interface; none by default."""
    talk: tuple[str, ...] = ()
    """Agents that anybody may talk to at /talk/NAME; '*': all. Without that only this machine may, see
    `voicebot.server.browser.access`."""
    embed_origins: tuple[str, ...] = ()
    """Web pages (scheme://host, small letters) that may show the page /talk/NAME in a frame."""
    ice_servers: tuple[str, ...] = ()
    """STUN and TURN servers for browsers and for this server, see `voicebot.server.browser.ice`."""
    udp_ports: tuple[int, int] | None = None
    """The first and the last port for the sound of browsers; None: the system chooses them."""
    turn_secret: str = ""
    """The secret that is shared with the TURN servers."""
    record: bool = True
    """Whether calls are kept in `<project>/calls`."""

    run_dir: Path | None = None
    """Where the workers' own sockets are, for this user only; None: this process is the whole server."""

    @property
    def figures_dir(self) -> Path | None:
        """Where the workers count what /metrics adds up; None: this process has it in memory."""
        return self.run_dir / "figures" if self.run_dir else None

    def door(self, worker: int) -> Path | None:
        """The unix socket by which the other workers of this machine reach this one."""
        return self.run_dir / f"worker-{worker}.sock" if self.run_dir else None

    @property
    def machine(self) -> str:
        """Which server has a call: where the others reach it, else a name that it has again after a restart, also of
        its container. A database of its own, SQLite, knows no other machine."""
        return self.advertise or f"{socket.gethostname() if self.database else 'local'}:{self.port}"

    @property
    def calls_dir(self) -> Path | None:
        return paths.calls_dir(self.project) if self.record else None

    @property
    def own_dir(self) -> Path:
        """What the server itself keeps, out of git."""
        return self.project / ".voicebot"
