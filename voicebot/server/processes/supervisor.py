"""The process that everything else of a server hangs on: it accepts connections, and keeps workers behind them.

It is light on purpose. It knows no audio, no agent and no database, so there is little in it that can fail.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from loguru import logger
from pydantic import ValidationError

from voicebot.errors import EXIT_BAD_INPUT, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, BadInput, Unavailable, VoicebotError
from voicebot.logs import Form
from voicebot.server.capacity.board import Board
from voicebot.server.processes.aftermath import Deceased, Written
from voicebot.server.processes.crew import AT_ONCE, FINISH, Orders, Report, Worker, how
from voicebot.server.processes.doorway import Doorway
from voicebot.server.processes.post import DEATHS, Post, why
from voicebot.server.settings import Settings

_GRACE_S = 30.0
"""Behind the deadline for calls: how long a worker may take to say goodbye and go, before it is killed."""
_AT_ONCE_S = 5.0
_LOOK_S = 1.0
_SILENT_LOOKS = 30
"""A worker whose event loop does not turn for so many seconds does nothing for its calls any more."""
_AGAIN_S = 2.0
"""Between two attempts to write down what a dead worker left."""
LEFT_BEHIND = "the server that had this call ended without ending it"


class Supervisor:
    """One server's. `run` returns when the last call is over and all workers have gone."""

    def __init__(
        self,
        settings: Settings,
        server: socket.socket,
        *,
        log: Form = "json",
        colour: bool = False,
        parts: str = "",
        ready: Callable[[Report], object] = lambda _report: None,
    ) -> None:
        """`server` listens already; `ready` is called once, when all workers are."""
        self._stop = asyncio.Event()
        self._at_once = False
        self._on_terminal = os.isatty(sys.stderr.fileno())
        self._run_dir = Path(tempfile.mkdtemp(prefix="voicebot-serve-"))
        told = {"run_dir": self._run_dir, "port": server.getsockname()[1]}
        self._settings = settings.model_copy(update=told)
        self._orders = Orders(settings=self._settings, place=0, log=log, colour=colour, parts=parts)
        self._board = Board.create(self._orders.board, places=2 * settings.workers + 1)
        self._server = server
        self._ready = ready
        self._crew: dict[int, Worker] = {}
        """By place."""
        self._places: asyncio.PriorityQueue[int] = asyncio.PriorityQueue()
        """Those that are free: nobody sits there, and everything is written down that the last one left."""
        for row in self._board.places():
            self._places.put_nowait(row.place)
        self._posts: list[Post] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._failure: VoicebotError | None = None
        self._renewing = False
        self._watching: asyncio.Task[None] | None = None

    async def run(self) -> int:
        """The exit code: 0, or 130 when calls were cut because somebody could not wait. Raises BadInput, Unavailable
        when the server cannot begin, or cannot go on."""
        self._doorway = Doorway(self._server, lambda: list(self._crew.values()))
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        loop.add_signal_handler(signal.SIGINT, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        try:
            await self._begin()
            await asyncio.gather(*(post.keep() for post in self._posts))
            await self._all_gone()
        finally:
            self._doorway.close()
            for task in self._tasks:
                task.cancel()
            for worker in self._crew.values():
                worker.signal(signal.SIGKILL)
            shutil.rmtree(self._run_dir, ignore_errors=True)
        if self._failure:
            raise self._failure
        return EXIT_INTERRUPTED if self._at_once else EXIT_OK

    # -- the beginning -----------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        written = await self._write(Deceased(settings=self._settings, why=LEFT_BEHIND, migrate=True))
        if written.error:
            raise (BadInput if written.exit_code == EXIT_BAD_INPUT else Unavailable)(written.error)
        for call in written.lost:
            logger.bind(call=call).warning(f"call {call} is lost: {LEFT_BEHIND}")
        workers = [await self.hire() for _ in range(self._settings.workers) if not self.stopping]
        reports = await asyncio.gather(*(worker.ready() for worker in workers))
        if self.stopping:
            return
        for worker, report in zip(workers, reports, strict=True):
            if report is None:
                raise self._could_not_begin(worker, how(await worker.gone()))
            if not report.agents:
                raise BadInput("no agent can be called: " + " ".join(report.broken))
        self._posts = [Post(self, worker) for worker in workers]
        self._doorway.open()
        self._watching = asyncio.create_task(self._watch())
        self._ready(workers[0].report or Report())

    def _could_not_begin(self, worker: Worker, end: str) -> VoicebotError:
        if worker.failed:
            bad = worker.failed.exit_code == EXIT_BAD_INPUT
            return (BadInput if bad else Unavailable)(worker.failed.sentence)
        return Unavailable(f"a worker {end} before it was ready; {why(worker)}")

    # -- the office of the posts -------------------------------------------------------------------------------------

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    async def pause(self, seconds: float) -> None:
        """Shorter when the server stops."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def hire(self) -> Worker:
        place = await self._places.get()
        orders = self._orders.model_copy(update={"place": place})
        worker = await Worker.start(self._board.row(place), orders, self._asked_to_stop)
        self._crew[place] = worker
        if self.stopping:
            worker.signal(FINISH)
        return worker

    def bury(self, worker: Worker) -> None:
        self._do(self._bury(worker))

    async def _bury(self, worker: Worker) -> None:
        code, place = await worker.gone(), worker.row.place
        calls = worker.row.leave()
        self._doorway.again(worker.not_taken())
        if calls or (code != EXIT_OK and not (self.stopping and worker.report is None)):
            logger.bind(calls=calls).error(f"worker {place} {how(code)}; it had {calls} calls")
            await self._lose(place, f"its worker {how(code)}")
        del self._crew[place]
        self._places.put_nowait(place)

    async def _lose(self, place: int, why: str) -> None:
        """Its calls are lost: in the state and in their records, however long the database is away."""
        dead = Deceased(settings=self._settings, place=place, why=why)
        while (written := await self._write(dead)).error:
            logger.error(f"what worker {place} left cannot be written down: {written.error}")
            if self.stopping:
                return  # the next start does it
            await self.pause(_AGAIN_S)
        self._board.row(place).count_ended("lost", len(written.lost))
        for call in written.lost:
            logger.bind(call=call).error(f"call {call} is lost: {why}")

    def hopeless(self, worker: Worker) -> bool:
        if any(other.row.ready for other in self._crew.values()):
            return False
        sentence = f"{DEATHS} workers in a row died before they were ready. The last one: {why(worker)}"
        self._failure = Unavailable(sentence)
        self.stop()
        return True

    async def _write(self, dead: Deceased) -> Written:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "voicebot.server.processes.aftermath"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            process_group=0,
        )
        out, _ = await process.communicate(dead.model_dump_json().encode())
        try:
            return Written.model_validate_json(out)
        except ValidationError:
            return Written(error=f"the process for it {how(process.returncode or 0)}.", exit_code=EXIT_FAILED)

    # -- the end, and the next beginning -----------------------------------------------------------------------------

    def stop(self) -> None:
        """No new calls; running ones finish within `drain_s`. Told again: they end now."""
        loop = asyncio.get_running_loop()
        if self.stopping:
            self._at_once = True
            self._signal_all(AT_ONCE)
            loop.call_later(_AT_ONCE_S, self._signal_all, signal.SIGKILL)
            return
        self._stop.set()
        calls = sum(row.calls for row in self._board.rows())
        logger.bind(calls=calls).info(f"the server stops when its calls are over: {calls}")
        self._signal_all(FINISH)
        loop.call_later(self._settings.drain_s + _GRACE_S, self._signal_all, signal.SIGKILL)

    def _asked_to_stop(self) -> None:
        """Over REST; asked again, it is the same wish, and no call is cut."""
        if not self.stopping:
            self.stop()

    def _hung_up(self) -> None:
        """SIGHUP is an order to restart, but for the one that comes when the terminal is closed."""
        if self._on_terminal and not os.isatty(sys.stderr.fileno()):
            self.stop()
        else:
            self.renew()

    def renew(self) -> None:
        """One worker after the other gets a successor, finishes its calls and goes."""
        if self._renewing or self.stopping or not self._posts:
            logger.warning("no restart of the workers: the server is about to start, to restart or to stop")
            return
        self._renewing = True
        self._do(self._renew())

    async def _renew(self) -> None:
        logger.info("the workers are restarted, one after the other")
        try:
            done = [await post.renew() for post in self._posts if not self.stopping]
        finally:
            self._renewing = False
        if all(done) and not self.stopping:
            logger.info("all workers are new")

    async def _all_gone(self) -> None:
        """Also those that have no post, or not any more: they finish their calls. And what they left is written."""
        if not self._posts:
            for worker in list(self._crew.values()):
                await worker.gone()
                self.bury(worker)
        if self._watching:
            self._watching.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _signal_all(self, number: signal.Signals) -> None:
        for worker in self._crew.values():
            worker.signal(number)

    async def _watch(self) -> None:
        """Kill who hangs: its callers hear nothing any more, and others could have its room."""
        beats: dict[Worker, tuple[int, int]] = {}
        while True:
            await asyncio.sleep(_LOOK_S)
            for worker in [worker for worker in self._crew.values() if worker.row.ready]:
                beat, silent = beats.get(worker, (0, 0))
                silent = silent + 1 if beat == worker.row.beat else 0
                beats[worker] = (worker.row.beat, silent)
                if silent == _SILENT_LOOKS:
                    logger.error(f"worker {worker.row.place} hangs, and is killed")
                    worker.signal(signal.SIGKILL)
            beats = {worker: seen for worker, seen in beats.items() if worker in self._crew.values()}

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
