"""The event loop that skips idling, and goes the same way every time.

Its `time()` is the time of the conversation. It moves by three rules, looked at only when nothing is left to run:

- A job of an executor is pending: the time stands still until the job is done. So what comes of computing never depends
  on how long it took, on the machine or on what else runs there. A job gives what it pushes (`call_soon_threadsafe`)
  and its result in the order in which it does, and jobs come one after another in the order in which they were
  submitted. Only what somebody waits for from outside (`work`) comes in meanwhile.
- Somebody else is waited for (`work`: a network, a tool of a user): the time stands still for `GRACE_S`, in which most
  local tools answer; then it goes on at real speed, from where it would have been without the grace, so that timeouts
  and fillers come when they must. A job that takes longer than `PATIENCE_S` is waited for in the same way.
- Nobody works: the time jumps to the next timer.

The *lag* is what computing has really taken and idling has not made up for: it grows wherever the time stands still,
and shrinks by each step of the time. Something that happens at `time()` would have happened at `time() + lag_s` on the
real clock of the same machine.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import Context, copy_context
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_Ready = list[tuple[selectors.SelectorKey, int]]

GRACE_S = 0.5
"""Real time for which the conversation's time waits for a network or a user's tool."""
PATIENCE_S = 10.0
"""Real time for which it waits for a job of an executor."""
_BEGINS_AT_S = 3600.0
_STEPS_A_SECOND = 2**30
"""The time moves in steps that floats hold exactly: a difference of two times is the same wherever the clock stands."""
_MOST_TURNS = 10_000
"""A loop that has something to run so often in a row waits, in its own way, for something from outside."""


class Outside(Executor):
    """An executor whose jobs are not the engine's: they may wait for a network, as `work` does."""


class SkipIdleLoop(asyncio.SelectorEventLoop):
    """An event loop whose time skips idling and stands still while something is computed."""

    def __init__(self) -> None:
        self._time_s = _BEGINS_AT_S
        self._since_s = time.monotonic()
        """Real time up to which everything is accounted for."""
        self._busy_until_s = 0.0
        """The time at which this machine would have done what it has done, had it gone at real speed."""
        self._held_s = 0.0
        """Real time that has been waited for what is pending while the time stood still."""
        self._grace_s = GRACE_S
        """What is left of it."""
        self._ahead_s: float | None = None
        """Where the time goes on at real speed: the time that belongs to a real time of 0; else None."""
        self._followers: list[Callable[[float], object]] = []
        self._works = 0
        self._turns = 0
        self._jobs: deque[_Job] = deque()
        self._pushed: deque[_Push] = deque()
        self._thread: int | None = None
        self._executor: Executor = ThreadPoolExecutor(thread_name_prefix="asyncio")
        super().__init__(_Selector(self))
        super().set_default_executor(self._executor)

    # -- what time it is ---------------------------------------------------------------------------------------------

    def time(self) -> float:
        """Seconds of the conversation; the same at each call until everybody waits."""
        return self._time_s

    @property
    def lag_s(self) -> float:
        """How much later than `time()` the real clock would be by now."""
        busy_until_s = max(self._busy_until_s, self._time_s) + time.monotonic() - self._since_s
        return busy_until_s - self._time_s

    def catch_up(self) -> None:
        """What has been computed so far is no lag: nobody waited for it."""
        self._busy_until_s, self._since_s = self._time_s, time.monotonic()

    def _computed(self) -> None:
        """Since the last look, this thread has computed."""
        now_s = time.monotonic()
        self._busy_until_s = max(self._busy_until_s, self._time_s) + now_s - self._since_s
        self._since_s = now_s

    def _waited(self) -> float:
        """Since the last look, this thread has waited -> for how long."""
        now_s = time.monotonic()
        waited_s, self._since_s = now_s - self._since_s, now_s
        return waited_s

    def _moves_to(self, time_s: float) -> None:
        before_s = self._time_s
        self._time_s = max(before_s, math.ceil(time_s * _STEPS_A_SECOND) / _STEPS_A_SECOND)
        for follower in self._followers:
            follower(self._time_s - before_s)

    @contextmanager
    def followed_by(self, follower: Callable[[float], object]) -> Iterator[None]:
        """Inside, `follower` is told of each step of the time, in seconds: another clock that goes with this one."""
        self._followers.append(follower)
        try:
            yield
        finally:
            self._followers.remove(follower)

    # -- what is pending ---------------------------------------------------------------------------------------------

    @contextmanager
    def work(self) -> Iterator[None]:
        """What is awaited inside is somebody else's work."""
        self._works += 1
        try:
            yield
        finally:
            self._work_ended()

    def _work_ended(self, _: object = None) -> None:
        self._works -= 1

    def set_default_executor(self, executor: ThreadPoolExecutor) -> None:  # type: ignore[override]  # as asyncio demands
        super().set_default_executor(executor)
        self._executor = executor

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """As asyncio's. A thread of the default executor during `work` is a part of that work, as a library has it."""
        if executor is None and self._works:
            future = super().run_in_executor(None, func, *args)
            self._works += 1
            future.add_done_callback(self._work_ended)
            return future
        job = _Job(self, lambda: func(*args), GRACE_S if isinstance(executor, Outside) else PATIENCE_S)
        job.submitted_to(executor or self._executor)
        self._jobs.append(job)
        return job.future

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As asyncio's, but what other threads push waits for its turn."""
        if threading.get_ident() == self._thread or self._thread is None:
            return super().call_soon_threadsafe(callback, *args, context=context)
        push = _Push(self, lambda: callback(*args), context or copy_context())
        job: _Job | None = getattr(_HERE, "job", None)
        (job.pushed if job and job.loop is self else self._pushed).append(push)
        self.wake()
        return push

    def wake(self) -> None:
        """End the wait of the selector. From any thread."""
        super().call_soon_threadsafe(_nothing)

    def run_forever(self) -> None:
        self._thread, self._since_s = threading.get_ident(), time.monotonic()
        try:
            super().run_forever()
        finally:
            self._thread = None

    async def shutdown_default_executor(self, *args: Any) -> None:
        with self.work():
            await super().shutdown_default_executor(*args)

    def _standing(self) -> _Job | None:
        """The job for which the time stands still: the oldest that nobody has given up."""
        now_s = time.monotonic()
        return next((job for job in self._jobs if not job.given_up and now_s < job.patient_until_s), None)

    def _let_in(self) -> bool:
        """Run the next thing that comes from another thread, if it is there -> whether it was."""
        standing = self._standing()
        if standing and self._let_in_of(standing):
            return True
        in_any_order = standing is None or self._ahead_s is not None
        if in_any_order and any(self._let_in_of(job) for job in list(self._jobs) if job is not standing):
            return True
        if self._pushed and (in_any_order or self._works):
            self._run(self._pushed.popleft())
            return True
        return False

    def _let_in_of(self, job: _Job) -> bool:
        done = job.done  # asked first: what it pushes comes before that
        if job.pushed:
            self._run(job.pushed.popleft())
        elif done:
            self._jobs.remove(job)
            self._came()
            self.call_soon(job.settle)
        else:
            return False
        return True

    def _run(self, push: _Push) -> None:
        self._came()
        if not push.cancelled():
            self.call_soon(push.callback, context=push.context)

    def _came(self) -> None:
        """What was waited for: the wait was computing."""
        self._busy_until_s = max(self._busy_until_s, self._time_s) + self._held_s
        self._held_s = 0.0

    # -- the selector's questions ------------------------------------------------------------------------------------

    def wait(self, selector: _Selector, timeout: float | None) -> _Ready:
        """What of the selector is ready, after a wait that may or may not take real time."""
        self._computed()
        try:
            if timeout is None or timeout > 0:
                self._turns = 0
                return self._quiet(selector, timeout)
            self._turns += 1
            if self._turns < _MOST_TURNS:
                return []
            self._let_in()
            self._moves_to(self._time_s + self.lag_s)
            return selector.ready(0)
        finally:
            self._since_s = time.monotonic()

    def _quiet(self, selector: _Selector, timeout: float | None) -> _Ready:
        """Nothing is left to run, and the next timer is due in `timeout` seconds."""
        if self._let_in():
            return []
        if job := self._standing():
            networks = self._works > 0 or self._ahead_s is not None
            events = selector.ready(job.patient_until_s - self._since_s, only_threads=not networks)
            self._held_s += self._waited()
            if not self._let_in() and events and networks:
                self._came()
            return events
        overdue = any(not job.given_up for job in self._jobs)
        if not self._works and not overdue:
            return self._idle(selector, timeout)
        if self._ahead_s is None and self._grace_s > 0 and not overdue:
            return self._grace(selector)
        return self._at_real_speed(selector, timeout)

    def _idle(self, selector: _Selector, timeout: float | None) -> _Ready:
        events = selector.ready(None if timeout is None else 0)
        if not events and timeout is not None:
            self._ahead_s, self._held_s, self._grace_s = None, 0.0, GRACE_S
            self._moves_to(self._time_s + timeout)
        return events

    def _grace(self, selector: _Selector) -> _Ready:
        events = selector.ready(self._grace_s)
        waited_s = self._waited()
        self._grace_s -= waited_s
        self._held_s += waited_s
        if not self._let_in() and events:
            self._came()
        return events

    def _at_real_speed(self, selector: _Selector, timeout: float | None) -> _Ready:
        if self._ahead_s is None:
            self._ahead_s = max(self._busy_until_s, self._time_s) + self._held_s - self._since_s
            self._held_s = 0.0
        due_s = math.inf if timeout is None else self._time_s + timeout
        events: _Ready = []
        if due_s > self._ahead_s + self._since_s:
            events = selector.ready(None if timeout is None else due_s - self._ahead_s - self._since_s)
            self._waited()
        self._moves_to(min(due_s, self._ahead_s + self._since_s))
        self._let_in()
        return events


class _Job:
    """One job of an executor."""

    def __init__(self, loop: SkipIdleLoop, work: Callable[[], Any], patience_s: float) -> None:
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.patient_until_s = time.monotonic() + patience_s
        self.pushed: deque[_Push] = deque()
        """What it has pushed and nobody has taken in."""
        self.done = False
        self._work = work
        self._result: Any = None
        self._error: BaseException | None = None
        self._submitted: Future[None]

    @property
    def given_up(self) -> bool:
        return self.future.cancelled()

    def submitted_to(self, executor: Executor) -> None:
        self._submitted = executor.submit(self._do)
        self._submitted.add_done_callback(self._ended)
        self.future.add_done_callback(self._no_longer_wanted)

    def settle(self) -> None:
        """Give the result to whoever waits. On the loop."""
        if self.future.done():
            return
        if self._submitted.cancelled():
            self.future.cancel()
        elif self._error is not None:
            self.future.set_exception(self._error)
        else:
            self.future.set_result(self._result)

    def _do(self) -> None:
        _HERE.job = self
        try:
            self._result = self._work()
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to whoever waits for the result
            self._error = error
        finally:
            _HERE.job = None
            del self._work

    def _ended(self, _: Future[None]) -> None:
        """Done, or never begun. On any thread."""
        self.done = True
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.wake()

    def _no_longer_wanted(self, future: asyncio.Future[Any]) -> None:
        if future.cancelled():
            self._submitted.cancel()


class _Push(asyncio.Handle):
    """A callback from another thread, until its turn comes."""

    def __init__(self, loop: SkipIdleLoop, callback: Callable[[], object], context: Context) -> None:
        super().__init__(callback, (), loop, context)
        self.callback = callback
        self.context = context


class _Selector(selectors.DefaultSelector):
    """Asks the loop how to wait."""

    def __init__(self, loop: SkipIdleLoop) -> None:
        super().__init__()
        self._loop = loop
        self._threads = selectors.DefaultSelector()
        """Only what the loop registers first: the end of its own pipe, by which threads wake it."""

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if not self._threads.get_map():
            self._threads.register(fileobj, events, data)
        return super().register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = super().unregister(fileobj)
        if key.fd in self._threads.get_map():
            self._threads.unregister(key.fd)
        return key

    def select(self, timeout: float | None = None) -> _Ready:
        return self._loop.wait(self, timeout)

    def ready(self, timeout: float | None, *, only_threads: bool = False) -> _Ready:
        """What is ready within `timeout` seconds of real time."""
        return self._threads.select(timeout) if only_threads else super().select(timeout)

    def close(self) -> None:
        self._threads.close()
        super().close()


def _nothing() -> None:
    """Called only to wake the loop."""


_HERE = threading.local()
"""`job`: the job that this thread is at."""
