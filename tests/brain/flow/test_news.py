"""What was done is known to the caller, and done once."""

from __future__ import annotations

from tests.doubles.text_call import TextCall


def booked(call: TextCall) -> str:
    for words in ("a cleaning next tuesday at half past two for maria lopez", "i'd rather not say"):
        call.say(words)
    return call.say("yes")


def test_a_booking_that_the_caller_did_not_hear_of_is_said_again(call: TextCall) -> None:
    assert "You're booked" in booked(call)
    assert call.say("correct", heard="").startswith("You're booked")
    assert "You're booked" not in call.say("no thank you")


def test_the_same_booking_agreed_to_twice_is_made_once(call: TextCall) -> None:
    booked(call)
    booked(call)
    assert len(call.kept("appointments.json")) == 1
