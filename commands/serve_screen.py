"""What `voicebot serve` shows when it is ready: where everything is, and what is still to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from voicebot.server.capacity.limit import Limit
    from voicebot.server.processes.crew import Report
    from voicebot.server.settings import Settings

    from .terminal import Screen


def show(screen: Screen, settings: Settings, report: Report, *, as_json: bool, drawn: bool) -> None:
    """`drawn`: for a person; else one line of the log, and with `as_json` one document on stdout."""
    from loguru import logger

    from voicebot.server.capacity.limit import limit_of

    limit = limit_of(settings)
    for broken in report.broken:
        logger.warning(f"an agent cannot be called: {broken}")
    facts = {
        "url": url(settings),
        "workers": settings.workers,
        "calls": settings.workers * limit.calls,
        "agents": [agent.name for agent in report.agents],
    }
    if as_json:
        screen.json({**facts, "calls_per_worker": limit.calls, "limit": limit.source, "broken": report.broken})
    if drawn and not screen.quiet:
        screen.talk()
        screen.err.print(_table(settings, report, _room(settings.workers, limit)))
        screen.talk("\nCtrl-C: no new calls, running ones finish; again: they end now.", "dim")
    else:
        logger.bind(**facts).info(f"ready: {url(settings)}")


def url(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def _room(workers: int, limit: Limit) -> str:
    if workers == 1:
        return f"1 worker, up to {limit.calls} calls at once ({limit.source})"
    return f"{workers} workers, up to {limit.calls} calls each ({limit.source})"


def _table(settings: Settings, report: Report, room: str) -> Table:
    here = url(settings)
    table = Table.grid(padding=(0, 2))
    table.add_row(Text("serving", "agent"), Text(f"{here}   {room}"))
    for number, agent in enumerate(report.agents):
        runs_on = " · ".join(part for part in (agent.stt, agent.brain, agent.tts) if part)
        table.add_row("" if number else "agents", Text.assemble(agent.name, "   ", (runs_on, "dim")))
    for broken in report.broken:
        table.add_row("", Text(f"cannot be called: {broken}", "bad"))
    table.add_row("REST", f"{here}/v1   [dim]its description: {here}/v1/openapi.json[/dim]")
    table.add_row("streams", f"{here.replace('http', 'ws', 1)}/v1/agents/NAME/stream")
    table.add_row("browser", _browser(settings, here))
    table.add_row("Twilio", _twilio(settings, here))
    table.add_row("keys", _keys(report.keys, settings))
    table.add_row("calls", Text(str(settings.calls_dir) if settings.calls_dir else "are not kept"))
    return table


def _browser(settings: Settings, here: str) -> Text:
    from importlib.util import find_spec

    page = Text(f"{settings.public_url or here}/talk/NAME")
    if find_spec("aiortc") is None:
        return page.append('   needs: pip install "voicebot[webrtc]"', "dim")
    if settings.talk:
        whom = "all" if "*" in settings.talk else ", ".join(settings.talk)
        return page.append(f"   anybody may talk to {whom}", "dim")
    return page.append("   from this machine; for others: --talk NAME", "dim")


def _twilio(settings: Settings, here: str) -> Text:
    from voicebot import config

    webhook = Text(f"{settings.public_url or here}/twilio/voice/NAME")
    if not settings.signatures:
        return webhook.append("   anybody may call it: signatures are off", "poor")
    if config.key("TWILIO_AUTH_TOKEN", settings.project) is None:
        return webhook.append("   refuses: it needs TWILIO_AUTH_TOKEN to know what Twilio has signed", "poor")
    if not settings.public_url:
        return webhook.append("   behind a proxy it needs --public-url", "dim")
    return webhook


def _keys(number: int, settings: Settings) -> Text:
    from voicebot import paths

    if number:
        return Text(f"{number}")
    where = "" if paths.project_root() == settings.project else f" --project {paths.shown(settings.project)}"
    command = f"voicebot keys create NAME --scope calls:stream{where}"
    return Text.assemble(("none yet, so nobody may use REST or streams: ", "poor"), command)
