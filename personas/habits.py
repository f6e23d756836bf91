"""What a caller does beside answering: sounds that want no answer, hesitating, saying things twice."""

from __future__ import annotations

from collections.abc import Sequence

from .dice import Dice
from .mouth import Piece
from .temperament import Temperament

_AFTER_A_TIC_MS = (200.0, 450.0)
_AFTER_A_COUGH_MS = (300.0, 700.0)


class Habits:
    """One caller's habits in one call. `murmurs` are the ways to say "uh-huh"."""

    def __init__(self, manners: Temperament, dice: Dice, murmurs: Sequence[str]) -> None:
        self._manners = manners
        self._dice = dice
        self._murmurs = murmurs

    def beside(self, clause: str) -> tuple[float, Piece] | None:
        """What the caller does while the agent says `clause`, and when: the share of it that was heard then.

        Every habit throws its dice for every clause; the first one that falls is what happens.
        """
        manners, words = self._manners, len(clause.split())
        found: list[tuple[float, Piece]] = []
        if (aside := manners.side_speech) and self._dice.falls("side_speech", aside.chance):
            text = self._dice.of("side_speech").choice(aside.say)
            found.append((self._dice.of("side_speech").uniform(0.2, 0.6), Piece(text, "side_speech")))
        if cough := self._cough():
            found.append((self._dice.of("coughs").uniform(0.2, 0.8), cough))
        murmur = manners.backchannels
        if murmur and words >= murmur.min_words and self._dice.falls("backchannels", murmur.chance):
            text = self._dice.of("backchannels").choice(self._murmurs)
            found.append((self._dice.of("backchannels").uniform(0.4, 0.7), Piece(text, "backchannel")))
        return found[0] if found else None

    def before_answering(self) -> tuple[Piece | None, float]:
        """A sound before the answer, and the silence behind it in seconds: time to think, or to breathe."""
        cough = self._cough()
        think_s = self._thinks("before")
        breathes_s = self._dice.seconds("coughs", _AFTER_A_COUGH_MS) if cough else 0.0
        return cough, think_s or breathes_s

    def spoken(self, text: str) -> list[Piece]:
        """An answer as this caller comes out with it."""
        repeats = self._manners.repeats
        if repeats and self._dice.falls("repeats", repeats.chance):
            text = f"{text.rstrip('.')}, {text}"
        pieces = self._in_parts(text)
        tics = self._manners.tics
        if tics and self._dice.falls("tics", tics.chance):
            tic = Piece(self._dice.of("tics").choice(tics.say), "tic")
            pause_ms = self._dice.of("tics").uniform(*_AFTER_A_TIC_MS)
            pieces = [tic, Piece(pieces[0].text, pause_ms=pause_ms), *pieces[1:]]
        return pieces

    def _in_parts(self, text: str) -> list[Piece]:
        """In one, or with a long silence in the middle."""
        words = text.split()
        think_s = self._thinks("within") if len(words) > 1 else 0.0
        if not think_s:
            return [Piece(text)]
        at = self._dice.of("silences").randrange(1, len(words))
        return [Piece(" ".join(words[:at])), Piece(" ".join(words[at:]), pause_ms=think_s * 1000)]

    def _thinks(self, where: str) -> float:
        """Seconds of silence at this place of the turn; 0 for none. Both places throw their own dice."""
        habit = self._manners.silences
        if habit is None or habit.where not in (where, "either"):
            return 0.0
        chance = habit.chance / 2 if habit.where == "either" else habit.chance
        falls = self._dice.falls(f"silences/{where}", chance)
        return self._dice.seconds(f"silences/{where}", habit.pause_ms) if falls else 0.0

    def _cough(self) -> Piece | None:
        habit = self._manners.coughs
        if habit is None or not self._dice.falls("coughs", habit.chance):
            return None
        return Piece(kind="cough", noise=self._dice.of("coughs").choice(habit.sounds))
