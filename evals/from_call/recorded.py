"""The caller's side of a recorded call, with the turns that hold something private spoken again by another voice.

A detector knows which words are private, and nobody knows to the millisecond when they were said. So the whole turn is
replaced: the sound is gone, and a synthetic voice says the same with invented values in their place. A beep would keep
the secret as well, but the agent could make nothing of it and the rest of the call would never be reached.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from voicebot import events
from voicebot.errors import BadInput
from voicebot.personas import truth
from voicebot.personas.persona import Voice
from voicebot.personas.replayed import heard
from voicebot.personas.truth import Sound
from voicebot.personas.voice import CallerVoice
from voicebot.store.calls import CallRecord

from .redaction import Redactor

Samples = npt.NDArray[np.int16]

_MARGIN_MS = 300.0
"""Around a private stretch this much goes with it: detectors of speech are late at its edges."""
_APART_MS = 100.0
"""Left between what is spoken again and the caller's next sound."""
_VOICE = "en-us+robosoft3"
"""A voice that the embedded ear understands well."""
_RATES_WPM = (155, 200, 250, 300)
_KEPT = (
    events.CallStarted, events.CallerSpeechStarted, events.CallerSpeechStopped, events.TurnEnded,
    events.AgentSpeechStarted, events.AgentSaying, events.AgentPaused, events.AgentResumed, events.BargeIn,
    events.AgentSpeechStopped, events.HandedOver, events.CallEnded,
)  # fmt: skip
"""What a replay needs: who spoke when. Tools, touch tones and what the models did stay behind."""


@dataclass(frozen=True)
class Stretch:
    """Sounds of the caller that belong together, and what is spoken instead of them ('' for a sound that stays)."""

    sounds: list[Sound]
    instead: str = ""

    @property
    def starts_ms(self) -> float:
        return self.sounds[0].starts_ms

    @property
    def ends_ms(self) -> float:
        return max(sound.ends_ms for sound in self.sounds)


def write(record: CallRecord, redactor: Redactor, folder: Path) -> int:
    """Write call.wav, truth.jsonl and events.jsonl into `folder`. Returns how many turns were spoken again.

    Raises BadInput when the recording cannot be read.
    """
    channel, rate_hz = _caller(record)
    stretches = list(_stretches(record.events, truth.read(record.folder), redactor))
    channel, sounds = asyncio.run(_spoken_again(channel, rate_hz, stretches))
    stereo = np.stack([channel, np.zeros_like(channel)], axis=1)  # the agent's words may repeat what is private
    soundfile.write(folder / "call.wav", stereo, rate_hz, subtype="PCM_16")
    truth.write(folder, sounds)
    lines = [_redacted(event, redactor).model_dump_json() + "\n" for event in record.events if isinstance(event, _KEPT)]
    (folder / "events.jsonl").write_text("".join(lines), encoding="utf-8")
    return sum(bool(stretch.instead) for stretch in stretches)


def _caller(record: CallRecord) -> tuple[Samples, int]:
    if record.audio is None:
        raise BadInput(f"{record.folder.name} has no recording.")
    try:
        samples, rate_hz = soundfile.read(record.audio, dtype="int16", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise BadInput(f"{record.audio} cannot be read as sound ({error}).") from None
    return samples[:, 0].copy(), rate_hz


def _stretches(happened: Sequence[events.Event], sounds: Sequence[Sound], redactor: Redactor) -> Iterator[Stretch]:
    """In order of time: sounds that stay one by one, those of a private turn together."""
    left = sorted(sounds or heard(happened), key=lambda sound: sound.starts_ms)
    for start_ms, turn in _turns(happened):
        inside = [each for each in left if each.starts_ms < turn.speech_end_ms and start_ms < each.ends_ms]
        meant = " ".join(each.text for each in inside if each.kind == "speech" and each.text) or turn.text
        if not inside or not (redactor.is_private(turn.text) or redactor.is_private(meant)):
            continue
        left = [each for each in left if each not in inside]
        # The truth knows what was really said; where no detector minds it, what was understood is all there is to say.
        yield Stretch(inside, redactor.text(meant if redactor.is_private(meant) else turn.text))
    for sound in left:
        private = bool(sound.text) and redactor.is_private(sound.text)
        yield Stretch([sound], redactor.text(sound.text) if private else "")


def _turns(happened: Sequence[events.Event]) -> Iterator[tuple[float, events.TurnEnded]]:
    """(where its speech begins, the turn)"""
    began: dict[int, float] = {}
    for event in happened:
        if isinstance(event, events.CallerSpeechStarted):
            began.setdefault(event.turn, event.speech_start_ms)
        elif isinstance(event, events.TurnEnded):
            yield began.get(event.turn, event.speech_end_ms), event


async def _spoken_again(channel: Samples, rate_hz: int, stretches: Sequence[Stretch]) -> tuple[Samples, list[Sound]]:
    """The caller's channel and its truth after the private stretches were replaced."""
    ordered = sorted(stretches, key=lambda stretch: stretch.starts_ms)
    sounds: list[Sound] = []
    for stretch, following in zip(ordered, [*ordered[1:], None], strict=True):
        if not stretch.instead:
            sounds += stretch.sounds
            continue
        until_ms = following.starts_ms - _APART_MS if following else 1000 * len(channel) / rate_hz + 10_000
        _silence(channel, rate_hz, stretch.starts_ms - _MARGIN_MS, min(stretch.ends_ms + _MARGIN_MS, until_ms))
        said = await _said(stretch.instead, rate_hz, until_ms - stretch.starts_ms)
        channel = _put(channel, said, int(stretch.starts_ms / 1000 * rate_hz))
        ends_ms = stretch.starts_ms + 1000 * len(said) / rate_hz
        sounds.append(stretch.sounds[0].model_copy(update={"text": stretch.instead, "ends_ms": ends_ms}))
    return channel, sounds


async def _said(text: str, rate_hz: int, room_ms: float) -> Samples:
    """The text at the first speed at which it fits, cut off if it never does."""
    said = np.zeros(0, np.int16)
    for rate_wpm in _RATES_WPM:
        said = np.frombuffer(await CallerVoice(Voice(engine=_VOICE, rate_wpm=rate_wpm), rate_hz).say(text), np.int16)
        if 1000 * len(said) / rate_hz <= room_ms:
            break
    return said[: int(room_ms / 1000 * rate_hz)]


def _silence(channel: Samples, rate_hz: int, start_ms: float, end_ms: float) -> None:
    channel[max(0, int(start_ms / 1000 * rate_hz)) : max(0, int(end_ms / 1000 * rate_hz))] = 0


def _put(channel: Samples, said: Samples, at: int) -> Samples:
    missing = at + len(said) - len(channel)
    longer = np.pad(channel, (0, max(0, missing)))
    longer[at : at + len(said)] = said
    return longer


def _redacted(event: events.Event, redactor: Redactor) -> events.Event:
    texts = {
        field: redactor.text(getattr(event, field))
        for field in ("text", "heard", "said", "reason", "detail")
        if isinstance(getattr(event, field, None), str) and not (field == "reason" and _is_closed(event))
    }
    if isinstance(event, events.CallStarted):
        texts["caller"] = "recorded caller"
    return event.model_copy(update=texts)


def _is_closed(event: events.Event) -> bool:
    """Reasons out of a closed list hold nothing private."""
    return isinstance(event, events.TurnEnded | events.CallEnded)
