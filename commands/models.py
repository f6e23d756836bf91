"""`voicebot models`: the models that run on this machine; list them, get one, remove one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .help import Command, Group
from .options import Json, NoColor, Quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voicebot.models import Entry
    from voicebot.models.download import Progress, Report

    from .terminal import Screen

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Models that run on this machine: list, pull, remove.

    \b
    Examples:
      voicebot models list
      voicebot models pull llama-3.1-8b-instruct
      voicebot models rm llama-3.1-8b-instruct
    """,
)

Name = Annotated[str, typer.Argument(metavar="MODEL", help="A name from 'voicebot models list'.")]
USED_AS = {"llm": "brain: {{llm: llama/{}}}", "stt": "voice: {{stt: whisper/{}}}", "tts": "voice: {{tts: piper/{}}}"}
"""How an agent file names a model, by its kind."""
STEP_PERCENT = 10
"""How often progress is a line, where lines cannot move."""


@app.command("list", cls=Command)
def list_(as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """What can be pulled and what is here; --quiet prints the names of those that are here.

    \b
    Examples:
      voicebot models list
      voicebot models list --json
    """
    from rich.text import Text

    from voicebot import models, paths

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    known = models.entries()
    if as_json:
        screen.json([_facts(model) for model in known])
    elif quiet:
        for model in known:
            if models.on_disk(model):
                screen.data(model.name)
    else:
        headers = ["model", "kind", "size", "here", "license", "what"]
        screen.table(headers, [_row(model) for model in known], right=("size",))
        screen.talk(Text(f"they lie in {paths.models_dir()}", "dim"))


def _facts(model: Entry) -> dict[str, Any]:
    from voicebot.models import store

    files = [
        {"url": file.url, "path": str(store.path_of(model, file)), "size": file.size, "sha256": file.sha256 or None}
        for file in model.files
    ]
    return {
        "name": model.name,
        "kind": model.kind,
        "what": model.what,
        "license": model.license,
        "size": model.size,
        "on_disk": store.on_disk(model),
        "bytes_here": store.here(model),
        "files": files,
    }


def _row(model: Entry) -> list[Any]:
    from rich.text import Text

    from voicebot.models import store

    have = store.here(model)
    state = Text("-", "dim")
    if store.on_disk(model):
        state = Text("yes", "good")
    elif have:
        state = Text(f"{100 * have // model.size} %", "poor")
    columns = [Text(model.kind), Text(_size(model.size)), state, Text(model.license, "dim"), Text(model.what)]
    return [Text(model.name, "bold"), *columns]


@app.command(cls=Command)
def pull(model: Name, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """Get a model. An interrupted pull goes on where it stopped; what has arrived is checked before it is used.

    \b
    Examples:
      voicebot models pull llama-3.1-8b-instruct
      VOICEBOT_MODELS=/mnt/models voicebot models pull llama-3.2-3b-instruct
    """
    from voicebot import models
    from voicebot.models import download, store

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    wanted = models.entry(model)
    if models.on_disk(wanted):
        screen.talk(f"{wanted.name} is here already: {store.path_of(wanted)}")
        return
    screen.talk(f"{wanted.name}: {_size(wanted.size)}, {wanted.license}")
    try:
        with _reporting(screen, wanted) as report:
            download.pull(wanted, report)
    except download.Unreachable:
        _say_how_by_hand(screen, wanted)
        raise
    except KeyboardInterrupt:
        have = 100 * store.here(wanted) // wanted.size
        screen.talk(f"stopped at {have} %; the same command goes on from there")
        raise
    screen.talk(f"{wanted.name} is here: {store.path_of(wanted)}", "good")
    screen.talk(f"in an agent file:  {USED_AS[wanted.kind].format(wanted.name)}")


def _say_how_by_hand(screen: Screen, model: Entry) -> None:
    from voicebot.models import download

    screen.talk("from another machine:")
    for what, exactly in download.by_hand(model):
        screen.talk(f"  {what:<10} {exactly}")
    screen.talk("then: voicebot models list")


@contextmanager
def _reporting(screen: Screen, model: Entry) -> Iterator[Report]:
    """A moving bar on a terminal, a line now and then anywhere else, nothing with --quiet."""
    if screen.quiet:
        yield lambda _: None
    elif screen.live and screen.err.is_terminal:
        with _bar(screen) as report:
            yield report
    else:
        yield _Lines(screen)


@contextmanager
def _bar(screen: Screen) -> Iterator[Report]:
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = [TextColumn("{task.description:<8}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()]
    with Bars(*columns, TimeRemainingColumn(), console=screen.err) as bars:
        tasks: dict[str, Any] = {}

        def report(progress: Progress) -> None:
            stage = "fetching" if progress.stage == "waiting" else progress.stage
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=progress.total, completed=progress.done)
            bars.update(tasks[stage], description=progress.stage, completed=progress.done, total=progress.total)

        yield report


class _Lines:
    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._said: tuple[str, int] = ("", -1)

    def __call__(self, progress: Progress) -> None:
        percent = 100 * progress.done // progress.total if progress.total else 100
        step = percent - percent % STEP_PERCENT
        if (progress.stage, step) != self._said:
            self._said = (progress.stage, step)
            self._screen.talk(f"{progress.stage} {step} % of {_size(progress.total)}")


@app.command(cls=Command)
def rm(
    model: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Take a model off this machine, complete or not.

    \b
    Example:
      voicebot models rm llama-3.1-8b-instruct --yes
    """
    import sys

    from voicebot import models
    from voicebot.errors import BadInput
    from voicebot.models import store

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    unwanted = models.entry(model)
    have = store.here(unwanted)
    if not have:
        raise BadInput(f"{model} is not on this machine. What is: voicebot models list")
    if not yes:
        if not sys.stdin.isatty():
            raise BadInput(f"nobody can be asked whether to delete {model}; add --yes.")
        typer.confirm(f"Delete {model} ({_size(have)})?", abort=True, err=True)
    screen.talk(f"{model} is gone, {_size(store.remove(unwanted))} are free again")


def _size(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
