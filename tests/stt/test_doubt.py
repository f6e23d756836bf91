from __future__ import annotations

import pytest

from voicebot.stt.doubt import loops, once, unsaid


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Are you open today? Are you open today? Are you open today?", "Are you open today?"),
        ("Yes. Yes. Yes. Yes. Yes. Yes.", "Yes."),
        ("I said I need an appointment I need an appointment", "I said I need an appointment"),
        ("so " + "that is it that is it " * 20, "so that is it"),
    ],
)
def test_circles_are_gone_round_once(text: str, said: str) -> None:
    assert loops(text)
    assert once(text) == said


def test_spelled_circles_are_noticed_too() -> None:
    assert loops("M-T-S-T-S-T-S-T-S-T-S-T")
    assert not loops("five-five-five-zero-one-four-two")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no no no",
        "Yes, yes. Hello? Hello?",
        "It's five five five, zero one four two.",
        "I'd like to book a cleaning on Tuesday, not on Thursday, on Tuesday at ten, please.",
    ],
)
def test_people_repeat_themselves_too(text: str) -> None:
    assert not loops(text)
    assert once(text) == text


@pytest.mark.parametrize(
    ("text", "no_speech", "log_probability"),
    [
        ("", 0.0, 0.0),
        (" . . .", 0.1, -0.2),
        ("Thanks for watching!", 0.3, -0.3),
        ("Subtitles by the Amara.org community", 0.3, -0.3),
        ("Please like and subscribe to my channel", 0.25, -0.1),
        ("Thank you.", 0.5, -0.4),
        ("You", 0.95, -3.7),
        ("I'm not a fan of this.", 0.5, -2.2),
        ("Do", 0.1, -3.9),
        ("I'm from the University of California,", 0.81, -1.5),
    ],
)
def test_nobody_said_that(text: str, no_speech: float, log_probability: float) -> None:
    assert unsaid(text, no_speech, log_probability)


@pytest.mark.parametrize(
    ("text", "no_speech", "log_probability"),
    [
        ("Thank you.", 0.1, -0.2),
        ("Five.", 0.25, -1.2),
        ("cancel", 0.31, -1.4),
        ("Thank you.", 0.36, -0.2),
        ("Forty-four?", 0.02, -2.4),
        ("Subscribe me to the newsletter, please.", 0.02, -0.2),
        ("Could you subscribe me to the newsletter?", 0.02, -0.2),
        ("230 works great for me.", 0.46, -0.3),
    ],
)
def test_somebody_said_that(text: str, no_speech: float, log_probability: float) -> None:
    assert not unsaid(text, no_speech, log_probability)
