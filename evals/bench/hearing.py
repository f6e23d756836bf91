"""How well a recogniser understands callers: simulated speech in, word error rate and delays out."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import yaml

from voicebot.agent import Agent
from voicebot.brain.knowledge import Knowledge
from voicebot.errors import BadInput, did_you_mean
from voicebot.evals.bench.conditions import CLEAN, Condition
from voicebot.evals.words.entities import KINDS, Entity, Kind, judged
from voicebot.evals.words.wer import Errors, mean, pooled, wer
from voicebot.flow.utterances import utterances
from voicebot.personas.medium import carried
from voicebot.personas.persona import Persona, Voice
from voicebot.personas.voice import CallerVoice
from voicebot.stt import STT

CHUNK_S = 0.02
_AROUND_S = 0.3
"""Of the caller's line before and after the words."""
VOICES = tuple(
    Voice(engine=f"en-us+{name}", rate_wpm=rate_wpm)
    for name, rate_wpm in (
        ("robosoft3", 150), ("klatt3", 160), ("robosoft2", 165), ("edward2", 165), ("m6", 150), ("adam", 165),
        ("grandpa", 145), ("benjamin", 155), ("f5", 155), ("f2", 150), ("f1", 160), ("m4", 150),
    )
)  # fmt: skip
"""Voices for simulated callers, of some 100 that eSpeak NG has: the best, and two that are hard to understand."""
Part = Literal["tune", "held_out"]
FEW = 10
"""Fewer utterances say little."""


@dataclass(frozen=True)
class Clip:
    """A stretch of speech and the words in it."""

    said: str
    pcm: bytes
    """s16le mono."""
    rate_hz: int
    voice: str
    """Whose it is: an eSpeak voice, or a file's name."""


@dataclass(frozen=True)
class Heard:
    """One utterance and what became of it."""

    said: str
    heard: str
    voice: str
    errors: Errors
    audio_s: float
    work_s: float
    """Processor time of the whole process while it was heard."""
    final_ms: float
    """From the end of the audio to the final transcript."""
    entities: tuple[Entity, ...] = ()


@dataclass(frozen=True)
class Score:
    """A set of utterances on one kind of line, as one recogniser heard them."""

    what: str
    line: str
    heard: tuple[Heard, ...]
    stt: str = ""

    @property
    def n(self) -> int:
        return len(self.heard)

    @property
    def pooled(self) -> float:
        return pooled(each.errors for each in self.heard).rate

    @property
    def mean(self) -> float:
        return mean(each.errors for each in self.heard)

    @property
    def flips(self) -> int:
        return sum(each.errors.flips for each in self.heard)

    def entities(self, kind: Kind | None = None) -> list[Entity]:
        """Those of one kind, or all of them."""
        return [each for heard in self.heard for each in heard.entities if kind in (None, each.kind)]

    @property
    def by_kind(self) -> dict[Kind, list[Entity]]:
        return {kind: found for kind in KINDS if (found := self.entities(kind))}

    @property
    def real_time_factor(self) -> float:
        return sum(each.work_s for each in self.heard) / sum(each.audio_s for each in self.heard)


def in_vocabulary(agent: Agent, n: int, seed: int = 1) -> list[str]:
    """Sentences drawn from what the agent's flow understands, of at least three words. Raises BadInput without one.

    Words spelled letter by letter are left out: callers spell only when asked to, and it is another task.
    """
    if agent.flow is None:
        raise BadInput(f"{agent.name} has no flow, so there is no vocabulary to draw from. Name an agent with a flow.")
    questions = Knowledge.load(agent.root, agent.brain.knowledge).questions
    words = {each: each.split() for each in utterances(agent.flow, questions)}
    sentences = sorted(
        each for each, parts in words.items() if len(parts) >= 3 and sum(map(len, parts)) >= 2 * len(parts)
    )
    return random.Random(seed).sample(  # noqa: S311 - a repeatable choice, no secret
        sentences, min(n, len(sentences))
    )


def free_phrasings(which: str, part: Part | None = None) -> list[str]:
    """Hand-written sentences that stand in no agent file; `held_out` ones were not looked at while tuning."""
    files = {file.name.removesuffix(".yaml"): file for file in resources.files("voicebot.evals.speech").iterdir()}
    known = {name: file for name, file in files.items() if file.name.endswith(".yaml")}
    if which not in known:
        raise BadInput(f"no phrasings '{which}'.{did_you_mean(which, known)}")
    parts: dict[str, Any] = yaml.safe_load(known[which].read_text(encoding="utf-8"))
    return [text for name, texts in parts.items() if part in (None, name) for text in texts]


async def listen(
    what: str, stt: STT, texts: Iterable[str], voices: Sequence[Voice], condition: Condition = CLEAN
) -> Score:
    """Each text, spoken by the voices in turn, at the pace of speech; run it on the skip-idle clock."""
    await stt.load()
    loop = asyncio.get_running_loop()
    heard = []
    for index, text in enumerate(texts):
        voice = voices[index % len(voices)]
        pcm = await loop.run_in_executor(None, condition.sound, text, voice)
        heard.append(await _hear(stt, Clip(text, pcm, condition.rate_hz, condition.engine(voice))))
    return Score(what, condition.what, tuple(heard), stt.name)


async def listen_to_caller(persona: Persona, stt: STT, texts: Iterable[str]) -> Score:
    """Each text in a simulated caller's voice over the caller's own line; run it on the skip-idle clock."""
    line = persona.line
    voice = CallerVoice(persona.voice, line.rate_hz)
    await voice.load()
    around = bytes(2 * int(_AROUND_S * line.rate_hz))
    clips = [
        Clip(text, carried(around + await voice.say(text) + around, line, seed), line.rate_hz, persona.voice.engine)
        for seed, text in enumerate(texts)
    ]
    return await listen_to(persona.id, stt, clips, "own line")


async def listen_to(what: str, stt: STT, clips: Iterable[Clip], line: str = "as recorded") -> Score:
    """Each clip at the pace of speech."""
    await stt.load()
    return Score(what, line, tuple([await _hear(stt, clip) for clip in clips]), stt.name)


async def _hear(stt: STT, clip: Clip) -> Heard:
    loop = asyncio.get_running_loop()
    stream = stt.stream(clip.rate_hz, lambda _: None)
    work_s = time.process_time()
    stream.start()
    step = int(CHUNK_S * clip.rate_hz) * 2
    for start in range(0, len(clip.pcm), step):
        stream.feed(clip.pcm[start : start + step])
        await asyncio.sleep(CHUNK_S)
    ended = loop.time()
    transcript = await stream.finish()
    final_ms = (loop.time() - ended) * 1000
    await stream.close()
    audio_s, work_s = len(clip.pcm) / 2 / clip.rate_hz, time.process_time() - work_s
    text = transcript.text
    errors, entities = wer(clip.said, text), judged(clip.said, text)
    return Heard(clip.said, text, clip.voice, errors, audio_s, work_s, final_ms, entities)
