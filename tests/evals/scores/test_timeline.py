"""Who sounded when: hesitations are inside a stretch of speech, stops end it, and the recording has the last word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.doubles.measured_call import channel, trial
from voicebot import events
from voicebot.evals.scores.spans import Span
from voicebot.evals.scores.timeline import agent_speech, timeline, turns
from voicebot.personas.truth import Sound


def started(t_ms: float) -> events.Event:
    return events.AgentSpeechStarted(t_ms=t_ms)


def stopped(t_ms: float, *, interrupted: bool = False) -> events.Event:
    return events.AgentSpeechStopped(t_ms=t_ms, heard="", said="", interrupted=interrupted)


def paused(t_ms: float) -> events.Event:
    return events.AgentPaused(t_ms=t_ms, speech_start_ms=t_ms)


def resumed(t_ms: float) -> events.Event:
    return events.AgentResumed(t_ms=t_ms)


def test_a_short_pause_is_a_hesitation_within_one_stretch():
    speech = agent_speech([started(100), paused(1000), resumed(3000), stopped(5000)])
    assert speech.runs == [Span(100, 5000)]
    assert speech.hesitations == [Span(1000, 3000)]  # exactly 2.0 s


def test_a_longer_pause_is_a_stop():
    speech = agent_speech([started(100), paused(1000), resumed(3001), stopped(5000)])
    assert speech.runs == [Span(100, 1000), Span(3001, 5000)]
    assert speech.hesitations == []


def test_an_interrupted_agent_stopped_when_it_fell_silent_and_not_when_that_was_settled():
    barge_in = events.BargeIn(t_ms=1400, heard="")
    speech = agent_speech([started(100), paused(1000), barge_in, stopped(1400, interrupted=True)])
    assert speech.runs == [Span(100, 1000)]


def test_the_end_of_the_call_ends_speech():
    assert agent_speech([started(100), events.CallEnded(t_ms=700, reason="caller_hung_up")]).runs == [Span(100, 700)]
    assert agent_speech([paused(10), resumed(20), stopped(30)]).runs == []  # it said nothing


def test_a_turn_goes_on_behind_a_breath_but_not_behind_the_agents_words():
    said = [Span(0, 1000), Span(2500, 3000), Span(4501, 5000)]  # pauses of 1500 and 1501
    assert turns(said, []) == [Span(0, 3000), Span(4501, 5000)]
    assert turns(said[:2], [Span(1200, 2600)]) == said[:2]


def test_both_sides_are_measured_on_the_recording(tmp_path: Path):
    told = [started(1000), stopped(3400), events.CallEnded(t_ms=6000, reason="caller_hung_up")]
    sounds = [Sound(kind="speech", starts_ms=3990, ends_ms=5030)]
    recorded = trial(tmp_path, told, sounds, channel([(4000, 5000)], 6000), channel([(1050, 3200)], 6000))
    line = timeline(recorded)
    (run,), (turn,) = line.agent.runs, line.turns
    assert (run.starts_ms, run.ends_ms) == pytest.approx((1050, 3200), abs=10)  # the event's silences are cut off
    assert (turn.starts_ms, turn.ends_ms) == pytest.approx((4000, 5000), abs=10)


def test_speech_that_cannot_be_heard_is_none(tmp_path: Path):
    told = [started(1000), stopped(3400), events.CallEnded(t_ms=6000, reason="caller_hung_up")]
    silent = trial(tmp_path, told, [], channel([], 6000), channel([], 6000))
    assert timeline(silent).agent.runs == []


def test_where_the_line_is_loud_the_simulations_own_times_count(tmp_path: Path):
    noise = np.random.default_rng(1).normal(0, 4000, 48_000).astype(np.int16)
    sounds = [Sound(kind="speech", starts_ms=4000, ends_ms=5000)]
    told = [events.CallEnded(t_ms=6000, reason="caller_hung_up")]
    recorded = trial(tmp_path, told, sounds, noise, channel([], 6000))
    assert timeline(recorded).turns == [Span(4000, 5000)]
