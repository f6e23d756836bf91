"""Numbers, names and codes are found in what was said, and looked for in what was heard."""

from __future__ import annotations

import pytest

from voicebot.evals.words.entities import accuracy, entities, judged


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("My number is 555 0142.", ["number 5550142"]),
        ("call me at five five five oh one four two", ["number 5550142"]),
        ("my code is z k three four oh one please", ["code zk3401"]),
        ("Your order ZK-3401 is for Maria Lopez", ["code zk3401", "name marialopez"]),
        ("at 2:30 pm on May 21st", ["number 230", "number 21"]),
        ("I want the other one at two thirty", ["number 230"]),
        ("Book a cleaning with Dr. Lee for Tuesday", ["name lee"]),
        ("Maria Lopez called. The Smiths came. Please wait.", ["name marialopez", "name smiths"]),
        ("I'm Ava, and O'Brien's friend", ["name ava", "name obriens"]),
        ("MY NAME IS BOB 12", ["number 12"]),
        ("I have a five year old at 5 A M", ["number 5", "number 5"]),
        ("that is S M I T H, spelled", ["code smith"]),
        ("my insurer is AOK", ["code aok"]),
        ("it was in the 90s at 10am", ["number 90", "number 10"]),
        ("nothing of the kind in here", []),
        ("", []),
    ],
)
def test_entities_are_found_by_rule(text, found):
    assert [f"{entity.kind} {entity.text}" for entity in entities(text)] == found


@pytest.mark.parametrize(
    ("said", "heard", "right"),
    [
        ("ZK-3401", "z k three four oh one", True),
        ("ZK-3401", "zk 3401", True),
        ("ZK-3401", "z k three four one", False),
        ("for Maria Lopez", "for maria lopez", True),
        ("for Maria Lopez", "for maria lopes", False),
        ("at 2:30", "at two thirty", True),
        ("at 2:30", "at 230", True),
        ("at 2:30", "at two thirteen", False),
        ("my number is 555 0142", "my number is five five five oh one four two", True),
        ("may 21st", "may 21", True),
        ("for 12 people", "", False),
    ],
)
def test_an_entity_counts_when_it_stands_in_what_was_heard(said, heard, right):
    (entity,) = judged(said, heard)
    assert entity.heard is right


def test_one_place_counts_for_one_entity():
    assert [entity.heard for entity in judged("five people and five chairs", "five people and nine chairs")] == [
        True,
        False,
    ]


def test_accuracy_is_the_share_that_was_heard():
    found = judged("Maria Lopez, 12 o'clock, ZK3", "maria lopez 11 oclock zk3")
    assert accuracy(found) == pytest.approx(2 / 3)
    assert accuracy([]) is None
