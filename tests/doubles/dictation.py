"""Ways in which people dictate a number, for the properties of the guardrails."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st
from num2words import num2words

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PAUSES = ("", " uh", " um", ",", " -", " okay", " and then")


def digit_by_digit(digits: str) -> str:
    return " ".join(DIGITS[int(each)] for each in digits)


def with_oh(digits: str) -> str:
    return digit_by_digit(digits).replace("zero", "oh")


def in_pairs(digits: str) -> str:
    """ "forty one", but "oh five" and a last digit alone."""
    pairs = [digits[place : place + 2] for place in range(0, len(digits), 2)]
    return " ".join(
        digit_by_digit(pair) if len(pair) == 1 or pair[0] == "0" else num2words(int(pair)).replace("-", " ")
        for pair in pairs
    )


def with_doubles(digits: str) -> str:
    """ "double five" for two of a kind that follow each other."""
    said, place = [], 0
    while place < len(digits):
        twice = digits[place : place + 2] == digits[place] * 2
        said.append(f"double {DIGITS[int(digits[place])]}" if twice else DIGITS[int(digits[place])])
        place += 1 + twice
    return " ".join(said)


def in_groups(digits: str) -> str:
    return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))


def with_dashes(digits: str) -> str:
    return in_groups(digits).replace(" ", "-")


def mixed(digits: str) -> str:
    return f"{digits[:4]} {digit_by_digit(digits[4:8])} {' '.join(digits[8:12])} {with_oh(digits[12:])}".strip()


def figures(digits: str) -> str:
    return digits


STYLES: tuple[Callable[[str], str], ...] = (
    digit_by_digit, with_oh, in_pairs, with_doubles, in_groups, with_dashes, mixed, figures,
)  # fmt: skip
spoken_styles = st.sampled_from(STYLES)


@st.composite
def with_pauses(draw: st.DrawFn, digits: str) -> str:
    """Digit by digit, with something between some of them."""
    words = [DIGITS[int(each)] for each in digits]
    return " ".join(word + draw(st.sampled_from(PAUSES)) for word in words[:-1]) + f" {words[-1]}"


def luhn_complete(digits: str) -> str:
    """The digits with the check digit that makes them a card number."""
    total = sum(sum(divmod(int(each) * (2 - place % 2), 10)) for place, each in enumerate(reversed(digits)))
    return digits + str(-total % 10)


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    """Numbers of the large issuers: Visa, Mastercard, American Express, Discover."""
    prefix, length = draw(
        st.sampled_from([("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("34", 15), ("37", 15), ("6011", 16)])
    )
    rest = draw(st.text("0123456789", min_size=length - len(prefix) - 1, max_size=length - len(prefix) - 1))
    return luhn_complete(prefix + rest)
