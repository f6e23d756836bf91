"""What the agent understood, against what the caller said.

A *said* utterance is everything the caller says in one stretch that the agent took for a turn; where the agent split
it, or took several for one, they are laid together until both sides tell of the same time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from voicebot import events
from voicebot.evals.words import entities, wer
from voicebot.personas.truth import Sound

from .spans import Span

_TIME_TO_HEAR_MS = 2000.0


@dataclass(frozen=True)
class Heard:
    """What the recogniser made of one turn, and of which stretch of the call."""

    span: Span
    text: str


@dataclass
class Utterance:
    """What was said, and what was understood of it."""

    sounds: list[Sound] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)

    @property
    def said(self) -> str:
        return " ".join(sound.text for sound in self.sounds if sound.text)

    @property
    def understood(self) -> str:
        return " ".join(each.text for each in self.heard if each.text)

    def overtaken(self, end_ms: float) -> bool:
        """Whether the call ended before the recogniser could say anything."""
        return not self.understood and end_ms - max(sound.ends_ms for sound in self.sounds) < _TIME_TO_HEAR_MS

    @property
    def counts(self) -> bool:
        """A cough or an "uh-huh" alone is no utterance to be understood."""
        return any(sound.kind == "speech" and sound.text for sound in self.sounds)


def heard(told: Iterable[events.Event]) -> list[Heard]:
    """The final transcripts of every turn, with the stretch of the caller's speech that the VAD saw in it."""
    starts: dict[int, float] = {}
    ends: dict[int, float] = {}
    texts: dict[int, list[str]] = defaultdict(list)
    for event in told:
        match event:
            case events.CallerSpeechStarted():
                starts.setdefault(event.turn, event.speech_start_ms)
            case events.CallerSpeechStopped() | events.TurnEnded():
                ends[event.turn] = max(event.speech_end_ms, ends.get(event.turn, 0.0))
            case events.TranscriptFinal():
                texts[event.turn].append(event.text)
                ends.setdefault(event.turn, event.t_ms)
    return [Heard(Span(starts[turn], ends.get(turn, starts[turn])), " ".join(texts[turn])) for turn in sorted(starts)]


def utterances(sounds: Sequence[Sound], turns: Sequence[Heard]) -> list[Utterance]:
    """Sounds and turns that overlap in time, laid together; a sound that nobody heard stands alone."""
    out: list[Utterance] = []
    reach = float("-inf")
    pieces: list[Sound | Heard] = sorted([*sounds, *turns], key=_starts)
    for piece in pieces:
        starts, ends = _starts(piece), _ends(piece)
        if not out or starts >= reach:
            out.append(Utterance())
            reach = ends
        reach = max(reach, ends)
        if isinstance(piece, Sound):
            out[-1].sounds.append(piece)
        else:
            out[-1].heard.append(piece)
    return out


def _starts(piece: Sound | Heard) -> float:
    return piece.starts_ms if isinstance(piece, Sound) else piece.span.starts_ms


def _ends(piece: Sound | Heard) -> float:
    return piece.ends_ms if isinstance(piece, Sound) else piece.span.ends_ms


@dataclass(frozen=True)
class Understanding:
    """The errors of a call's utterances, and the entities in them."""

    errors: list[wer.Errors]
    entities: list[entities.Entity]


def understanding(said: Iterable[Utterance], end_ms: float = float("inf")) -> Understanding:
    """All utterances that count. Last words of which nothing was understood because the call ended within 2.0 s
    (`end_ms`: a "goodbye" before the caller hangs up) do not: the recogniser had no time."""
    judged = [utterance for utterance in said if utterance.counts and not utterance.overtaken(end_ms)]
    return Understanding(
        errors=[wer.wer(utterance.said, utterance.understood) for utterance in judged],
        entities=[each for utterance in judged for each in entities.judged(utterance.said, utterance.understood)],
    )
