"""`voicebot bench calls`: how many calls a server carries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Json, NoColor, Quiet

if TYPE_CHECKING:
    from voicebot.evals.bench.calls.level import Conditions
    from voicebot.evals.bench.calls.plan import Door
    from voicebot.evals.bench.calls.study import Row, Study

    from .terminal import Screen

PEERS = {"pipecat": "Pipecat as its documentation builds it", "bare": "the same models with no framework, the floor"}
_WINDOW_S, _QUICK_WINDOW_S = 30.0, 15.0
_FINENESS, _QUICK_FINENESS = 0.1, 0.34
_MARGIN = 0.8
"""Of the highest count, what `voicebot serve` is to take: real providers, callers and neighbours are no bench."""


def calls(
    peer: Annotated[list[str] | None, typer.Option("--peer", metavar="NAME", help="Also: pipecat, bare.")] = None,
    at: Annotated[
        list[int] | None, typer.Option("--at", metavar="N", min=1, max=1000, help="Only so many calls; repeatable.")
    ] = None,
    window: Annotated[float | None, typer.Option("--window", metavar="S", min=8, help="Seconds a level.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Shorter and coarser.")] = False,
    pin: Annotated[bool, typer.Option("--pin/--no-pin", help="The server has one core, callers the others.")] = True,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="A server of yours that runs.")] = None,
    agent: Annotated[str | None, typer.Option("--agent", "-a", metavar="NAME", help="Its agent.")] = None,
    signatures: Annotated[
        bool, typer.Option("--signatures/--no-signatures", help="Sign as Twilio does, with TWILIO_AUTH_TOKEN.")
    ] = True,
    save: Annotated[bool, typer.Option("--save", help="Remember the limit for voicebot serve here.")] = False,
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Also write the chart as a file.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """How many calls one worker of `voicebot serve` carries: real Media Streams calls, until a budget breaks.

    Engine-added latency p95 50 ms, no audio gap over 60 ms, set-up p95 100 ms, 5 MB a call, every turn answered, no
    call lost. Providers are stand-ins that answer at once; voice detector and turn model are real. About 6 minutes, 16
    with both peers, 5 with --quick and both. With --url the latencies include the providers of your server.

    \b
    Examples:
      voicebot bench calls --peer pipecat --peer bare
      voicebot bench calls --at 10 --at 25 --json
      voicebot bench calls --quick --save
      voicebot bench calls --url https://voice.example.com --agent ava --at 5
    """
    peers = _known(peer or [])
    _check_installed()
    door = _door(url, agent, signatures=signatures, peers=peers, save=save)
    import asyncio

    from voicebot.evals.bench.calls import budget, shown, study

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    window_s = window or (_QUICK_WINDOW_S if quick else _WINDOW_S)
    with screen.waiting("callers are learning their lines ..."):
        made = _study(screen, door, window_s, peers, pin=pin)
    systems = [door.url if door else "voicebot", *(name for name in peers if name != study.FLOOR)]
    fineness = _QUICK_FINENESS if quick else _FINENESS
    best = asyncio.run(study.run(made, systems, sorted(set(at or [])), fineness))
    if svg:
        svg.write_text(shown.svg(made.rows, budget.OURS), encoding="utf-8")
    if as_json:
        screen.json(_document(made, best))
    else:
        _show(screen, made, best)
    if save:
        _save(screen, best["voicebot"])


def _known(peers: list[str]) -> list[str]:
    from voicebot.errors import BadInput, did_you_mean

    for name in peers:
        if name not in PEERS:
            raise BadInput(f"--peer: there is no '{name}' to compare with.{did_you_mean(name, PEERS)}")
    return list(dict.fromkeys(peers))


def _check_installed() -> None:
    from importlib.util import find_spec

    from voicebot.errors import MissingExtra

    for module in ("fastapi", "uvicorn", "uvloop", "psutil"):
        if find_spec(module) is None:
            raise MissingExtra(f"The package {module}", "server")


def _door(url: str | None, agent: str | None, *, signatures: bool, peers: list[str], save: bool) -> Door | None:
    """A server that runs already. None: one is started."""
    from voicebot import config, paths
    from voicebot.errors import BadInput
    from voicebot.evals.bench.calls.plan import Door

    if url is None:
        if agent:
            raise BadInput("--agent is the agent of a server that runs: give its --url, too.")
        return None
    if not agent:
        raise BadInput("--url: say which of its agents is called, with --agent NAME.")
    if not url.startswith(("http://", "https://")):
        raise BadInput(f"--url: '{url}' is no web address. Write it as https://voice.example.com")
    if peers or save:
        raise BadInput("--peer and --save need a server that is started for it: leave --url away.")
    token = config.key("TWILIO_AUTH_TOKEN", paths.project_root()) if signatures else None
    if signatures and token is None:
        raise BadInput("set TWILIO_AUTH_TOKEN as the server has it, or start both with --no-signatures.")
    return Door(url.rstrip("/"), agent, token.get_secret_value() if token else "")


def _study(screen: Screen, door: Door | None, window_s: float, peers: list[str], *, pin: bool) -> Study:
    from loguru import logger

    from voicebot.evals.bench.calls import level, shown, stubs, study, under_test

    logger.remove()
    scripts = study.write_scripts(window_s)
    server_cores, caller_cores = under_test.cores() if pin and door is None else ([], [])
    reply_s = None if door else stubs.length_s(stubs.REPLY)
    under = level.Conditions(scripts, window_s, server_cores, caller_cores, reply_s)
    made = study.Study(
        under, study.smart_turn_ms(scripts[0]), peers=peers, told=lambda row: screen.talk(shown.line(row), "dim")
    )
    if door:
        made.measure = _at(door)
    return made


def _at(door: Door) -> Any:
    from voicebot.evals.bench.calls.level import measure_at

    async def measure(system: str, calls: int, under: Conditions) -> Any:
        return await measure_at(door, calls, under)

    return measure


def _show(screen: Screen, made: Study, best: dict[str, int]) -> None:
    from voicebot.evals.bench.calls import budget, shown

    rows: list[Row] = sorted(made.rows, key=lambda row: row.figures.calls)
    screen.table(shown.HEADERS, map(shown.cells, rows), right=shown.HEADERS[:-1])
    for line in ["", *shown.latencies(rows, budget.OURS), "", *shown.findings(rows, best)]:
        screen.data(line)
    screen.talk(f"One run of the turn model alone: {made.smart_turn_ms:.0f} ms.", "dim")


def _document(made: Study, best: dict[str, int]) -> dict[str, Any]:
    from voicebot.evals.bench.calls import budget, machine

    return {
        "machine": machine.described(),
        "smart_turn_ms": made.smart_turn_ms,
        "window_s": made.under.window_s,
        "pinned": bool(made.under.server_cores),
        "budget": vars(budget.OURS),
        "best": best,
        "levels": [row.as_json() for row in made.rows],
    }


def _save(screen: Screen, best: int) -> None:
    from voicebot import paths
    from voicebot.errors import Unavailable
    from voicebot.server.capacity import limit

    calls = int(best * _MARGIN)
    if not calls:
        raise Unavailable("nothing was saved: no number of calls stayed inside the budget on this machine.")
    path = limit.calibrate(calls)
    screen.talk(
        f"voicebot serve takes {calls} calls a worker from now on, {_MARGIN:.0%} of {best} ({paths.shown(path)})."
    )
