"""A persona on the telephone: hears the call's events, decides with its `Mind`, speaks into the line.

The caller knows only what a caller can know: the words it heard, and when. It answers after its reaction time, may
cut in or murmur while the agent speaks, keeps talking when it is interrupted, and asks whether anybody is there when
nothing comes back.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from datetime import date
from typing import Any, Protocol

from voicebot.events import (
    AgentSaying,
    AgentSpeechStarted,
    AgentSpeechStopped,
    CallEnded,
    CallStarted,
    Event,
    HandedOver,
)

from .mind import Mind, Move
from .persona import Persona

MOST_UTTERANCES = 40
"""A call that goes on longer is going in circles: the caller hangs up."""
_SPOKEN_OVER_S = 4.0
"""How long to wait for an answer to what was said while the agent went on talking."""
_JUST_NOW_S = 1.5
"""The agent falling silent this soon after the caller's voice fell silent because of it."""
_HANG_UP_S = (0.2, 0.6)


class Line(Protocol):
    """The caller's end of a `voicebot.transports.link.Link`."""

    async def speak(self, pcm: bytes) -> bool: ...

    def hang_up(self) -> None: ...


class Voice(Protocol):
    async def say(self, text: str) -> bytes: ...


class Caller:
    """One persona in one call. Subscribe `hear` to the call's events and await `run` beside the call."""

    def __init__(self, persona: Persona, line: Line, voice: Voice, rng: random.Random, today: date) -> None:
        self.mind = Mind(persona, rng, today)
        self.said: list[str] = []
        self.handed_over: str | None = None
        """To whom the agent passed this caller."""
        self.interruptions = 0
        self._persona = persona
        self._manners = persona.temperament
        self._line = line
        self._voice = voice
        self._rng = rng
        self._events: asyncio.Queue[tuple[float, Event]] = asyncio.Queue()
        self._heard: list[str] = []
        """What the agent said since the caller last began to speak."""
        self._reply: list[str] = []
        """The clauses of what the agent is saying now."""
        self._agent_talks = self._sounding = False
        self._spoke_over = False
        """The caller's last words began while the agent talked."""
        self._sounded_until_s = float("-inf")
        self._turn: asyncio.Task[None] | None = None
        self._aside: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup

    def hear(self, event: Event) -> None:
        """A face of the call: takes every event and returns at once."""
        self._events.put_nowait((asyncio.get_running_loop().time(), event))

    async def run(self) -> None:
        """Play the caller until the call has ended."""
        async with asyncio.TaskGroup() as self._tasks:
            while True:
                at_s, event = await self._events.get()
                if isinstance(event, CallEnded):
                    break
                self._notice(at_s, event)
            self._end_turn()
            if self._aside:
                self._aside.cancel()

    def _notice(self, at_s: float, event: Event) -> None:
        match event:
            case CallStarted():
                self._begin(self._wait_for_agent())
            case AgentSpeechStarted():
                self._agent_talks, self._spoke_over, self._reply = True, False, []
                if not self._sounding:
                    self._end_turn()
            case AgentSaying():
                self._follow(event, at_s)
            case AgentSpeechStopped():
                self._agent_stopped(event)
            case HandedOver():
                self.handed_over = event.to

    def _agent_stopped(self, event: AgentSpeechStopped) -> None:
        """What was heard wants an answer, unless the caller's own voice cut it off or has answered it already."""
        self._agent_talks = False
        cut_off = event.interrupted and self._clock() - self._sounded_until_s < _JUST_NOW_S
        if not cut_off and not self._spoke_over:
            self._heard.append(event.heard)
        if event.interrupted:
            self._spoke_over = False
        if not self._sounding:
            self._begin(self._respond())

    # -- while the agent speaks --------------------------------------------------------------------------------------

    def _follow(self, clause: AgentSaying, at_s: float) -> None:
        """Decide, clause by clause, whether to cut in or to murmur, and when."""
        starts_s = at_s + (clause.starts_ms - clause.t_ms) / 1000
        length_s = (clause.ends_ms - clause.starts_ms) / 1000
        decisive = self._decisive_words(clause.text)
        if decisive and not self._sounding and (self._turn is None or self._turn.done()):
            so_far, share = decisive
            self._begin(self._cut_in(starts_s + share * length_s, so_far))
        habit = self._manners.backchannels
        if habit and len(clause.text.split()) >= habit.min_words and self._rng.random() < habit.chance:
            if self._aside:
                self._aside.cancel()
            self._aside = self._tasks.create_task(self._murmur(starts_s + self._rng.uniform(0.4, 0.7) * length_s))
        self._reply.append(clause.text)

    def _decisive_words(self, clause: str) -> tuple[str, float] | None:
        """All that is heard up to the word at which the caller cuts in, and that word's place in the clause, 0 to 1."""
        habit = self._manners.interrupts
        if habit is None or self.interruptions >= habit.times:
            return None
        words = clause.split()
        for count in range(habit.after_words, len(words)):
            part = " ".join(words[:count])
            so_far = " ".join([*self._heard, *self._reply, part])
            if self.mind.interrupts(so_far):
                return so_far, len(part) / len(clause)
        return None

    async def _cut_in(self, at_s: float, so_far: str) -> None:
        habit = self._manners.interrupts
        assert habit is not None
        await self._sleep_until(at_s + self._pick_ms(habit.reaction_ms))
        move = self.mind.answer(so_far)
        if move:
            self.interruptions += 1
            await self._say(move)

    async def _murmur(self, at_s: float) -> None:
        """A backchannel: no turn, no answer expected."""
        sound = await self._voice.say(self.mind.backchannel())
        await self._sleep_until(at_s)
        if self._agent_talks and not self._sounding:
            await self._line.speak(sound)

    # -- the caller's turn -------------------------------------------------------------------------------------------

    async def _respond(self) -> None:
        await asyncio.sleep(self._pick_ms(self._manners.reaction_ms))
        heard = " ".join(text for text in self._heard if text)
        move = self.mind.answer(heard) if heard else None
        if move:
            await self._say(move)
        else:
            await self._wait_for_agent()

    async def _say(self, move: Move) -> None:
        """Speak to the end, whatever the agent does; then listen, or hang up."""
        sound = await self._voice.say(move.say)
        self.said.append(move.say)
        self._heard.clear()
        self._spoke_over = self._agent_talks
        self._sounding = True
        self._sounded_until_s = float("inf")
        try:
            await self._line.speak(sound)
        finally:
            self._sounding = False
            self._sounded_until_s = self._clock()
        if move.hang_up or len(self.said) >= MOST_UTTERANCES:
            await asyncio.sleep(self._rng.uniform(*_HANG_UP_S))
            self._line.hang_up()
        elif any(self._heard) and not self._agent_talks:
            await self._respond()
        else:
            await self._wait_for_agent()

    async def _wait_for_agent(self) -> None:
        """Nothing to say until the agent speaks (which ends this), or has been silent for too long."""
        await asyncio.sleep(_SPOKEN_OVER_S if self._spoke_over else self._manners.silence_ms / 1000)
        if self._agent_talks:
            return
        overheard, self._spoke_over = self._spoke_over, False
        await self._say(self.mind.again() if overheard else self.mind.silence())

    def _begin(self, turn: Coroutine[Any, Any, None]) -> None:
        """The caller does one thing at a time: this replaces what it was about to do."""
        self._end_turn()
        self._turn = self._tasks.create_task(turn)

    def _end_turn(self) -> None:
        if self._turn:
            self._turn.cancel()
        self._turn = None

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()

    async def _sleep_until(self, at_s: float) -> None:
        await asyncio.sleep(max(0.0, at_s - self._clock()))

    def _pick_ms(self, span_ms: tuple[int, int]) -> float:
        """Seconds: a random point of a span in milliseconds."""
        return self._rng.uniform(*span_ms) / 1000
