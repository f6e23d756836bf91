"""The mouth of a call: what of a reply has been handed to the caller's side, and what of it has been heard.

Audio goes out ahead of time, a clause at a time, so nothing wakes up while the agent speaks. When the caller makes a
sound, `pause` takes back what has not been heard; then either `resume` goes on from the word where it stopped, or
`drop` ends the reply. What the caller *heard* is known to the word and is what the conversation remembers.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from voicebot.transports import Transport
from voicebot.tts import Word

_HEARD_SHARE = 0.5
"""A word counts as heard when this share of its sound was played."""
_MS_PER_CHARACTER = 65
"""How fast a clause is taken to be spoken until all its audio is there."""


class Follower(Protocol):
    """Who is told what the caller hears, as it is handed over. Called on the event loop."""

    def agent_started(self, *, filler: bool) -> None:
        """The first audio of a reply was handed over and begins to sound."""

    def agent_clause(self, text: str, starts_in_ms: float, length_ms: float, *, filler: bool) -> None:
        """A clause is complete; it is heard from `starts_in_ms` on (negative: it has begun)."""

    def agent_audio(self, pcm: bytes) -> None:
        """Audio was queued behind what is already queued."""

    def agent_silenced(self) -> None:
        """What was queued and not yet heard was taken back."""

    def agent_finished(self) -> None:
        """All of a complete reply was heard."""


@dataclass
class _Clause:
    text: str
    start: int
    """Its first sample, counted from the start of the reply."""
    filler: bool = False
    """Said while there was no answer yet, and no part of it."""
    samples: int = 0
    complete: bool = False
    word_starts: list[int] = field(default_factory=list)
    """In samples from the clause's start, where the provider says."""

    def words(self, rate_hz: int) -> Iterator[tuple[int, int, int]]:
        """(first sample, last sample, end in text) of each word: as known, else by its share of the letters."""
        spans = [match.span() for match in re.finditer(r"\S+", self.text)]
        spans = spans or [(0, 0)] * len(self.word_starts)  # sounds without words: touch tones
        guess = len(self.text) * _MS_PER_CHARACTER * rate_hz // 1000
        samples = self.samples if self.complete else max(self.samples, guess)
        if len(self.word_starts) >= len(spans):
            starts = self.word_starts[: len(spans)]
        else:
            starts = [samples * begin // len(self.text) for begin, _ in spans]
        for (_, until), start, end in zip(spans, starts, [*starts[1:], samples], strict=False):
            yield self.start + start, self.start + end, until


class Playout:
    """One call's mouth. Everything is a plain call on the event loop."""

    def __init__(self, transport: Transport, follower: Follower) -> None:
        self._transport = transport
        self._follower = follower
        self._rate_hz = transport.rate_hz or 1000  # a typed conversation has no audio: any rate will do
        self._timer: asyncio.TimerHandle | None = None
        self._open = False
        self._reset()

    def _reset(self) -> None:
        self._clauses: list[_Clause] = []
        self._pcm = bytearray()
        self._complete = False
        self._started = False
        self._paused = False
        self._handed = 0
        """Samples of the reply given to the transport."""
        self.ends_s = 0.0
        """Loop time at which all that was handed over will have been heard."""
        self._base = 0
        """The transport's `played` minus the reply's samples heard."""

    @property
    def speaking(self) -> bool:
        """True from the first audio of a reply until all of it was heard or it was dropped (paused counts)."""
        return self._open and self._started

    @property
    def busy(self) -> bool:
        """True from the beginning of a reply, even before its first audio."""
        return self._open

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def said(self) -> str:
        """The text of the reply so far, heard or not."""
        return "".join(clause.text for clause in self._clauses).strip()

    @property
    def answer(self) -> str:
        """`said` without the fillers."""
        return "".join(clause.text for clause in self._clauses if not clause.filler).strip()

    @property
    def unheard_ms(self) -> float:
        return self._ms(len(self._pcm) // 2 - self._position())

    def begin(self) -> None:
        """A new reply; what was before is over."""
        self._cancel_timer()
        self._reset()
        self._open = True
        self._base = self._transport.played()

    def clause(self, text: str, *, filler: bool = False) -> None:
        """The audio that follows says `text`. A filler is set off from the words around it."""
        if not self._open:
            return
        if filler:
            glued = bool(self._clauses) and not self._clauses[-1].text[-1:].isspace()
            text = f" {text}" if glued else f"{text} "
        self._clauses.append(_Clause(text, len(self._pcm) // 2, filler))

    def audio(self, pcm: bytes, words: tuple[Word, ...] = ()) -> None:
        """More audio of the present clause (s16le at the transport's rate). Ignored after a drop."""
        if not self._open:
            return
        clause = self._clauses[-1]
        clause.word_starts += [int(word.start_ms * self._rate_hz / 1000) for word in words]
        clause.samples += len(pcm) // 2
        self._pcm += pcm
        if not self._paused:
            self._hand_over()

    def clause_complete(self) -> None:
        if not self._open:
            return
        clause = self._clauses[-1]
        clause.complete = True
        if not clause.text:
            return
        starts_in_ms = self._ms(clause.start - self._position())
        self._follower.agent_clause(clause.text, starts_in_ms, self._ms(clause.samples), filler=clause.filler)

    def end(self) -> None:
        """The reply is complete; `agent_finished` follows when all of it was heard."""
        if self._open:
            self._complete = True
            if not self._paused:
                self._watch()

    def pause(self) -> None:
        """Silence, at once; what was not heard is kept."""
        if not self._open or self._paused:
            return
        self._handed = self._position()
        self._paused = True
        self._cancel_timer()
        self._transport.clear()
        self._follower.agent_silenced()

    def resume(self) -> None:
        """Go on from the start of the word where the pause fell."""
        if not self._open or not self._paused:
            return
        starts = (start for clause in self._clauses for start, _, _ in clause.words(self._rate_hz))
        self._handed = max((start for start in starts if start <= self._handed), default=0)
        self._base = self._transport.played() - self._handed
        self._paused = False
        self._hand_over()

    def drop(self) -> str:
        """End the reply here. Returns the words that were heard."""
        self.pause()
        heard = self.heard()
        self._cancel_timer()
        self._open = False
        return heard

    def heard(self) -> str:
        """The text of the reply that the caller has heard, to the word."""
        return "".join(text for _, text in self._heard()).strip()

    def heard_answer(self) -> str:
        """`heard` without the fillers."""
        return "".join(text for clause, text in self._heard() if not clause.filler).strip()

    def _heard(self) -> Iterator[tuple[_Clause, str]]:
        """The clauses that the caller has heard, the last one cut at the last word."""
        position = self._position()
        for clause in self._clauses:
            until = 0
            for start, end, text_end in clause.words(self._rate_hz):
                if start + (end - start) * _HEARD_SHARE > position:
                    yield clause, clause.text[:until]
                    return
                until = text_end
            yield clause, clause.text

    def _ms(self, samples: int) -> float:
        return samples * 1000 / self._rate_hz

    def _position(self) -> int:
        """Samples of the reply heard so far."""
        if self._paused or not self._open:
            return self._handed
        return min(self._handed, self._transport.played() - self._base)

    def _hand_over(self) -> None:
        pcm = bytes(self._pcm[2 * self._handed :])
        if pcm:
            self._handed = len(self._pcm) // 2
            self._follower.agent_audio(pcm)
            self._transport.play(pcm)
            self.ends_s = asyncio.get_running_loop().time() + self.unheard_ms / 1000
        if not self._started and self._clauses:
            self._started = True
            self._follower.agent_started(filler=self._clauses[0].filler)
        self._watch()

    def _watch(self) -> None:
        """When all of a complete reply was heard, say so; else look again when it should have been."""
        self._cancel_timer()
        if not self._complete:
            return
        rest = self._handed - self._position()
        if rest <= 0:
            self._open = False
            self._follower.agent_finished()
        else:
            self._timer = asyncio.get_running_loop().call_later(rest / self._rate_hz, self._watch)

    def _cancel_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
