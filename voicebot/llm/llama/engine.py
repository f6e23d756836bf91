"""One model in memory for all calls of this process, worked by one thread of its own.

The calls that are being answered share every step: each adds one token of its answer, or some of its prompt, and one
computation serves them all. So nobody waits for somebody else's whole answer, and a step costs little more for four
than for one. Those for whom there is no seat wait in line, first come first served.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from langchain_core.exceptions import ContextOverflowError, ModelRateLimitError
from loguru import logger

from voicebot.llm.llama.native import ABORTED, DONE, FULL, Context, Part, Weights
from voicebot.llm.llama.request import Ask, Deliver, Finished, Request
from voicebot.llm.llama.seats import Seats
from voicebot.llm.llama.template import ChatTemplate

CONVERSATIONS = 8
"""How many calls keep what was computed for them."""
WAITING = 32
"""How many requests may wait in line."""
STOP_S = 5.0
SHARED_STEP_S = 0.1
"""How long a step may take while somebody speaks: a token every 100 ms is three times as fast as speech."""
LEAST_TOKENS = 8
"""What goes into a step all the same."""


@dataclass(frozen=True)
class Ready:
    """What is known of a model once it is loaded."""

    weights: Weights
    template: ChatTemplate
    context_tokens: int


class Engine:
    """Loads its model at once, in its thread; `ready` says when, or why not."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self.ready: Future[Ready] = Future()
        self._path = path
        self._line: deque[Request] = deque()
        self._change = threading.Condition()
        self._closing = False
        self._work: _Work | None = None
        self._thread = threading.Thread(target=self._run, name=f"llama {name}", daemon=True)
        self._thread.start()

    def submit(self, ask: Ask, deliver: Deliver) -> Request:
        """Have it answered; `deliver` is called, in the engine's thread, with each piece, the last being `Finished` or
        an error. The engine must be ready.

        Raises ContextOverflowError for a prompt that is too long, ModelRateLimitError when too many wait already.
        """
        room = self.ready.result().context_tokens
        if not ask.prompt:
            raise ValueError("there is nothing to answer")
        if len(ask.prompt) >= room:
            raise ContextOverflowError(f"the prompt has {len(ask.prompt)} tokens; {self.name} holds {room} here.")
        request = Request(replace(ask, most_tokens=min(ask.most_tokens, room - len(ask.prompt))), deliver)
        with self._change:
            if len(self._line) >= WAITING:
                raise ModelRateLimitError(f"{WAITING} requests wait for {self.name} already.")
            self._line.append(request)
            self._change.notify()
        return request

    def cancel(self, request: Request) -> None:
        """Stop working on it, also in the middle of a computation; nothing more is delivered. From any thread."""
        request.cancelled = True
        with self._change:
            if request in self._line:
                self._line.remove(request)
                return
        if self._work is not None:
            self._work.context.abort()

    @property
    def busy(self) -> bool:
        """Something is being computed, or waits to be."""
        return bool(self._line) or (self._work is not None and bool(self._work.active))

    def close(self) -> None:
        """Stop at once and give the memory back."""
        with self._change:
            self._closing = True
            self._change.notify()
        if self._work is not None:
            self._work.context.abort()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        weights: Weights | None = None
        try:
            weights = Weights(self._path)
            template = ChatTemplate(weights.template, weights.begin, weights.end, weights.marks())
            context = weights.context(CONVERSATIONS)
            self._work = _Work(weights, context)
        except Exception as error:  # noqa: BLE001  # whoever waits for the model is told
            if weights is not None:
                weights.free()
            self.ready.set_exception(error)
            return
        self.ready.set_result(Ready(weights, template, context.tokens))
        while not self._closing:
            try:
                self._admit(self._work)
                self._work.step()
            except Exception as error:  # noqa: BLE001  # one answer that went wrong must not end all others
                logger.exception("the engine failed")
                self._work.fail_all(error)
        self._work.free()

    def _admit(self, work: _Work) -> None:
        """Wait until there is something to do, and give seats to those first in line."""
        with self._change:
            self._change.wait_for(lambda: self._closing or self._line or work.active)
            if self._closing:
                return
            work.context.proceed()  # before the cancelled are looked for: who cancels after that stops the next step
            work.drop_cancelled()
            while self._line and work.seats.free():
                work.admit(self._line.popleft())


class _Work:
    """What the engine's thread does between two looks at the line."""

    def __init__(self, weights: Weights, context: Context) -> None:
        self.weights = weights
        self.context = context
        self.seats = Seats(context)
        self.active: list[Request] = []
        self._token_s = 0.0
        """What a token of the last step cost."""

    def admit(self, request: Request) -> None:
        try:
            request.begin(self.weights)
        except Exception as error:  # noqa: BLE001  # it alone gets no answer
            request.deliver(error)
            return
        request.seat, request.cached = self.seats.take(request.tokens)
        self.active.append(request)

    def drop_cancelled(self) -> None:
        for request in [request for request in self.active if request.cancelled]:
            self._release(request)

    def step(self) -> None:
        """Compute once for all, and sample for those whose prompt is read."""
        shares = self._shares()
        if not shares:
            return
        began_s = time.perf_counter()
        state, rows = self.context.decode([part for _, part in shares])
        if state != DONE:
            self._failed(state, [request for request, _ in shares])
            return
        self._token_s = (time.perf_counter() - began_s) / sum(len(part.tokens) for _, part in shares)
        for (request, part), row in zip(shares, rows, strict=True):
            assert request.seat is not None
            request.seat.held.extend(part.tokens)
            if row >= 0 and not request.cancelled:
                self._sample(request, row)
            elif len(request.seat.held) == len(request.tokens) and not request.ask.most_tokens:
                request.deliver(Finished("stop", len(request.tokens), request.cached, 0))
                self._release(request)

    def _shares(self) -> list[tuple[Request, Part]]:
        """Who gets what of the next computation: a token for each who speaks, the rest for prompts, the shortest first.

        While somebody speaks, not so much of the prompts that their words would come haltingly.
        """
        waiting = sorted(self.active, key=_unread)
        speaking = len(waiting) > 1 and any(request.answered for request in waiting)
        left = self.context.step_tokens
        if speaking and self._token_s:
            left = min(left, max(LEAST_TOKENS, int(SHARED_STEP_S / self._token_s)))
        shares = []
        for request in waiting:
            seat = request.seat
            assert seat is not None
            tokens = request.tokens[len(seat.held) :][:left]
            if tokens:
                whole = len(seat.held) + len(tokens) == len(request.tokens)
                answer = whole and request.ask.most_tokens > 0
                shares.append((request, Part(seat.number, len(seat.held), tokens, answer)))
                left -= len(tokens)
        return shares

    def _sample(self, request: Request, row: int) -> None:
        assert request.sampler is not None
        assert request.seat is not None
        more = request.take(request.sampler.choose(self.context, row), self.weights)
        if not more:
            self._release(request)
        elif len(request.tokens) <= len(request.seat.held):  # some of it was taken back: sample there again
            self.seats.cut(request.seat, len(request.tokens) - 1)

    def _failed(self, state: int, requests: list[Request]) -> None:
        """Nothing of the step counts: what may have been computed of it is forgotten."""
        for request in requests:
            assert request.seat is not None
            self.seats.cut(request.seat, len(request.seat.held))
        if state == ABORTED:
            return
        if state == FULL:
            if not self.seats.evict():
                self._fail(self.active[-1], ContextOverflowError("the conversations of all calls do not fit together."))
            return
        self.fail_all(RuntimeError(f"llama.cpp failed with {state}"))

    def fail_all(self, error: Exception) -> None:
        """Nobody gets an answer, and nothing that was computed is trusted."""
        for request in list(self.active):
            self._fail(request, error)
        self.seats.clear()

    def _fail(self, request: Request, error: Exception) -> None:
        request.deliver(error)
        self._release(request)

    def _release(self, request: Request) -> None:
        assert request.seat is not None
        self.seats.leave(request.seat)
        self.active.remove(request)
        request.free()

    def free(self) -> None:
        for request in list(self.active):
            self._release(request)
        self.context.free()
        self.weights.free()


def _unread(request: Request) -> int:
    assert request.seat is not None
    return len(request.tokens) - len(request.seat.held)


_engines: dict[Path, Engine] = {}
_lock = threading.Lock()


def engine(path: Path, name: str) -> Engine:
    """The engine of this process for a model file; it is loaded when it is first asked for."""
    path = path.resolve()
    with _lock:
        known = _engines.get(path)
        if known is None or (known.ready.done() and known.ready.exception()):
            known = _engines[path] = Engine(path, name)
        return known


@atexit.register
def close_all() -> None:
    """Free all models. A thread inside llama.cpp must not outlive the interpreter."""
    with _lock:
        engines = list(_engines.values())
        _engines.clear()
    for each in engines:
        each.close()
