"""A persona on the telephone: hears the call's events, asks its `Words` what to say, and says it in time.

The caller knows only what a caller can know: the words it heard, and when. It answers after its reaction time, may
cut in or murmur while the agent speaks, keeps talking when it is interrupted, and asks whether anybody is there when
nothing comes back. What it says comes from rules, a script, a model or a recording (`words.py`); when, is the same for
all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any

from voicebot.events import (
    AgentSaying,
    AgentSpeechStarted,
    AgentSpeechStopped,
    CallEnded,
    CallStarted,
    Event,
    HandedOver,
)

from .dice import Dice
from .habits import Habits
from .mouth import Mouth, Piece
from .temperament import Interrupts, Temperament
from .words import Move, Words

MOST_UTTERANCES = 40
"""A call that goes on longer is going in circles: the caller hangs up."""
LONGEST_S = 600.0
"""So does a call that takes longer than this."""
_SPOKEN_OVER_S = 4.0
"""How long to wait for an answer to what was said while the agent went on talking."""
_JUST_NOW_S = 1.5
"""The agent falling silent this soon after the caller's voice fell silent because of it."""
_HANG_UP_MS = (200, 600)
_CUTS_IN_MS = Interrupts.model_fields["reaction_ms"].default


class Caller:
    """One persona in one call. Subscribe `hear` to the call's events and await `run` beside the call."""

    def __init__(
        self, words: Words, mouth: Mouth, manners: Temperament, dice: Dice, murmurs: Sequence[str] = ("uh-huh.",)
    ) -> None:
        self.words = words
        self.mouth = mouth
        self.said: list[str] = []
        self.handed_over: str | None = None
        """To whom the agent passed this caller."""
        self.interruptions = 0
        self._manners = manners
        self._dice = dice
        self._habits = Habits(manners, dice, murmurs)
        self._events: asyncio.Queue[tuple[float, Event]] = asyncio.Queue()
        self._heard: list[str] = []
        """What the agent said since the caller last began to speak."""
        self._reply: list[str] = []
        """The clauses of what the agent is saying now."""
        self._reply_began_s = 0.0
        self._agent_talks = self._sounding = False
        self._spoke_over = False
        """The caller's last words began while the agent talked."""
        self._leaving = False
        """The caller is about to hang up."""
        self._sounded_until_s = self._aside_until_s = float("-inf")
        """When the caller's last words ended, and their last sound that wants no answer."""
        self._turn: asyncio.Task[None] | None = None
        self._asides: set[asyncio.Task[None]] = set()
        self._tasks: asyncio.TaskGroup

    def hear(self, event: Event) -> None:
        """A face of the call: takes every event and returns at once."""
        self._events.put_nowait((asyncio.get_running_loop().time(), event))

    async def run(self) -> None:
        """Play the caller until the call has ended. Raises CallerBroke, in a group."""
        async with asyncio.TaskGroup() as self._tasks:
            too_long = self._tasks.create_task(self._lose_patience())
            while True:
                at_s, event = await self._events.get()
                if isinstance(event, CallEnded):
                    break
                self._notice(at_s, event)
            self._end_turn()
            for task in (too_long, *self._asides):
                task.cancel()

    def _notice(self, at_s: float, event: Event) -> None:
        match event:
            case CallStarted():
                self._begin(self._wait_for_agent())
            case AgentSpeechStarted():
                self._agent_started(at_s)
            case AgentSaying():
                self._follow(event, at_s)
            case AgentSpeechStopped():
                self._agent_stopped(event)
            case HandedOver():
                self.handed_over = event.to

    def _agent_started(self, at_s: float) -> None:
        self._agent_talks, self._spoke_over, self._reply, self._reply_began_s = True, False, [], at_s
        if not self._sounding:
            self._end_turn()
            self._plan_to_cut_in()

    def _agent_stopped(self, event: AgentSpeechStopped) -> None:
        """What was heard wants an answer, unless the caller's own voice cut it off or has answered it already."""
        self._agent_talks = False
        cut_off = event.interrupted and self._clock() - self._sounded_until_s < _JUST_NOW_S
        if not cut_off and not self._spoke_over:
            self._heard.append(event.heard)
        if event.interrupted:
            self._spoke_over = False
        if not self._sounding:
            self._begin(self._respond(hearing_out=event.interrupted and not cut_off and self._made_a_sound_just_now))

    @property
    def _made_a_sound_just_now(self) -> bool:
        """One that wants no answer: whoever murmurs and is taken up on it waits for what is made of it."""
        return self.mouth.busy or self._clock() - self._aside_until_s < _JUST_NOW_S

    # -- while the agent speaks --------------------------------------------------------------------------------------

    def _follow(self, clause: AgentSaying, at_s: float) -> None:
        """Decide, clause by clause, whether to cut in or to make another sound, and when."""
        starts_s = at_s + (clause.starts_ms - clause.t_ms) / 1000
        length_s = (clause.ends_ms - clause.starts_ms) / 1000
        decisive = self._decisive_words(clause.text)
        if decisive and not self._sounding and (self._turn is None or self._turn.done()):
            so_far, share = decisive
            habit = self._manners.interrupts
            reaction_s = self._dice.seconds("interrupts", habit.reaction_ms if habit else _CUTS_IN_MS)
            self._begin(self._cut_in(starts_s + share * length_s + reaction_s, so_far))
        if not self.mouth.typed and (aside := self._habits.beside(clause.text)):
            share, piece = aside
            self._begin_aside(self._make_aside(piece, starts_s + share * length_s))
        self._reply.append(clause.text)

    def _decisive_words(self, clause: str) -> tuple[str, float] | None:
        """All that is heard up to the word at which the caller cuts in, and that word's place in the clause, 0 to 1."""
        words = clause.split()
        before = [*self._heard, *self._reply]
        for count in range(1, len(words)):
            part = " ".join(words[:count])
            so_far = " ".join([*before, part])
            if self.words.cuts_in(so_far, part):
                return so_far, len(part) / len(clause)
        return None

    def _plan_to_cut_in(self) -> None:
        """Where that is a matter of time and not of words."""
        if self.words.cut_in_ms is not None:
            self._begin(self._cut_in(self._reply_began_s + self.words.cut_in_ms / 1000))

    async def _cut_in(self, at_s: float, so_far: str | None = None) -> None:
        await self._sleep_until(at_s)
        heard = so_far if so_far is not None else " ".join([*self._heard, *self._reply])
        move = await self.words.answer(heard, cutting_in=True)
        if move is None:
            return
        if move.kind == "speech":
            self.interruptions += 1
        await self._do(move, interrupts=True)

    def _begin_aside(self, aside: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._tasks.create_task(aside)
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)
        return task

    async def _make_aside(self, piece: Piece, at_s: float) -> None:
        """No turn, no answer expected; only while the agent speaks, and never two sounds at once."""
        sound = await self.mouth.prepare([piece])
        await self._sleep_until(at_s)
        if self._agent_talks and not self._sounding and not self.mouth.busy:
            await self.mouth.utter(sound)
            self._aside_until_s = self._clock()

    # -- the caller's turn -------------------------------------------------------------------------------------------

    async def _respond(self, *, hearing_out: bool = False) -> None:
        if hearing_out:
            await asyncio.sleep(_SPOKEN_OVER_S)
        heard = " ".join(text for text in self._heard if text)
        await asyncio.sleep(self.mouth.listening_s(heard))
        await self._collect_oneself()
        move = await self.words.answer(heard) if heard else None
        if move:
            await self._do(move)
        else:
            await self._wait_for_agent()

    async def _collect_oneself(self) -> None:
        """The silence before an answer, and what is to be heard in it."""
        if self.words.pause_ms is not None:
            await asyncio.sleep(self.words.pause_ms / 1000)
            return
        await asyncio.sleep(self._dice.seconds("reaction", self._manners.reaction_ms))
        if self.mouth.typed:
            return
        cough, then_s = self._habits.before_answering()
        if cough:
            await self._let_out(cough)
        await asyncio.sleep(then_s)

    async def _let_out(self, piece: Piece) -> None:
        """A sound between the words, to its end: a cough is not called back when the agent begins to speak."""
        sounding = self._begin_aside(self.mouth.utter(await self.mouth.prepare([piece])))
        await asyncio.wait({sounding})

    async def _do(self, move: Move, *, interrupts: bool = False) -> None:
        """Say it, then listen, or hang up."""
        if move.kind == "speech":
            await self._say(move, interrupts=interrupts)
        else:
            await self._let_out(_as_given(move))
        if len(self.said) >= MOST_UTTERANCES:
            self.words.lost.append(f"the call goes in circles: {MOST_UTTERANCES} utterances")
        if move.hang_up or len(self.said) >= MOST_UTTERANCES:
            self._leaving = True
            self._begin_aside(self._hang_up(self._dice.seconds("hanging up", _HANG_UP_MS) if move.say else 0.0))
        elif self._agent_talks and not self._spoke_over:
            self._turn = None
            self._plan_to_cut_in()
        elif any(self._heard) and not self._agent_talks:
            await self._respond()
        else:
            await self._wait_for_agent()

    async def _say(self, move: Move, *, interrupts: bool) -> None:
        """Speak to the end, whatever the agent does."""
        if not move.say and move.pcm is None:
            return
        utterance = await self.mouth.prepare(self._pieces(move, interrupts))
        self.said.append(move.say)
        self._heard.clear()
        self._spoke_over = self._agent_talks
        self._sounding = True
        self._sounded_until_s = float("inf")
        try:
            await self.mouth.utter(utterance)
        finally:
            self._sounding = False
            self._sounded_until_s = self._clock()

    def _pieces(self, move: Move, interrupts: bool) -> list[Piece]:
        if interrupts or move.pcm is not None or move.hang_up or self.mouth.typed:
            return [replace(_as_given(move), interrupts=interrupts, confused=move.confused)]
        pieces = self._habits.spoken(move.say)
        return [replace(piece, confused=move.confused and piece.kind == "speech") for piece in pieces]

    async def _wait_for_agent(self) -> None:
        """Nothing to say until the agent speaks (which ends this), or has been silent for too long."""
        unprompted_ms = self.words.unprompted_ms
        if unprompted_ms is not None:
            await asyncio.sleep(unprompted_ms / 1000)
            move = await self.words.answer("")
        else:
            await asyncio.sleep(_SPOKEN_OVER_S if self._spoke_over else self._manners.silence_ms / 1000)
            if self._agent_talks:
                return
            overheard, self._spoke_over = self._spoke_over, False
            move = await (self.words.again() if overheard else self.words.silence())
        if move:
            await self._do(move)
        else:
            await self._wait_for_agent()

    async def _hang_up(self, after_s: float) -> None:
        """Decided is decided, whatever the agent still says."""
        await asyncio.sleep(after_s)
        self.mouth.hang_up()

    async def _lose_patience(self) -> None:
        await asyncio.sleep(LONGEST_S)
        self.words.lost.append(f"the call takes longer than {LONGEST_S:.0f} s")
        self.mouth.hang_up()

    def _begin(self, turn: Coroutine[Any, Any, None]) -> None:
        """The caller does one thing at a time: this replaces what it was about to do."""
        self._end_turn()
        if self._leaving:
            turn.close()
        else:
            self._turn = self._tasks.create_task(turn)

    def _end_turn(self) -> None:
        if self._turn:
            self._turn.cancel()
        self._turn = None

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()

    async def _sleep_until(self, at_s: float) -> None:
        await asyncio.sleep(max(0.0, at_s - self._clock()))


def _as_given(move: Move) -> Piece:
    return Piece(move.say, move.kind, pcm=move.pcm, margin_ms=move.margin_ms)
