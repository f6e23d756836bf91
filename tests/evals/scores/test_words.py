"""What was said is laid beside what was understood of it, however the agent cut it into turns."""

from __future__ import annotations

import pytest

from voicebot import events
from voicebot.evals.scores.spans import Span
from voicebot.evals.scores.words import Heard, heard, understanding, utterances
from voicebot.evals.words import wer
from voicebot.personas.truth import Sound


def speech(starts_ms: float, ends_ms: float, text: str) -> Sound:
    return Sound(kind="speech", starts_ms=starts_ms, ends_ms=ends_ms, text=text)


def turn(starts_ms: float, ends_ms: float, text: str) -> Heard:
    return Heard(Span(starts_ms, ends_ms), text)


def told(sounds: list[Sound], turns: list[Heard]) -> list[tuple[str, str]]:
    return [(each.said, each.understood) for each in utterances(sounds, turns)]


def test_a_turn_is_everything_between_the_first_sound_and_the_end():
    found = heard(
        [
            events.CallerSpeechStarted(t_ms=1100, turn=1, speech_start_ms=1000),
            events.CallerSpeechStopped(t_ms=2200, turn=1, speech_end_ms=2000),
            events.TranscriptFinal(t_ms=2300, turn=1, text="i want"),
            events.CallerSpeechStarted(t_ms=2600, turn=1, speech_start_ms=2500),
            events.CallerSpeechStopped(t_ms=3700, turn=1, speech_end_ms=3500),
            events.TranscriptFinal(t_ms=3800, turn=1, text="a cleaning"),
        ]
    )
    assert found == [turn(1000, 3500, "i want a cleaning")]


def test_sounds_and_turns_of_the_same_time_belong_together():
    said = [speech(1000, 2000, "I want"), speech(2500, 3500, "a cleaning")]
    assert told(said, [turn(990, 3600, "i want a cleaning")]) == [("I want a cleaning", "i want a cleaning")]
    assert told(said[:1], [turn(990, 1400, "i"), turn(1600, 2100, "want")]) == [("I want", "i want")]
    assert told(said, [turn(990, 2100, "i want"), turn(2490, 3600, "a cleaning")]) == [
        ("I want", "i want"),
        ("a cleaning", "a cleaning"),
    ]


def test_what_nobody_heard_is_lost_and_what_nobody_said_is_no_utterance():
    found = understanding(utterances([speech(1000, 2000, "hello there")], [turn(5000, 5500, "uh")]))
    assert [(each.deleted, each.words) for each in found.errors] == [(2, 2)]


def test_murmurs_and_coughs_alone_are_no_utterances():
    murmur = Sound(kind="backchannel", starts_ms=0, ends_ms=300, text="uh-huh")
    cough = Sound(kind="cough", starts_ms=900, ends_ms=1200)
    assert understanding(utterances([murmur, cough], [turn(890, 1250, "what")])).errors == []


def test_a_goodbye_that_the_end_of_the_call_swallows_does_not_count():
    said = utterances([speech(1000, 2000, "goodbye")], [turn(1000, 2000, "")])
    assert understanding(said, end_ms=3999).errors == []
    assert [each.deleted for each in understanding(said, end_ms=4000).errors] == [1]


def test_pooled_mean_entities_and_flips_of_a_call():
    said = [
        speech(0, 900, "Don't cancel it."),  # do not cancel it -> cancel it: 2 of 4 lost, and the negation with them
        speech(5000, 5900, "It's five five five, zero one four two."),  # it is 5550142: right
        speech(9000, 9900, "My name is Maria Lopez."),  # lopez -> lopes: 1 of 5
    ]
    turns = [
        turn(0, 900, "cancel it"),
        turn(5000, 5900, "its 555 0142"),
        turn(9000, 9900, "my name is maria lopes"),
    ]
    found = understanding(utterances(said, turns))
    every = wer.pooled(found.errors)
    # "its" against "it is": one substituted and one deleted, of 3
    assert (every.substituted + every.deleted + every.inserted, every.words, every.flips) == (2 + 2 + 1, 4 + 3 + 5, 1)
    assert wer.mean(found.errors) == pytest.approx((2 / 4 + 2 / 3 + 1 / 5) / 3)
    assert {entity.text: entity.heard for entity in found.entities} == {"5550142": True, "marialopez": False}
