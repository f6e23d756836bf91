"""What an agent is about to say passes its guardrails on the way to the voice, clause by clause."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from voicebot.brain import Guarded
from voicebot.brain.guardrails import Guard, Ruling
from voicebot.tts.clauses import Clauses


class Lips:
    """Of one reply. Words are held back until their clause is whole, which is when a voice would begin to speak it."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._clauses = Clauses()
        self._struck: list[Guarded] = []
        self.sealed: Ruling | None = None
        """The ruling that ended the reply: nothing more is said of it."""

    def feed(self, text: str) -> str:
        """More of the reply -> what of it may be spoken now."""
        return "".join(self._passed(clause) for clause in self._clauses.feed(text))

    def flush(self) -> str:
        """The reply is complete -> what is left."""
        return "".join(self._passed(clause) for clause in self._clauses.flush())

    def struck(self) -> Iterator[Guarded]:
        """The rails that struck since this was asked last."""
        struck, self._struck = self._struck, []
        yield from struck

    def _passed(self, clause: str) -> str:
        if self.sealed:
            return ""
        ruling = self._guard.agent(clause)
        self._struck += strikes(ruling, "agent")
        if ruling.action in ("block", "hand_over"):
            self.sealed = ruling
            return ruling.say
        gap = clause[len(clause.rstrip()) :]
        return clause if ruling.text == clause else ruling.text.rstrip() + gap


def strikes(ruling: Ruling, side: Literal["caller", "agent", "tool"]) -> Iterator[Guarded]:
    """What of a ruling is told: each kind once."""
    action = ruling.action
    if action != "pass":
        for rail, kind in dict.fromkeys((hit.rail, hit.kind) for hit in ruling.hits):
            yield Guarded(rail, kind, side, action)
