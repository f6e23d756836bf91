"""`voicebot serve`: the agents of a project, on the network."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Json, NoColor, Quiet

if TYPE_CHECKING:
    from voicebot.logs import Form
    from voicebot.server.processes.crew import Report
    from voicebot.server.settings import Settings

    from .terminal import Screen

_NEEDED = {
    "fastapi": "FastAPI",
    "prometheus_client": "the Prometheus client",
    "sqlalchemy": "SQLAlchemy",
    "twilio": "Twilio's SDK",
    "uvicorn": "uvicorn",
    "uvloop": "uvloop",
}
_UNITS_S = {"s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


def _option(name: str, metavar: str | None, help: str, envvar: str = "") -> Any:
    """One that a container may set as VOICEBOT_<NAME>."""
    variable = envvar or "VOICEBOT_" + name.partition("/")[0].lstrip("-").replace("-", "_").upper()
    return typer.Option(name, metavar=metavar, help=help, envvar=variable, show_envvar=False, show_default=False)


def serve(
    project: Annotated[
        Path | None, typer.Argument(metavar="PROJECT", envvar="VOICEBOT_PROJECT", show_envvar=False, help="Its folder.")
    ] = None,
    host: Annotated[str, _option("--host", "ADDRESS", "Where it listens; 0.0.0.0: everywhere.")] = "127.0.0.1",
    port: Annotated[int, _option("--port", "N", "8080; 0: any that is free.")] = 8080,
    workers: Annotated[int, _option("--workers", "N", "Processes that have the calls; 1. One for each core.")] = 1,
    calls: Annotated[int | None, _option("--calls", "N", "Calls of one worker; default: as measured here.")] = None,
    drain: Annotated[str, _option("--drain", "TIME", "How long calls may go on when it stops; 10m.")] = "10m",
    database: Annotated[str, _option("--database", "URL", "SQLite (in the project) or PostgreSQL.")] = "",
    redis: Annotated[str, _option("--redis", "URL", "The calls of several machines.")] = "",
    advertise: Annotated[str, _option("--advertise", "URL", "Where the other machines reach this one.")] = "",
    public_url: Annotated[str, _option("--public-url", "URL", "Where Twilio reaches it: https://...")] = "",
    signatures: Annotated[
        bool, _option("--signatures/--no-signatures", None, "Whether Twilio must sign its requests; yes.")
    ] = True,
    overflow: Annotated[str, _option("--overflow", "NUMBER|URL", "Where telephone calls go when it is full.")] = "",
    allow_origin: Annotated[
        list[str], _option("--allow-origin", "ORIGIN", "A web page that may use the REST interface; repeatable.")
    ] = [],  # noqa: B006 - Typer reads it and copies it
    talk: Annotated[
        list[str], _option("--talk", "AGENT", "Anybody may talk to it at /talk/AGENT; '*': to all; repeatable.")
    ] = [],  # noqa: B006 - Typer reads it and copies it
    embed_origin: Annotated[
        list[str], _option("--embed-origin", "ORIGIN", "A web page that may embed /talk/AGENT; repeatable.")
    ] = [],  # noqa: B006 - Typer reads it and copies it
    ice_server: Annotated[
        list[str], _option("--ice-server", "URL", "STUN or TURN for browsers: stun:HOST, turn:HOST; repeatable.")
    ] = [],  # noqa: B006 - Typer reads it and copies it
    udp_ports: Annotated[
        str, _option("--udp-ports", "FIRST-LAST", "For the sound of browsers: 50000-50199; default: any.")
    ] = "",
    record: Annotated[bool, _option("--record/--no-record", None, "Whether calls are kept in calls/; yes.")] = True,
    log: Annotated[str, _option("--log", "FORM", "json or console; default: console on a terminal.")] = "",
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Answer calls with the agents of a project: by telephone, by websocket, for many callers at once.

    Ctrl-C or SIGTERM: no new calls, the running ones finish; again: they end now. SIGHUP: new workers, no call cut.
    Each option has an environment variable: --public-url is VOICEBOT_PUBLIC_URL. --json prints where it listens.

    \b
    Examples:
      voicebot serve
      voicebot serve --workers 4 --public-url https://voice.example.com
      voicebot serve --talk ava --embed-origin https://shop.example.com
      voicebot serve --host 0.0.0.0 --talk ava --udp-ports 50000-50199
      voicebot serve --database postgresql://voicebot@db/voicebot --host 0.0.0.0
    """
    from voicebot.server.settings import Settings

    from .terminal import Screen

    screen = Screen(quiet=quiet or as_json, no_color=no_color)
    form = _form(log)
    check_installed()
    root = _project(project)
    settings = Settings(
        project=root,
        host=host,
        port=_within("--port", port, 0, 65535),
        workers=_within("--workers", workers, 1, 256),
        calls=None if calls is None else _within("--calls", calls, 1, 10_000),
        drain_s=_seconds(drain),
        database=database,
        redis=redis,
        advertise=_address("--advertise", advertise),
        public_url=_address("--public-url", public_url),
        signatures=signatures,
        overflow=_overflow(overflow),
        origins=tuple(_address("--allow-origin", origin) for origin in allow_origin),
        record=record,
        talk=_callable("--talk", talk, root),
        embed_origins=tuple(_origin(origin) for origin in embed_origin),
        ice_servers=_ice_servers(ice_server),
        udp_ports=_udp_ports(udp_ports),
        turn_secret=_secret("VOICEBOT_TURN_SECRET", root),
    )
    _check_together(settings)
    raise typer.Exit(_run(screen, settings, form, as_json=as_json))


def _run(screen: Screen, settings: Settings, form: Form, *, as_json: bool) -> int:
    import asyncio
    import os

    from voicebot import logs
    from voicebot.server.processes.doorway import listen
    from voicebot.server.processes.supervisor import Supervisor
    from voicebot.store.record import can_keep

    colour = screen.err.is_terminal and not screen.err.no_color
    logs.begin(form, colour=colour)
    server = listen(settings.host, settings.port)
    settings = settings.model_copy(update={"port": server.getsockname()[1]})
    if settings.calls_dir:
        can_keep(settings.calls_dir)
    if form == "console":
        screen.talk(f"loading the agents of {settings.project}", "dim")

    def ready(report: Report) -> None:
        from . import serve_screen

        serve_screen.show(screen, settings, report, as_json=as_json, drawn=form == "console" and screen.err.is_terminal)

    parts = os.environ.get("VOICEBOT_PARTS", "")
    return asyncio.run(Supervisor(settings, server, log=form, colour=colour, parts=parts, ready=ready).run())


def check_installed() -> None:
    """Raises MissingExtra."""
    from importlib.util import find_spec

    from voicebot.errors import MissingExtra

    for module, name in _NEEDED.items():
        if find_spec(module) is None:
            raise MissingExtra(name, "server")


def _project(folder: Path | None) -> Path:
    from voicebot import paths
    from voicebot.errors import BadInput

    root = paths.project_root(folder).absolute()
    if not paths.agent_files(root):
        where = paths.shown(folder or Path.cwd())
        raise BadInput(f"no agents in {where}. Name a project, or make one: voicebot new my-agent")
    return root


def _form(log: str) -> Form:
    from voicebot.errors import BadInput, did_you_mean

    if log == "json" or (not log and not sys.stderr.isatty()):
        return "json"
    if log in ("", "console"):
        return "console"
    raise BadInput(f"--log: '{log}' is no form of log.{did_you_mean(log, ['json', 'console'])}")


def _within(option: str, number: int, least: int, most: int) -> int:
    from voicebot.errors import BadInput

    if not least <= number <= most:
        raise BadInput(f"{option}: {number} is not between {least} and {most}.")
    return number


def _seconds(text: str) -> float:
    from voicebot.errors import BadInput

    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    if found is None:
        raise BadInput(f"--drain: '{text}' is no time. Write it as 90s, 10m or 1h.")
    return float(found[1]) * _UNITS_S[found[2]]


def _address(option: str, url: str) -> str:
    from voicebot.errors import BadInput

    if url and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise BadInput(f"{option}: '{url}' is no web address. Write it as https://voice.example.com.")
    return url.rstrip("/")


def _callable(option: str, names: list[str], root: Path) -> tuple[str, ...]:
    from importlib.util import find_spec

    from voicebot import paths
    from voicebot.errors import BadInput, MissingExtra, did_you_mean

    known = [path.stem for path in paths.agent_files(root)]
    for name in names:
        if name != "*" and name not in known:
            raise BadInput(f"{option}: there is no agent '{name}' in this project.{did_you_mean(name, known)}")
    if names and find_spec("aiortc") is None:
        raise MissingExtra("WebRTC", "webrtc")
    return tuple(names)


def _origin(url: str) -> str:
    from voicebot.errors import BadInput

    if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?/?", url):
        raise BadInput(f"--embed-origin: '{url}' is no origin. Write it as https://shop.example.com, without a path.")
    return url.rstrip("/").lower()


def _ice_servers(urls: list[str]) -> tuple[str, ...]:
    if not urls:
        return ()
    from voicebot.server.browser import ice

    return tuple(ice.check(url) for url in urls)


def _udp_ports(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    from voicebot.transports.webrtc import ports

    return ports.parse(text)


def _secret(name: str, root: Path) -> str:
    from voicebot import config

    found = config.key(name, root)
    return found.get_secret_value() if found else ""


def _overflow(target: str) -> str:
    from voicebot.errors import BadInput

    if target and not re.fullmatch(r"\+\d{5,15}|sips?:\S+@\S+|https?://\S+", target):
        raise BadInput(f"--overflow: '{target}' is no number (+15550100), SIP address or URL with TwiML.")
    return target


def _check_together(settings: Settings) -> None:
    from voicebot.errors import BadInput

    if settings.redis and not settings.advertise:
        raise BadInput(
            "--redis is for several machines: say where they reach this one, --advertise http://10.0.0.5:8080"
        )
