"""What is kept word for word: once each, and as last corrected."""

from __future__ import annotations

import pytest

from voicebot.brain.memory.facts import Quote, quotes
from voicebot.brain.memory.verbatim import fitting, sifted


def said(*lines: str) -> list[Quote]:
    """A conversation: the agent's lines begin with 'A:'."""
    found: list[Quote] = []
    asked = ""
    for line in lines:
        if line.startswith("A:"):
            asked = line[2:].strip()
            found += quotes(asked, "agent")
        else:
            found += quotes(line, "caller", asked)
    return found


def kept(*lines: str) -> list[tuple[str, bool]]:
    return [(each.text, each.corrected) for each in sifted(said(*lines)).kept]


def test_what_was_said_is_listed_in_its_order():
    assert kept("my name is maria lopez", "212 555 0123") == [
        ("my name is maria lopez", False),
        ("212 555 0123", False),
    ]


def test_a_value_is_listed_once_and_in_the_callers_words():
    assert kept("it's 212 555 0123", "A: So that is 212-555-0123?", "yes 2125550123") == [("it's 212 555 0123", False)]
    assert kept("A: Is it still 212 555 0123?", "yes 212 555 0123") == [("yes 212 555 0123", False)]


def test_a_number_with_and_without_its_country_is_one():
    assert len(kept("212 555 0123", "A: I have plus 1 212 555 0123.")) == 1


@pytest.mark.parametrize(
    "correction",
    [
        "sorry, it's 212 555 0199",
        "no 212 555 0199",
        "I meant 212 555 0199",
        "it's not 212 555 0123 but 212 555 0199",
        "my number is 212 555 0199",
    ],
)
def test_a_correction_replaces_the_number_and_says_so(correction: str):
    (only,) = kept("my number is 212 555 0123", correction)
    assert "0199" in only[0]
    assert "0123" not in only[0]
    assert only[1]


def test_the_latest_of_several_corrections_wins():
    lines = ("my number is 212 555 0123", "sorry, 212 555 0199", "no, wait, it's 212 555 0177")
    assert kept(*lines) == [("no, wait, it's 212 555 0177", True)]


def test_whoever_goes_back_to_the_first_value_is_believed():
    lines = ("my number is 212 555 0123", "sorry, 212 555 0199", "no, sorry, it was 212 555 0123")
    assert kept(*lines) == [("no, sorry, it was 212 555 0123", True)]


def test_what_else_was_said_in_a_corrected_sentence_stays():
    first, second = kept("my name is maria lopez and my number is 212 555 0123", "sorry, my number is 212 555 0199")
    assert first == ("my name is maria lopez and my number is …", False)
    assert second == ("sorry, my number is 212 555 0199", True)


def test_a_value_that_the_agent_repeats_wrongly_is_not_listed():
    lines = ("my number is 212 555 0199", "A: So 212 555 0123?", "no 212 555 0199")
    assert all("0123" not in text for text, _ in kept(*lines))
    lines = ("my number is 212 555 0123", "sorry 212 555 0199", "A: So 212 555 0123.")
    assert all("0123" not in text for text, _ in kept(*lines))


def test_another_number_is_no_correction():
    both = kept("my number is 212 555 0123", "and another number is, sorry, 212 555 0199")
    assert [corrected for _, corrected in both] == [False, False]


def test_a_number_of_somebody_else_is_no_correction():
    both = kept("my mobile is 212 555 0123", "sorry, my wife's number is 212 555 0199")
    assert len(both) == 2


def test_the_agents_own_name_stays():
    assert len(kept("A: Hello, this is Ava.", "my name is maria lopez")) == 2


def test_no_alone_does_not_replace_a_count():
    assert len(kept("we are two adults", "A: Any children?", "no, but 3 dogs")) == 2
    assert kept("we are two people", "sorry, three people")[0][0] == "sorry, three people"


def test_a_redaction_stays_as_it_is():
    assert kept("my card is [card 1]", "and the other is [card 2]") == [
        ("my card is [card 1]", False),
        ("and the other is [card 2]", False),
    ]


def test_what_was_said_later_corrects_but_is_not_listed():
    quoted = said("my number is 212 555 0123", "sorry, 212 555 0199")
    verbatim = sifted(quoted, listed=1)
    assert verbatim.kept == ()
    assert verbatim.replaced == {"2125550123"}


def test_when_it_gets_tight_the_least_important_goes_first():
    filler = [f"i have {number} of them in the garden behind the house" for number in range(20, 60)]
    everything = sifted(said("my name is maria lopez", *filler, "my number is 212 555 0123")).kept
    caller, _ = fitting(everything, 60)
    assert caller[0] == '"my name is maria lopez"'
    assert caller[-1] == '"my number is 212 555 0123"'
    assert 2 < len(caller) < 10


def test_when_it_gets_tighter_the_values_stay_without_their_words():
    everything = sifted(said("my name is maria lopez and my number is 212 555 0123", "l o p e z")).kept
    caller, _ = fitting(everything, 26)
    assert caller == ['"maria lopez, 212 555 0123"', '"l o p e z"']
