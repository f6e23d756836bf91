from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.text_call import TextCall


@pytest.fixture
def call(tmp_path: Path) -> TextCall:
    return TextCall("orders", tmp_path)


def test_order_is_tracked_by_its_digits(call: TextCall) -> None:
    assert call.say("hi where is my order") == "What is your order number?"
    assert call.say("one oh double four two") == (
        "Order one zero four four two, a two-person tent, is packed and ready to be sent. "
        "Is there anything else I can help you with?"
    )


def test_number_in_two_breaths(call: TextCall) -> None:
    call.all("order status", "one zero")
    assert call.say("four four two").startswith("Order one zero four four two")


def test_unknown_number_is_asked_again(call: TextCall) -> None:
    reply = call.all("order status", "nine nine nine nine nine")
    assert reply == "I can't find an order nine nine nine nine nine. What is the number, digit by digit?"
    assert call.say("two zero one one seven").startswith("Order two zero one one seven, hiking boots, is on its way")


def test_delivery_day_is_changed_after_a_yes(call: TextCall) -> None:
    reply = call.say("could you deliver order one zero four four two on saturday")
    assert reply.endswith("a two-person tent, comes on Saturday the twenty-eighth of November. Is that right?")
    call.say("no wednesday the second of december")
    assert call.deeds == []
    assert call.say("yes").startswith("Good, we deliver it on Wednesday the second of December.")
    assert next(each for each in call.kept("orders.json") if each["order"] == "10442")["delivery"] == "2026-12-02"
    assert "will be delivered on Wednesday the second of December" in call.say(
        "when will my order arrive one zero four four two"
    )


def test_sunday_offers_other_days(call: TextCall) -> None:
    reply = call.all("i want to change the delivery day", "one zero four four two", "sunday")
    assert reply.startswith("We don't deliver on Sunday the twenty-ninth of November. I can offer Monday the thirtieth")


def test_order_on_its_way_cannot_be_changed(call: TextCall) -> None:
    reply = call.all("change the delivery date", "two zero one one seven")
    assert reply.startswith("Order two zero one one seven is already on its way.")
    assert call.step == "anything_else"


def test_refund_goes_to_a_person(call: TextCall) -> None:
    reply = call.all("i want my money back", "two zero one one seven")
    assert reply.startswith("I'm sorry about that.")
    assert call.ended == ("hand_over", {"to": "customer care", "reason": "return something"})


@pytest.mark.parametrize(
    ("words", "step"),
    [
        ("can you tell me the status of my order please", "track.order"),
        ("i'm not home on tuesday", "deliver_later.order"),
        ("could you bring it on friday instead", "deliver_later.order"),
        ("i got the wrong item", "refund.order"),
        ("my tent arrived broken", "refund.order"),
    ],
)
def test_goal_is_understood_from_other_words(call: TextCall, words: str, step: str) -> None:
    call.say(words)
    assert call.step == step


def test_question_is_answered(call: TextCall) -> None:
    assert call.say("how much is shipping").startswith("Delivery is free from fifty dollars.")
    assert call.say("do you ship to canada").startswith("We ship to all of the United States")
