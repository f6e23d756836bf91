"""One process of callers: `python -m voicebot.evals.bench.calls.crowd` reads a plan, carries it out, prints what came.

Plan and outcome are JSON on stdin and stdout. All moments in the plan are times of the machine's monotonic clock.
"""

from __future__ import annotations

import asyncio
import gc
import secrets
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import orjson

from voicebot.evals.bench.calls.caller import FRAME_GRAIN, FRAME_S, Caller, Reply, as_base64
from voicebot.evals.bench.calls.line import NoAnswer
from voicebot.evals.bench.calls.plan import FIRST_CALLS, Door, Plan
from voicebot.evals.bench.calls.script import TURN_S, noise_frames
from voicebot.evals.bench.calls.webhook import stream_of

_NOISE_FRAMES = 400
_VISIT_MOST_S = 5.0
"""A visitor who has heard nothing for so long gives up."""


@dataclass(frozen=True)
class Outcome:
    """What the callers of one process saw."""

    replies: list[Reply]
    lost: list[str]
    """Why each call that was lost, or never began, was."""
    setups_s: list[float]
    """Of the visits."""
    late_ms: float
    """95th percentile of how late frames left."""

    @classmethod
    def of(cls, told: dict[str, Any]) -> Outcome:
        return cls(**(told | {"replies": [Reply(**reply) for reply in told["replies"]]}))


class Crowd:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rng = np.random.default_rng(1 + plan.callers[0])
        self._noise = as_base64(noise_frames(self._rng, _NOISE_FRAMES))
        self._callers = {number: self._caller(number) for number in plan.callers}

    def _caller(self, number: int) -> Caller:
        """Callers are spread evenly over the 20 ms between two frames."""
        offset_s = FRAME_S * (number % self._plan.calls) / self._plan.calls
        return Caller(secrets.token_hex(16), self._noise, offset_s, self._plan.reply_s)

    async def run(self) -> Outcome:
        times = self._plan.timeline
        async with asyncio.TaskGroup() as tasks:
            for number, caller in self._callers.items():
                tasks.create_task(self._call(number, caller))
            visits = [tasks.create_task(self._visit(at)) for at in times.visits if self._plan.visits]
        callers = self._callers.values()
        late_ms = [ms for caller in callers for ms in caller.late_ms]
        return Outcome(
            [reply for caller in callers for reply in caller.replies],
            [caller.lost for caller in callers if caller.lost],
            [took for visit in visits if (took := visit.result()) is not None],
            float(np.percentile(late_ms, 95)) if late_ms else 0.0,
        )

    async def _call(self, number: int, caller: Caller) -> None:
        times, scripts = self._plan.timeline, self._plan.scripts
        await _until(times.dial[number])
        try:
            await self._dial(self._plan.door, caller)
        except (NoAnswer, OSError, ValueError) as error:
            caller.lost = f"not answered: {str(error) or type(error).__name__}"
            return
        script = scripts[number % len(scripts)]
        if number < FIRST_CALLS:
            await _until(times.warm_up)
            caller.talk(script.first_turn())
        await _until(times.talk)
        if caller.setup_s is None:
            caller.lost = caller.lost or "no greeting came"
        caller.talk(script, self._random_lead())
        await _until(times.over)
        caller.hang_up()

    async def _dial(self, door: Door, caller: Caller) -> None:
        stream = await stream_of(door, caller.sid)
        await caller.dial(stream.url, stream.headers, stream.parameters)

    async def _visit(self, at: float) -> float | None:
        """How long set-up took; None when nothing came."""
        await _until(at)
        visitor = self._caller(int(at * 1000))
        try:
            await self._dial(self._plan.door, visitor)
        except (NoAnswer, OSError, ValueError):
            return None
        await visitor.hears_something(within_s=_VISIT_MOST_S)
        visitor.hang_up()
        return visitor.setup_s

    def _random_lead(self) -> int:
        """Frames of noise before a script, so that callers are at random moments of their turns."""
        return int(self._rng.integers(0, int(TURN_S / FRAME_S / FRAME_GRAIN))) * FRAME_GRAIN


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


def main() -> None:
    plan = Plan.of(orjson.loads(sys.stdin.buffer.read()))
    crowd = Crowd(plan)
    gc.freeze()
    outcome = _run(crowd)
    sys.stdout.buffer.write(orjson.dumps(asdict(outcome)))


def _run(crowd: Crowd) -> Outcome:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return asyncio.run(crowd.run())
    return uvloop.run(crowd.run())


if __name__ == "__main__":
    main()
