from __future__ import annotations

import pytest

from voicebot.brain.nlu import Utterance
from voicebot.brain.nlu.amounts import find_codes, find_money, find_numbers
from voicebot.brain.nlu.phones import find_phones, national


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("the twenty first of december", "the 21st of december"),
        ("two hundred and five", "205"),
        ("the second one", "the 2nd one"),
        ("one moment please", "one moment please"),
        ("just a second", "just a second"),
        ("It's 2:30 p.m., on 12/1!", "it's 2:30 pm on 12/1"),
        ("a check-up", "a check up"),
        ("", ""),
        ("?!", ""),
    ],
)
def test_words_come_without_punctuation_and_numbers_in_digits(text: str, tokens: str) -> None:
    assert Utterance.of(text).text == tokens


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("two one two five five five oh one two three", "+12125550123"),
        ("my number is two one two triple five oh one double two", "+12125550122"),
        ("212-555-0123", "+12125550123"),
        ("plus four four two oh seven nine four six oh nine five eight", "+442079460958"),
        ("five five five one two three four", "5551234"),
        ("two one two five five five twelve thirty four", "+12125551234"),
        ("it's two one to five five five oh won two three thanks", "+12125550123"),
    ],
)
def test_spoken_phone_number_is_understood(text: str, phone: str) -> None:
    (mention,) = find_phones(Utterance.of(text), "US")
    assert (mention.value, mention.sure) == (phone, True)


def test_part_of_a_phone_number_is_not_sure() -> None:
    (mention,) = find_phones(Utterance.of("two one two"), "US")
    assert (mention.value, mention.sure) == ("212", False)


def test_phone_number_is_read_in_groups() -> None:
    assert national("+12125550123", "US") == "212 555 0123"
    assert national("5551234", "US") == "555 1234"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("one zero four four two", "10442"),
        ("order number ten four forty two", "10442"),
        ("it's one oh double four two please", "10442"),
        ("10442", "10442"),
    ],
)
def test_code_is_understood(text: str, code: str) -> None:
    (mention,) = find_codes(Utterance.of(text), 5, letters=False)
    assert (mention.value, mention.sure) == (code, True)


def test_code_with_letters_may_be_spelled_with_the_nato_alphabet() -> None:
    (mention,) = find_codes(Utterance.of("it is bravo k four seven"), 4, letters=True)
    assert mention.value == "BK47"


def test_count_is_sure_beside_its_unit() -> None:
    found = find_numbers(Utterance.of("a table for four people at eight"), ["people"])
    assert [(each.value, each.sure) for each in found] == [(4, True), (8, False)]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("forty two dollars fifty", 42.5),
        ("$19.99", 19.99),
        ("three hundred euros", 300.0),
        ("ten dollars and five cents", 10.05),
    ],
)
def test_money_is_understood(text: str, amount: float) -> None:
    (mention,) = find_money(Utterance.of(text))
    assert (mention.value, mention.sure) == (amount, True)
