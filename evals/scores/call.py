"""All figures of one call, from its events, the truth of its caller's sounds, and its recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import UnionType

from voicebot import events
from voicebot.evals.measures import Measures, Rate
from voicebot.evals.trial import Trial
from voicebot.evals.words import wer

from . import deeds, health, turntaking
from .cost import Cost, cost
from .latencies import latencies
from .recording import Recording
from .spans import Span, at, overlap_ms
from .timeline import Timeline, timeline
from .turnscore import TurnFacts, turn_score
from .words import heard, understanding, utterances

NOT_FOR_THE_AGENT = ("backchannel", "tic", "cough", "side_speech")
_AGENT_ENDS = ("agent_hung_up", "handed_over", "failed")
_NEAR_MS = 300.0
_KEY_MS = 1000.0


def measure(trial: Trial) -> Measures:
    """Every figure that the record allows; what cannot be measured has n 0. Raises BadInput for a bad recording."""
    figures = _times(trial) | _deeds(trial) | _spent(trial)
    if trial.case.channel == "text":
        return Measures.model_validate(figures | _typed(trial))
    return Measures.model_validate(figures | _turn_taking(trial) | _words(trial) | _health(trial))


def _times(trial: Trial) -> dict[str, object]:
    times = latencies(trial.events)
    return {
        "v2v_ms": times.v2v,
        "stages_ms": dict(times.stages),
        "engine_ms": times.engine,
        "ttft_ms": times.ttft,
        "ttfa_ms": times.ttfa,
        "stt_final_ms": times.stt_final,
        "end_of_turn_ms": times.end_of_turn,
        "greeting_ms": times.greeting,
    }


def _deeds(trial: Trial) -> dict[str, object]:
    told = trial.events
    return {
        "tools": deeds.tool_validity(told),
        "tools_done": deeds.tool_success(told),
        "repeated": deeds.repeated(told),
        "confusions": len(trial.confusions) or sum(sound.confused for sound in trial.sounds),
        "call_s": trial.call_s or (told[-1].t_ms / 1000 if told else 0.0),
        "turns": len({event.turn for event in told if isinstance(event, events.TurnEnded)}),
    }


def _spent(trial: Trial) -> dict[str, object]:
    spent = cost(trial.events)
    return {
        "cost_usd": spent.usd if trial.events else None,
        "priced_usd": spent.priced_usd,
        "unpriced": sorted(spent.unpriced),
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "stt_s": spent.stt_s,
        "tts_characters": spent.tts_characters,
        "repeatable": _repeatable(trial.events, spent),
    }


def _repeatable(told: Sequence[events.Event], spent: Cost) -> bool:
    started = next((event for event in told if isinstance(event, events.CallStarted)), None)
    thought = any(isinstance(event, events.ModelUsed) for event in told)
    return started is not None and started.clock == "skip-idle" and not spent.elsewhere and not thought


# -- turn-taking -------------------------------------------------------------------------------------------------------


def _turn_taking(trial: Trial) -> dict[str, object]:
    """Needs the truth of the caller's sounds: without it nothing can be said."""
    if not trial.sounds:
        return {}
    line = timeline(trial)
    answered = turntaking.answers(line.turns, line.agent.runs, line.end_ms)
    lags = _Lags.of(trial.events, events.AgentSpeechStarted)
    late = _Lags.of(trial.events, events.AgentPaused | events.AgentSpeechStopped)
    yielded = turntaking.yields(line.speech, line.agent.runs, line.end_ms)
    by_kind = {kind: _false(line, [kind]) for kind in sorted({sound.kind for sound in line.sounds} - {"speech"})}
    counted = len(answered) or len(line.turns)
    return {
        "v2v_outside_ms": [
            answer.delay_ms + lags.at(answer.turn.ends_ms + answer.delay_ms)
            for answer in answered
            if answer.delay_ms is not None and trial.audio
        ],
        "responses": turntaking.response_rate(answered),
        "yields": yielded.rate,
        "yield_ms": [
            time + late.at(time + moment) for moment, time in zip(yielded.starts_ms, yielded.times_ms, strict=True)
        ],
        "false_interruptions": _false(line, NOT_FOR_THE_AGENT),
        "hesitations": _hesitations(line),
        "sounds": by_kind,
        "agent_interruptions": turntaking.agent_interruptions(line.agent.runs, line.speech, counted),
        "overlap_ms": overlap_ms(line.speech, line.agent.runs),
        "turn_scores": [turn_score(facts) for facts in _turn_facts(line, answered, lags, _tools_ms(trial.events))],
    }


def _typed(trial: Trial) -> dict[str, object]:
    """A conversation in writing has answers, and neither an ear nor anybody to be interrupted."""
    line = timeline(trial)
    return {"responses": turntaking.response_rate(turntaking.answers(line.turns, line.agent.runs, line.end_ms))}


def _false(line: Timeline, kinds: Sequence[str]) -> Rate:
    sounds = [sound for sound in line.sounds if sound.kind in kinds]
    return turntaking.false_interruptions(sounds, line.agent.runs, line.turns)


def _hesitations(line: Timeline) -> Rate:
    """Sounds at which the agent fell silent for a moment and went on."""
    sounds = [sound for sound in line.sounds if sound.kind in NOT_FOR_THE_AGENT]
    paused = [
        any(
            0 <= pause.starts_ms - sound.starts_ms <= turntaking.FALSE_STOP_WINDOW_MS
            for pause in line.agent.hesitations
        )
        for sound in sounds
    ]
    return Rate(hits=sum(paused), n=len(sounds))


@dataclass(frozen=True)
class _Lags:
    """How far computing was behind when the agent began or ceased to speak. The recording is as the conversation went;
    a listener would have waited that much longer."""

    moments: list[tuple[float, float]]

    @classmethod
    def of(cls, told: Sequence[events.Event], kind: type | UnionType) -> _Lags:
        return cls([(event.t_ms, event.lag_ms) for event in told if isinstance(event, kind)])

    def at(self, moment_ms: float) -> float:
        near = [(abs(t_ms - moment_ms), lag) for t_ms, lag in self.moments if abs(t_ms - moment_ms) <= _NEAR_MS]
        return min(near)[1] if near else 0.0


def _tools_ms(told: Sequence[events.Event]) -> list[float]:
    return [event.t_ms for event in told if isinstance(event, events.ToolCalled)]


def _turn_facts(
    line: Timeline, answered: Sequence[turntaking.Answer], lags: _Lags, tools_ms: Sequence[float]
) -> list[TurnFacts]:
    """What each turn is scored by: those that ask for an answer, and those that the agent talked into."""
    delays = {answer.turn.starts_ms: answer.delay_ms for answer in answered}
    out = []
    for index, turn in enumerate(line.turns):
        until = line.turns[index + 1].starts_ms if index + 1 < len(line.turns) else line.end_ms
        over = [run for run in line.agent.runs if turn.starts_ms < run.starts_ms < turn.ends_ms]
        spoken = at(line.agent.runs, turn.starts_ms)
        if turn.starts_ms not in delays and not over and spoken is None:
            continue
        delay = delays.get(turn.starts_ms)
        latency = None if delay is None else delay + lags.at(turn.ends_ms + delay)
        ran = any(turn.starts_ms <= at_ms < until for at_ms in tools_ms)
        yield_ms = None if spoken is None else min(spoken.ends_ms, until) - turn.starts_ms
        out.append(TurnFacts(latency, ran, overlap_ms([turn], over), len(over), yield_ms))
    return out


# -- the ear -----------------------------------------------------------------------------------------------------------


def _words(trial: Trial) -> dict[str, object]:
    end_ms = trial.events[-1].t_ms if trial.events else 0.0
    found = understanding(utterances(trial.sounds, heard(trial.events)), end_ms)
    every = wer.pooled(found.errors)
    return {
        "words": every.words,
        "substituted": every.substituted,
        "deleted": every.deleted,
        "inserted": every.inserted,
        "utterance_wer": [errors.rate for errors in found.errors],
        "negation_flips": every.flips,
        "entities": Rate(hits=sum(entity.heard for entity in found.entities), n=len(found.entities)),
    }


# -- the sound ---------------------------------------------------------------------------------------------------------


def _health(trial: Trial) -> dict[str, object]:
    if not trial.audio:
        return {}
    recording = Recording.read(trial.audio)
    sound, rate_hz = recording.agent, recording.rate_hz
    pauses = _pauses(trial.events)
    cut = health.cut_offs(sound, rate_hz, [pause.starts_ms for pause in pauses])
    by_the_agent = trial.ended in _AGENT_ENDS and health.ends_in_sound(sound, rate_hz)
    return {
        "dropouts": len(health.dropouts(sound, rate_hz, pauses)),
        "clipped": len(health.clipping(sound, rate_hz)),
        "loops": len(health.loops(sound, rate_hz, _keys(trial.events))),
        "cut_offs": len(cut) + by_the_agent,
    }


def _keys(told: Sequence[events.Event]) -> list[Span]:
    """While touch tones went down the line; the same key pressed again sounds exactly the same."""
    pressed = [event for event in told if isinstance(event, events.KeysPressed) and event.side == "agent"]
    return [Span(event.t_ms, event.t_ms + _KEY_MS * len(event.keys)) for event in pressed]


def _pauses(told: Sequence[events.Event]) -> list[Span]:
    """From each moment at which the agent was told to be silent to the one at which it went on."""
    out: list[Span] = []
    since: float | None = None
    for event in told:
        if isinstance(event, events.AgentPaused):
            since = event.t_ms
        elif isinstance(event, events.AgentResumed) and since is not None:
            out.append(Span(since, event.t_ms))
            since = None
        elif isinstance(event, events.BargeIn) or (isinstance(event, events.AgentSpeechStopped) and event.interrupted):
            out.append(Span(event.t_ms if since is None else since, event.t_ms))
            since = None
    return out
