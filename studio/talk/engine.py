"""The process of one call: `python -m voicebot.studio.talk.engine`, orders on stdin, reports on stdout.

Nothing of the call waits for the studio. Reports go through a bounded queue to a thread that writes them; when the
studio does not keep up, they are left out and counted. When it is gone, the call is hung up.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from voicebot.errors import BadInput, VoicebotError
from voicebot.studio.talk import wire

if TYPE_CHECKING:
    from voicebot.agent import Agent
    from voicebot.brain.rewound import Remembered, Rewound
    from voicebot.call import Call
    from voicebot.transports.mic import Microphone

WAITING = 4096
"""Reports that may wait to be written: minutes of a call."""
LEVELS_S = 0.1
_LAST = object()


class Reports:
    """The way out. `tell` is a plain call on the event loop, and never waits."""

    def __init__(self, out: int) -> None:
        """`out` is a file descriptor."""
        self.left_out = 0
        self._out = out
        self._queue: queue.Queue[Callable[[], wire.Report] | object] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._write, name="reports", daemon=True)
        self._thread.start()

    def tell(self, make: Callable[[], wire.Report]) -> None:
        """`make` builds the report, in the thread that writes it."""
        try:
            self._queue.put_nowait(make)
        except queue.Full:
            self.left_out += 1

    def close(self) -> None:
        """Returns when all is written, or the studio has not read for a while."""
        self._queue.put(_LAST, timeout=2)
        self._thread.join(2)

    def _write(self) -> None:
        while callable(make := self._queue.get()):
            try:
                _write_all(self._out, make().model_dump_json().encode() + b"\n")
            except OSError:
                return  # the studio has gone; stdin says so, too


def _write_all(out: int, data: bytes) -> None:
    while data:
        data = data[os.write(out, data) :]


class Typing:
    """A caller who only types: `say` is a turn."""

    name = "keyboard"
    caller = "keyboard"
    rate_hz = 0

    def __init__(self) -> None:
        self._gone = asyncio.Event()

    async def run(self, ear: object) -> str:
        await self._gone.wait()
        return "caller_hung_up"

    def hang_up(self) -> None:
        self._gone.set()

    def play(self, pcm: bytes) -> None:
        """There is no sound in a typed conversation."""

    def clear(self) -> None:
        """There is no sound in a typed conversation."""

    def played(self) -> int:
        return 0


class Conversation:
    """One call, and the orders that reach into it."""

    def __init__(self, begin: wire.Begin, reports: Reports) -> None:
        """Raises what opening an agent or a sound card raises."""
        from voicebot import paths
        from voicebot.agent import Agent
        from voicebot.call import Call
        from voicebot.call.opening import new_id

        self._reports = reports
        self._begin = begin
        self._turn = 0
        self._agent_speaks = False
        self.answered = asyncio.Event()
        """Orders count from then on."""
        agent = Agent.load(begin.agent)
        self._caller = _caller(begin)
        call_id = new_id()
        self._brain = _brain(begin, agent, call_id, self._keep)
        record = paths.calls_dir(agent.root)
        self.call: Call = Call(agent, self._caller, record=record, brain=self._brain, call_id=call_id)  # type: ignore[arg-type]  # typing is a Transport, too
        self.call.subscribe(self._happened)

    async def run(self) -> None:
        """From answer to hang-up. Reports how it ended."""
        helpers = [asyncio.create_task(self._first_words())]
        if self._sound:
            helpers.append(asyncio.create_task(self._levels()))
        try:
            ended = await self.call.run()
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
        failed = ended.detail if ended.reason == "failed" else ""
        self._reports.tell(partial(wire.Over, folder=self.call.folder, failed=failed, left_out=self._reports.left_out))

    def obey(self, order: wire.Order) -> None:
        match order:
            case wire.Say():
                self.call.text(order.text)
            case wire.Interrupt() if self._agent_speaks:
                self.call.barge_in()
            case wire.Mute() if self._sound:
                self._sound.sound.muted = order.on
            case wire.HangUp():
                self.call.end("caller_hung_up", "")
            case _:
                pass  # nothing to interrupt, nothing to mute

    @property
    def _sound(self) -> Microphone | None:
        return self._caller if self._begin.caller == "microphone" else None  # type: ignore[return-value]  # as _caller made it

    def _happened(self, event: object) -> None:
        from voicebot import events

        if isinstance(event, events.CallStarted):
            self.answered.set()
        elif isinstance(event, events.TurnEnded):
            self._turn = event.turn
        elif isinstance(event, events.AgentSpeechStarted | events.AgentSpeechStopped):
            self._agent_speaks = isinstance(event, events.AgentSpeechStarted)
        self._reports.tell(partial(wire.Happened, event=event))

    def _keep(self, memory: Remembered) -> None:
        turn = self._turn
        self._reports.tell(lambda: wire.Kept(turn=turn, memory=memory.to_json()))

    async def _first_words(self) -> None:
        await self._brain.begun.wait()
        if self._begin.say:
            self.call.text(self._begin.say)

    async def _levels(self) -> None:
        assert self._sound
        sound = self._sound.sound
        while True:
            await asyncio.sleep(LEVELS_S)
            levels = {"microphone_db": sound.microphone_db, "agent_db": sound.loudspeaker_db}
            self._reports.tell(partial(wire.Levels, **levels))


def _caller(begin: wire.Begin) -> object:
    if begin.caller == "typing":
        return Typing()
    if begin.caller == "recording":
        from voicebot.transports.wav import WavCaller

        if begin.recording is None:
            raise BadInput("no recording is named. Choose a WAV file.")
        return WavCaller(begin.recording)
    from voicebot.transports import cards
    from voicebot.transports.mic import Microphone

    found = cards.cards(None)
    devices = found.devices()
    pair = (cards.choose(devices, "input", begin.microphone), cards.choose(devices, "output", begin.loudspeaker))
    return Microphone(found, pair, echo_cancellation=not begin.headphones)


def _brain(begin: wire.Begin, agent: Agent, call_id: str, keep: Callable[[Remembered], None]) -> Rewound:
    from voicebot.brain.mind import open_brain
    from voicebot.brain.rewound import Remembered, Rewound
    from voicebot.brain.watch import guard_of

    memory = Remembered.from_json(begin.memory) if begin.memory else None
    return Rewound(open_brain(agent, call_id, guard_of(agent)), memory, keep)


async def converse(reports: Reports) -> None:
    """Wait for the order to begin, and make the call."""
    orders: asyncio.Queue[wire.Order] = asyncio.Queue(16)
    threading.Thread(target=_read, args=(asyncio.get_running_loop(), orders), name="orders", daemon=True).start()
    reports.tell(wire.Ready)
    begin = await orders.get()
    if not isinstance(begin, wire.Begin):
        return  # the studio changed its mind
    try:
        conversation = Conversation(begin, reports)
        async with asyncio.TaskGroup() as group:
            obeying = group.create_task(_obey(conversation, orders))
            await conversation.run()
            obeying.cancel()
    except Exception as raised:  # noqa: BLE001 - the one place where whatever ends a call becomes a sentence
        _broke(raised, reports)


async def _obey(conversation: Conversation, orders: asyncio.Queue[wire.Order]) -> None:
    await conversation.answered.wait()
    while True:
        conversation.obey(await orders.get())


def _read(loop: asyncio.AbstractEventLoop, orders: asyncio.Queue[wire.Order]) -> None:
    """Orders as they come; the end of stdin is one to hang up. A thread that dies with the process."""
    with suppress(RuntimeError):  # the loop is closed: the call is over
        for line in sys.stdin.buffer:
            asyncio.run_coroutine_threadsafe(orders.put(wire.ORDERS.validate_json(line)), loop).result()
        asyncio.run_coroutine_threadsafe(orders.put(wire.HangUp()), loop)


def _broke(raised: BaseException, reports: Reports) -> None:
    while isinstance(raised, BaseExceptionGroup):
        raised = raised.exceptions[0]
    if isinstance(raised, VoicebotError):
        reports.tell(partial(wire.Broke, sentence=str(raised)))
        return
    traceback.print_exception(raised)
    sentence = f"The engine stopped with {type(raised).__name__}: {raised}. This is a bug in voicebot."
    reports.tell(partial(wire.Broke, sentence=sentence, is_bug=True))


def main() -> None:
    """Whatever a library prints goes to stderr: stdout belongs to the reports."""
    out = os.dup(1)
    os.dup2(2, 1)
    reports = Reports(out)
    try:
        import voicebot.brain.mind
        import voicebot.call  # noqa: F401 - takes seconds: now, and not when the user presses a key

        asyncio.run(converse(reports))
    except KeyboardInterrupt:
        pass  # the terminal's Ctrl-C reaches every process in it; the studio decides
    finally:
        reports.close()


if __name__ == "__main__":
    main()
