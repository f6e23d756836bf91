"""`voicebot phone batch`: many calls from a file, each number once, whatever crashes meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .help import Command, Group
from .options import AgentFile, Json, NoColor, Project, Quiet
from .phone_outbound import From, Port, Server, Url

if TYPE_CHECKING:
    from voicebot.server.state import State
    from voicebot.telephony.batch.contacts import Contacts
    from voicebot.telephony.batch.run import Plan
    from voicebot.telephony.phonebook import Retry

    from .terminal import Screen


class _Batch(Group):
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """`batch FILE` is `batch run FILE`."""
        if args and args[0] not in (*self.commands, "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Batch,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Many calls from a CSV file, each number once. 'batch FILE' is 'batch run FILE'.

    \b
    Examples:
      voicebot phone batch contacts.csv --agent ava
      voicebot phone batch status
      voicebot phone batch status contacts --json
    """,
)

Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Of the batch; default: the file's name.")]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="What became of each number: .csv or .json.")
]
Database = Annotated[str, typer.Option("--database", metavar="URL", help="Default: that of the project's server.")]


@app.command(cls=Command)
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a column 'number'; the others are variables.")],
    agent: AgentFile = None,
    name: Name = "",
    column: Annotated[str, typer.Option("--column", metavar="NAME", help="Which column has the numbers.")] = "",
    at_once: Annotated[int, typer.Option("--at-once", metavar="N", min=1, max=500, help="Calls at the same time.")] = 5,
    per_minute: Annotated[
        float, typer.Option("--per-minute", metavar="N", min=0, help="Calls begun in a minute; 0: no limit.")
    ] = 30,
    from_: From = "",
    retries: Annotated[
        int | None, typer.Option("--retries", min=0, max=10, help="Instead of outbound.retry.times in phone.yaml.")
    ] = None,
    server: Server = "",
    url: Url = "",
    port: Port = 0,
    out: Out = None,
    database: Database = "",
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Call every number of a file, so many at once, at a pace, in the hours in which people may be called.

    The same line again goes on where it ended: after Ctrl-C, a crash, or when lines were added to the file. A number
    that was dialled is not dialled again; what nobody knows is reported as in doubt. To call them all once more, give
    the batch another --name. Retries, quiet hours and the do-not-call list stand in phone.yaml (outbound).

    \b
    Examples:
      voicebot phone batch run contacts.csv --agent ava --at-once 10
      voicebot phone batch run contacts.csv --agent ava --server https://voice.example.com --out results.csv
    """
    import asyncio

    from voicebot import paths
    from voicebot.agent import find_agent
    from voicebot.errors import EXIT_INTERRUPTED
    from voicebot.telephony.batch import contacts
    from voicebot.telephony.batch.run import Plan

    from . import phone_outbound, phone_results
    from .terminal import Screen

    screen = Screen(quiet=quiet or as_json, no_color=no_color)
    phone_outbound.check(server, url, port)
    phone_results.check(out)
    root = paths.project_root(project)
    batch = name or file.stem
    who = agent if server and agent else find_agent(agent).stem
    read = contacts.read(file, batch, column)
    plan = Plan(batch, who, at_once, per_minute, from_, _retry(root, retries))
    done = asyncio.run(_run(screen, root, plan, read, file, database, (server, url, port)))
    rows = _rows(root, database, batch)
    phone_results.write(out, rows)
    if as_json:
        screen.json(phone_results.facts(rows))
    else:
        phone_results.summary(screen, batch, rows)
    if not done:
        raise typer.Exit(EXIT_INTERRUPTED)


@app.command(cls=Command)
def status(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of a batch; without it, all of them.")] = "",
    out: Out = None,
    database: Database = "",
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """How far batches are, and what became of each number. It can be asked while they run.

    \b
    Examples:
      voicebot phone batch status
      voicebot phone batch status contacts --out results.csv
    """
    from voicebot import paths

    from . import phone_results
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    phone_results.check(out)
    root = paths.project_root(project)
    if not name:
        phone_results.all_of_them(screen, _counts(root, database), as_json=as_json)
        return
    rows = _rows(root, database, name)
    phone_results.write(out, rows)
    if as_json:
        screen.json(phone_results.facts(rows))
    else:
        phone_results.summary(screen, name, rows)


async def _run(
    screen: Screen, root: Path, plan: Plan, read: Contacts, file: Path, database: str, way: tuple[str, str, int]
) -> bool:
    """Whether every number has its outcome now. Raises BadInput, Unavailable."""
    import asyncio
    import signal

    from voicebot.telephony.batch.run import Batch

    from . import phone_outbound, phone_results

    with _alone(root, plan.name):
        async with await _state(root, database, make=True) as kept:
            await _fill(screen, kept, plan, read, file)
            server, url, port = way
            async with phone_outbound.making(screen, root, server, url, port, lambda row: ()) as rest:
                with phone_results.Progress(screen, await kept.batches.counts(plan.name)) as shown:
                    batch = Batch(plan, kept.batches, rest, shown.tell)
                    _stop_on_signals(batch, screen, asyncio.get_running_loop(), signal.SIGINT, signal.SIGTERM)
                    await batch.run()
            counts = await kept.batches.counts(plan.name)
    return not (counts.get("waiting") or counts.get("dialling"))


def _stop_on_signals(batch: Any, screen: Screen, loop: Any, *numbers: Any) -> None:
    """The first one: no new calls; the second one: at once, what was begun is known to the next run."""
    import asyncio

    task = asyncio.current_task()
    told: list[int] = []

    def stop(number: int) -> None:
        if told and task:
            task.cancel()
        told.append(number)
        batch.stop()
        screen.talk(f"no new calls; {batch.running} are not over yet (Ctrl-C again: leave now)")

    for number in numbers:
        loop.add_signal_handler(number, stop, number)


async def _fill(screen: Screen, kept: State, plan: Plan, read: Contacts, file: Path) -> None:
    """The numbers of the file into the ledger. Raises BadInput when the batch is another agent's."""
    from voicebot.errors import BadInput

    batch = await kept.batches.open(plan.name, plan.agent, str(file))
    if batch.agent != plan.agent:
        raise BadInput(
            f"the batch '{plan.name}' is one of agent '{batch.agent}'. Give this one another name: --name {plan.name}-2"
        )
    new = await kept.batches.add(read.rows)
    known = len(read.rows) - new
    more = f", {known} of them are in it already" if known else ""
    twice = f"; {read.repeated} lines repeat a number and are left out" if read.repeated else ""
    screen.talk(f"batch {plan.name}: {len(read.rows)} numbers{more}{twice}")


def _retry(root: Path, times: int | None) -> Retry:
    """What phone.yaml says, or so often. Raises BadInput."""
    from voicebot.telephony.phonebook import Phonebook, Retry

    book = Phonebook.load(root)
    retry = book.outbound.retry if book and book.outbound else Retry()
    return retry if times is None else retry.model_copy(update={"times": times})


def _alone(root: Path, batch: str) -> Any:
    """No other process on this machine is at this batch. Raises BadInput."""
    import hashlib
    from contextlib import contextmanager

    from filelock import FileLock, Timeout

    from voicebot.errors import BadInput

    folder = root / ".voicebot"
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = FileLock(folder / f"batch-{hashlib.sha256(batch.encode()).hexdigest()[:16]}.lock", timeout=0)

    @contextmanager
    def held() -> Any:
        try:
            lock.acquire()
        except Timeout:
            raise BadInput(f"the batch '{batch}' is running already: voicebot phone batch status {batch}") from None
        try:
            yield
        finally:
            lock.release()

    return held()


async def _state(root: Path, database: str, *, make: bool) -> State:
    """Raises Unavailable."""
    import asyncio

    from voicebot.server import state
    from voicebot.server.settings import Settings

    url = state.default_url(Settings(project=root, database=database))
    if make:
        await asyncio.to_thread(state.migrate, url)
    return await state.State.open(url)


def _rows(root: Path, database: str, name: str) -> Any:
    import asyncio

    from voicebot.errors import BadInput, did_you_mean

    async def read() -> Any:
        async with await _state(root, database, make=False) as kept:
            rows = await kept.batches.rows(name)
            return rows, [each.name for each in await kept.batches.all()]

    rows, names = asyncio.run(read())
    if not rows:
        raise BadInput(f"there is no batch '{name}'.{did_you_mean(name, names)}")
    return rows


def _counts(root: Path, database: str) -> Any:
    import asyncio

    async def read() -> Any:
        async with await _state(root, database, make=False) as kept:
            return [(each, await kept.batches.counts(each.name)) for each in await kept.batches.all()]

    return asyncio.run(read())
