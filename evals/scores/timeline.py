"""Who sounded when in a call: the caller by the truth of the simulation, the agent by the events and the recording.

The agent *speaks* from its first sound to its last. When it falls silent because of a sound and then goes on from the
word where it was, within 2.0 s, it has hesitated and not stopped. Both sides are cut down to what can be heard in the
recording, where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from voicebot import events
from voicebot.evals.trial import Trial
from voicebot.personas.truth import Sound

from .recording import Activity, Recording, activity
from .spans import Span, Stretch

GOES_ON_MS = 2000.0
"""A pause no longer than this, from which the agent goes on by itself, is a hesitation."""
BREATH_MS = 1500.0
"""A pause of the caller's that is no longer, and in which the agent says nothing, is inside a turn."""
_SLACK_MS = 60.0
"""By how much the recording may differ from what events and truth say."""


@dataclass
class Speech:
    """The agent's stretches of speech."""

    runs: list[Span] = field(default_factory=list)
    """Hesitations are inside."""
    hesitations: list[Span] = field(default_factory=list)


@dataclass(frozen=True)
class Timeline:
    """One call. All times in milliseconds on its clock."""

    sounds: list[Sound]
    """Every sound of the caller's."""
    turns: list[Span]
    """The caller's turns: real speech, joined across short pauses."""
    agent: Speech
    end_ms: float

    @property
    def speech(self) -> list[Sound]:
        return [sound for sound in self.sounds if sound.kind == "speech"]


def timeline(trial: Trial) -> Timeline:
    """Read it from the trial's record."""
    agent = agent_speech(trial.events)
    sounds = list(trial.sounds)
    if trial.audio:
        recording = Recording.read(trial.audio)
        agent = _audible(agent, activity(recording.agent, recording.rate_hz))
        sounds = _measured(sounds, recording)
    end_ms = trial.events[-1].t_ms if trial.events else trial.call_s * 1000
    spoken = [sound for sound in sounds if sound.kind == "speech"]
    return Timeline(sounds, turns(spoken, agent.runs), agent, end_ms)


def agent_speech(told: Iterable[events.Event]) -> Speech:
    """What the events say: from `agent_speech_started` to `agent_speech_stopped`, cut at long pauses."""
    speech = Speech()
    since: float | None = None
    paused: float | None = None
    for event in told:
        match event:
            case events.AgentSpeechStarted() if since is None:
                since, paused = event.t_ms, None
            case events.AgentPaused() if since is not None and paused is None:
                paused = event.t_ms
            case events.AgentResumed() if since is not None and paused is not None:
                if event.t_ms - paused <= GOES_ON_MS:
                    speech.hesitations.append(Span(paused, event.t_ms))
                else:
                    speech.runs.append(Span(since, paused))
                    since = event.t_ms
                paused = None
            case events.AgentSpeechStopped() | events.CallEnded() if since is not None:
                speech.runs.append(Span(since, event.t_ms if paused is None else paused))
                since = paused = None
    return speech


def turns(speech: Iterable[Stretch], agent: Sequence[Stretch]) -> list[Span]:
    """Stretches of the caller's speech, joined across short pauses in which the agent does not begin to speak."""
    out: list[Span] = []
    for sound in sorted(speech, key=lambda sound: sound.starts_ms):
        before = out[-1] if out else None
        if before and sound.starts_ms - before.ends_ms <= BREATH_MS and not _begins(agent, before, sound):
            out[-1] = Span(before.starts_ms, max(before.ends_ms, sound.ends_ms))
        else:
            out.append(Span(sound.starts_ms, sound.ends_ms))
    return out


def _begins(agent: Sequence[Stretch], before: Stretch, after: Stretch) -> bool:
    return any(before.ends_ms <= span.starts_ms < after.starts_ms for span in agent)


def _audible(speech: Speech, heard: Activity) -> Speech:
    """Cut down to the first and the last sound of each run; a run without any was not heard."""
    found = [heard.within(run, _SLACK_MS) for run in speech.runs]
    return Speech([run for run in found if run], speech.hesitations)


def _measured(sounds: Sequence[Sound], recording: Recording) -> list[Sound]:
    """The caller's sounds as the recording has them; as the simulation says where the line hides them."""
    heard = activity(recording.caller, recording.rate_hz, outside=sounds)
    out = []
    for sound in sounds:
        span = heard.within(sound, 0.0)
        if span and span.ends_ms > span.starts_ms and sound.ends_ms - span.ends_ms <= _SLACK_MS:
            sound = sound.model_copy(update={"starts_ms": span.starts_ms, "ends_ms": span.ends_ms})
        out.append(sound)
    return out
