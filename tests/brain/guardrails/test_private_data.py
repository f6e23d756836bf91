"""Private data other than cards: what is one, what is none, in the words of callers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles.dictation import DIGITS, spoken_styles
from voicebot.agent.guardrails import Guardrails
from voicebot.brain.guardrails import Guard
from voicebot.brain.guardrails.checksums import iban, iban_length, luhn

PRIVATE = Guardrails.model_validate({"pii": "redact"})
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def redacted(text: str, language: str = "en") -> str:
    return Guard(PRIVATE, language).caller(text).text


@settings(max_examples=40, deadline=None)
@given(area=st.integers(200, 999), exchange=st.integers(200, 999), line=st.integers(0, 9999), style=spoken_styles)
def test_any_telephone_number_is_redacted_where_it_was_called_one(
    area: int, exchange: int, line: int, style: Callable[[str], str]
) -> None:
    said = style(f"{area}{exchange}{line:04}")
    assert redacted(f"you can call me at {said}") == "you can call me at [phone 1]"


@settings(max_examples=40, deadline=None)
@given(digits=st.from_regex(r"[1-8]\d{8}", fullmatch=True), style=spoken_styles)
def test_any_social_security_number_is_redacted_where_it_was_called_one(
    digits: str, style: Callable[[str], str]
) -> None:
    assert redacted(f"my social is {style(digits)} okay") == "my social is [ssn 1] okay"


@settings(max_examples=40, deadline=None)
@given(country=st.sampled_from(["DE", "AT", "ES", "BE", "PT", "CH"]), seed=st.integers(0, 10**30))
def test_any_iban_is_redacted_written_and_spelled(country: str, seed: int) -> None:
    length = iban_length(country)
    account = str(seed).zfill(length)[-(length - 4) :]
    check = 98 - int("".join(str(int(each, 36)) for each in f"{account}{country}00")) % 97
    number = f"{country}{check:02}{account}"
    assert iban(number)
    spelled = " ".join(DIGITS[int(each)] if each.isdigit() else each.lower() for each in number)
    written = " ".join(number[place : place + 4] for place in range(0, length, 4))
    assert redacted(f"it's {spelled} thanks") == "it's [iban 1] thanks"
    assert redacted(f"it's {written} thanks") == "it's [iban 1] thanks"


@settings(max_examples=40, deadline=None)
@given(
    local=st.text("bcdefghjklmnpqrstuvwxyz", min_size=3, max_size=9),
    domain=st.sampled_from(["gmail.com", "acme-tools.org", "mail.example.co.uk"]),
)
def test_any_address_is_redacted_written_and_spelled(local: str, domain: str) -> None:
    said = domain.replace(".", " dot ").replace("-", " dash ")
    assert redacted(f"my email is {' '.join(local)} at {said} thanks") == "my email is [email 1] thanks"
    assert redacted(f"my email is {local}@{domain} thanks") == "my email is [email 1] thanks"


@pytest.mark.parametrize(
    ("said", "goes_on"),
    [
        ("it's j as in john dot doe at yahoo dot com", "it's [email 1]"),
        ("plus four four twenty seven nine four six oh nine five eight", "[phone 1]"),
        ("oh seven seven double oh nine hundred one two three is my mobile", "[phone 1] is my mobile"),
        ("my date of birth is march fourteenth nineteen eighty five", "my date of birth is [birth_date 1]"),
        ("dob 03/14/1985", "dob [birth_date 1]"),
        ("my name is jane doe and i'm late", "my name is [name 1] and i'm late"),
        ("this is priya speaking", "this is [name 1] speaking"),
        ("i live at forty two oak street", "i live at [address 1]"),
        ("GB29 NWBK 6016 1331 9268 19", "[iban 1]"),
        ("219-09-9999", "[ssn 1]"),
    ],
)  # fmt: skip
def test_private_data_is_replaced_where_it_stands(said: str, goes_on: str) -> None:
    assert redacted(said) == goes_on


@pytest.mark.parametrize(
    ("said", "language", "goes_on"),
    [
        ("meine nummer ist null eins sieben sechs zwölf vierunddreißig sechsundfünfzig sieben", "de",
         "meine nummer ist [phone 1]"),
        ("mon numéro c'est le zéro six douze trente-quatre cinquante-six soixante-dix-huit", "fr",
         "mon numéro c'est le [phone 1]"),
        ("mi correo es ana punto ruiz arroba gmail punto com", "es", "mi correo es [email 1]"),
        ("nací el 14 de marzo de 1985", "es", "nací el [birth_date 1]"),
        ("mijn naam is femke de vries", "nl", "mijn naam is [name 1]"),
    ],
)  # fmt: skip
def test_other_languages_are_read_too(said: str, language: str, goes_on: str) -> None:
    assert redacted(said, language) == goes_on


@pytest.mark.parametrize(
    "innocent",
    [
        "this is urgent", "i'm late", "i'm good thanks", "my name is on the list", "the name is fine",
        "i found you at acme dot com", "should i write to support at acme dot com", "are you at 500 main street",
        "can i come on march fourteenth", "my birthday party is on may fifth", "i've been a customer since 1998",
        "i'd like to see doctor anna park", "i was born in chicago", "my confirmation is 7 7 2 0 1 9 3 3 1 0",
        "call the toll free number one eight hundred five five five oh one nine nine",
    ],
)  # fmt: skip
def test_innocent_words_stay(innocent: str) -> None:
    assert redacted(innocent) == innocent


def test_what_the_agent_asked_for_says_what_a_bare_number_is() -> None:
    asked = Guard(PRIVATE, "en")
    asked.agent("What is your order number?")
    assert asked.caller("four one five five five five two six seven one").text.startswith("four one five")
    asked.agent("And what is the best phone number to reach you?")
    assert asked.caller("four one five five five five two six seven one").text == "[phone 1]"


def test_a_bare_answer_to_the_question_for_a_name_is_a_name() -> None:
    asked = Guard(PRIVATE, "en")
    assert asked.caller("thorvaldsen").text == "thorvaldsen"
    asked.agent("May I have your last name, please?")
    assert asked.caller("thorvaldsen").text == "[name 1]"


def test_only_the_kinds_that_are_named_are_looked_for() -> None:
    settings = Guardrails.model_validate({"pii": {"kinds": ["card"]}})
    text = "my name is jane doe and my card is 4111 1111 1111 1111"
    assert Guard(settings, "en").caller(text).text == "my name is jane doe and my card is [card 1]"


def test_values_to_keep_are_not_private() -> None:
    settings = Guardrails.model_validate({"pii": {"keep": ["212 555 0199", "jane@example.com"]}})
    text = "is it still 212-555-0199 and jane@example.com or call me at 212-555-0100"
    assert (
        Guard(settings, "en").caller(text).text
        == "is it still 212-555-0199 and jane@example.com or call me at [phone 1]"
    )


def test_field_names_give_private_values_away_in_results() -> None:
    result = Guard(PRIVATE, "en").result("crm", '{"first_name": "Dolores", "dob": "1961-05-12", "plan": "gold"}')
    assert result.text == '{"first_name": "[name 1]", "dob": "[birth_date 1]", "plan": "gold"}'


@given(digits=st.text("0123456789", min_size=13, max_size=18))
def test_exactly_one_check_digit_fits(digits: str) -> None:
    assert sum(luhn(f"{digits}{last}") for last in range(10)) == 1
