"""How a provider does, over the last minutes: how often it fails, how long it takes, and whether it is passed over.

    health = health_of("tts", "elevenlabs/flash-v2.5")
    if health.allows():
        try: ...; health.took(0.18); health.succeeded()
        except OSError: health.failed()

A provider is passed over for a while when it failed several times in a row, when many of its last tries failed, or
when it has become much slower than it usually is. Then one caller tries it; when that goes well, it is back. Who is
always slow is what somebody chose; so is whoever runs in this process, where the machine is slow and not the provider.

Each event loop has its own, as each has its clock: the workers of a server share nothing.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import Literal, Protocol
from weakref import WeakKeyDictionary

from voicebot import providers
from voicebot.breaker import FAILURES, Breaker, breaker_of
from voicebot.latency import Percentiles, percentiles

Kind = Literal["stt", "llm", "tts"]

WINDOW_S = 120.0
"""Tries that are older say nothing about now."""
SHARE = 0.4
"""Of the tries within that time: so many failures are too many ..."""
TRIES = 10
"""... when there were so many tries."""
RECENT = 5
"""Answers whose median says how long the provider takes now."""
USUAL = 10
"""Answers before those that it takes to know what is usual."""
SLOW_S = 1.0
"""Below that nobody is slow."""
SLOWER = 3.0
"""Times slower than usual is slow."""
_REMEMBERED = 200
"""Tries, and answers."""


@dataclass(frozen=True)
class State:
    """How it does now."""

    tries: int
    """Of the last `WINDOW_S`."""
    failures: int
    latency_s: Percentiles | None
    """What `took` was told, in the same time; None: nothing."""
    passed_over: str
    """Why, as a clause; '' when it is not."""


class Witness(Protocol):
    """Who wants to know at once. Called on the event loop."""

    def took(self, kind: Kind, name: str, seconds: float) -> None:
        """How long its answer was waited for."""

    def tried(self, kind: Kind, name: str, *, ok: bool) -> None: ...

    def passed_over(self, kind: Kind, name: str, *, yes: bool) -> None:
        """From now on, or not any more."""


class Health:
    """One provider's. Made by `health_of`."""

    def __init__(self, kind: Kind, name: str, breaker: Breaker, witnesses: list[Witness]) -> None:
        self.kind = kind
        self.name = name
        self._breaker = breaker
        self._witnesses = witnesses
        self.here = _in_this_process(kind, name)
        """It runs in this process: nobody waits for a network."""
        self._tries: deque[tuple[float, bool]] = deque(maxlen=_REMEMBERED)
        self._took: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)
        """(when, how long), the last one last."""
        self._back_s = -math.inf
        """What was before it came back no longer counts."""
        self._why = ""
        self.merely_slow = False
        """When it is passed over: it answers, but slowly. Where there is nobody else, that is good enough."""

    @property
    def closed(self) -> bool:
        """It is not passed over. Looking changes nothing, unlike `allows`."""
        return self._breaker.closed

    @property
    def why(self) -> str:
        """It is passed over because ..., as a clause: 'it failed 3 times in a row'. '': it is not."""
        return "" if self.closed else self._why

    def allows(self) -> bool:
        """Whether to try now. Who gets True tries, and reports."""
        return self._breaker.allows()

    # -- what comes of it --------------------------------------------------------------------------------------------

    def took(self, seconds: float) -> None:
        """So long was waited for the first token, the first audio or the final transcript."""
        self._took.append((_now_s(), seconds))
        for witness in self._witnesses:
            witness.took(self.kind, self.name, seconds)

    def succeeded(self) -> None:
        """A try went well."""
        was_closed = self.closed
        self._tried(ok=True)
        if slow := self._slow(1 if not was_closed else RECENT):
            self._pass_over(slow, merely_slow=True)
            return
        self._breaker.succeeded()
        if not was_closed:
            self._why, self._back_s = "", _now_s()
            self._tell(yes=False)

    def failed(self) -> None:
        was_closed = self.closed
        self._tried(ok=False)
        self._breaker.failed()
        if not self.closed:
            self._why = self._why or f"it failed {FAILURES} times in a row"
            self.merely_slow = False
            if was_closed:
                self._tell(yes=True)
        elif failing := self._failing():
            self._pass_over(failing, merely_slow=False)

    # -- how it does -------------------------------------------------------------------------------------------------

    def state(self) -> State:
        since_s = _now_s() - WINDOW_S
        tries = self._tries_since(since_s)
        latency = percentiles(seconds for at_s, seconds in self._took if at_s >= since_s)
        return State(len(tries), tries.count(False), latency, self.why)

    def _tries_since(self, since_s: float) -> list[bool]:
        return [ok for at_s, ok in self._tries if at_s >= since_s]

    def _failing(self) -> str:
        tries = self._tries_since(max(self._back_s, _now_s() - WINDOW_S))
        failures = tries.count(False)
        if len(tries) < TRIES or failures < SHARE * len(tries):
            return ""
        return f"{failures} of its last {len(tries)} tries failed"

    def _slow(self, last: int) -> str:
        """`last`: so many answers are looked at."""
        known = len(self._took) - last
        if self.here or known < USUAL:
            return ""
        usual_s = median(seconds for _, seconds in islice(self._took, known))
        now_s = median(seconds for _, seconds in islice(self._took, known, None))
        if now_s <= max(SLOW_S, SLOWER * usual_s):
            return ""
        return f"it takes {now_s:.1f} s, usually {usual_s:.1f} s"

    def _pass_over(self, why: str, *, merely_slow: bool) -> None:
        told = self.closed
        self._why, self.merely_slow = why, merely_slow
        self._breaker.open()
        if told:
            self._tell(yes=True)

    def _tried(self, *, ok: bool) -> None:
        self._tries.append((_now_s(), ok))
        for witness in self._witnesses:
            witness.tried(self.kind, self.name, ok=ok)

    def _tell(self, *, yes: bool) -> None:
        for witness in self._witnesses:
            witness.passed_over(self.kind, self.name, yes=yes)


class Ward:
    """All providers that were tried on one event loop."""

    def __init__(self) -> None:
        self.witnesses: list[Witness] = []
        self._all: dict[tuple[Kind, str, str], Health] = {}

    def health_of(self, kind: Kind, name: str, place: str) -> Health:
        if (kind, name, place) not in self._all:
            breaker = breaker_of(" ".join(part for part in (kind, name, place) if part))
            self._all[kind, name, place] = Health(kind, name, breaker, self.witnesses)
        return self._all[kind, name, place]

    def __iter__(self) -> Iterator[Health]:
        return iter(list(self._all.values()))


_WARDS: WeakKeyDictionary[asyncio.AbstractEventLoop, Ward] = WeakKeyDictionary()


def ward() -> Ward:
    """That of the running event loop."""
    return _WARDS.setdefault(asyncio.get_running_loop(), Ward())


def health_of(kind: Kind, name: str, place: str = "") -> Health:
    """Of 'provider/model', shared by all calls of the running loop; `place` is where it is asked, if that may vary."""
    return ward().health_of(kind, name, place)


def _in_this_process(kind: Kind, name: str) -> bool:
    provider = name.partition("/")[0]
    return any(one.offline for one in providers.providers() if (one.kind, one.name) == (kind, provider))


def _now_s() -> float:
    return asyncio.get_running_loop().time()
