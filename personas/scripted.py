"""A caller who follows a script: one turn after the other, whatever the agent makes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from voicebot.errors import BadInput, did_you_mean

from . import facts
from .dice import Dice
from .kinds import Interrupt, Script, Turn
from .mind import wanted
from .persona import PLACE, Persona
from .words import Move

_CUTS_IN_AFTER_WORDS = 3
"""With nothing to wait for, an interruption comes after so many words."""


class Scripted:
    """The `Words` of a script."""

    unprompted_ms: float | None = None

    def __init__(self, script: Script, persona: Persona, dice: Dice, today: date) -> None:
        _check(script, persona)
        self._turns = list(script.turns)
        self._waits = script.waits
        self._persona = persona
        self._dice = dice
        self._waited = self._silences = 0
        self._last = Move("hello?")
        self.wants: Mapping[str, str] = wanted(persona, today)
        self.lost: list[str] = []

    @property
    def content(self) -> bool:
        """Everything in the script was done."""
        return not self._turns

    @property
    def pause_ms(self) -> float | None:
        return self._turns[0].silence_ms if self._turns else None

    @property
    def cut_in_ms(self) -> float | None:
        interrupt = self._interrupt
        return interrupt.after_ms if interrupt else None

    def cuts_in(self, heard: str, clause: str) -> bool:
        interrupt = self._interrupt
        if interrupt is None or interrupt.after_ms is not None:
            return False
        turn, words = self._turns[0], len(heard.split())
        if turn.after and not self._hears(turn, heard):
            return False
        return words >= (interrupt.after_words or (1 if turn.after else _CUTS_IN_AFTER_WORDS))

    async def answer(self, heard: str, *, cutting_in: bool = False) -> Move | None:
        if not self._turns:
            return None
        turn = self._turns[0]
        if not cutting_in and not self._hears(turn, heard):
            return self._wait(turn, heard)
        self._turns.pop(0)
        self._waited = self._silences = 0
        self._last = Move(self._filled(turn.say), hang_up=turn.hang_up)
        return self._last

    async def silence(self) -> Move | None:
        """The agent says nothing. A script that is over is the end of the call; else the caller asks, and gives up."""
        if not self._turns:
            return Move(hang_up=True)
        self.lost.append("silence")
        self._silences += 1
        return self._give_up() if self._silences >= self._waits else Move("hello?")

    async def again(self) -> Move | None:
        return self._last

    @property
    def _interrupt(self) -> Interrupt | None:
        return self._turns[0].interrupt if self._turns else None

    def _hears(self, turn: Turn, heard: str) -> bool:
        return turn.after is None or re.search(turn.after, facts.plain(heard)) is not None

    def _wait(self, turn: Turn, heard: str) -> Move | None:
        """The agent said something else: listen on, for a while."""
        self._waited += 1
        if self._waited < self._waits:
            return None
        self.lost.append(f"waited for /{turn.after}/ and heard: {heard}")
        return self._give_up()

    def _give_up(self) -> Move:
        done = len(self._turns)
        self.lost.append(f"gave up with {done} turn{'s' if done > 1 else ''} of the script to go")
        return Move("never mind, goodbye.", hang_up=True, confused=True)

    def _filled(self, text: str) -> str:
        known = self._persona.facts

        def put(place: re.Match[str]) -> str:
            return self._dice.of(f"fact/{place[1]}").choice(known[place[1]].spoken)

        return PLACE.sub(put, text)


def _check(script: Script, persona: Persona) -> None:
    """Raises BadInput for a place without a fact."""
    for number, turn in enumerate(script.turns, 1):
        for fact in PLACE.findall(turn.say):
            if fact not in persona.facts:
                hint = did_you_mean(fact, persona.facts)
                raise BadInput(f"turn {number} of the script says '{{{fact}}}', but the caller has no such fact.{hint}")
