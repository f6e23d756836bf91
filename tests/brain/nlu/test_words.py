"""Choices, names, and what utterances do."""

from __future__ import annotations

import pytest

from voicebot.brain.nlu import Utterance
from voicebot.brain.nlu.acts import clear_no, clear_yes, find_acts
from voicebot.brain.nlu.choices import Choices
from voicebot.brain.nlu.names import Names
from voicebot.brain.nlu.similar import Examples
from voicebot.brain.nlu.spelling import find_spelled

TREATMENTS = Choices({"cleaning": ["teeth cleaning"], "check-up": ["checkup"], "filling": ["cavity"], "whitening": []})
NAMES = Names(["Maria", "James", "Grace"], ["Lopez"], ["appointment", "cleaning", "dentist"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a cleaning", "cleaning"),
        ("I need a check-up", "check-up"),
        ("check up please", "check-up"),
        ("i have a cavity", "filling"),
        ("a teeth cleaning", "cleaning"),
        ("a cleening", "cleaning"),
        ("whitning", "whitening"),
    ],
)
def test_choice_is_found_by_name_synonym_and_likeness(text: str, value: str) -> None:
    (mention,) = TREATMENTS.find(Utterance.of(text))
    assert mention.value == value


@pytest.mark.parametrize("text", ["ceiling", "feeling", "killing time", "something else", "clean"])
def test_choice_is_not_guessed(text: str) -> None:
    assert TREATMENTS.find(Utterance.of(text)) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("maria lopez", "Maria Lopez"),
        ("it's maria lopez", "Maria Lopez"),
        ("um my name is james", "James"),
        ("my name is priya raman", "Priya Raman"),
        ("sure it's siobhan o'neill", "Siobhan O'Neill"),
        ("maria lopez l o p e z", "Maria Lopez"),
        ("anna-lena schmidt", "Anna Lena Schmidt"),
        ("this is grace speaking", "Grace"),
        ("dr maria lopez please", "Dr Maria Lopez"),
        ("e m m a", "Emma"),
        ("it's s a m", "Sam"),
        ("w i double l i a m", "William"),
        ("a as in apple m y", "Amy"),
        ("grace g r a c e lopez", "Grace Lopez"),
        ("echo mike mike alpha", "Emma"),
        ("oscar mike", "Oscar Mike"),
        ("maria lopez forgot a maria lopez", "Maria Lopez"),
        ("my name is priya raman please book it", "Priya Raman"),
    ],
)
def test_name_is_understood_when_it_was_asked_for(text: str, name: str) -> None:
    (mention,) = NAMES.find(Utterance.of(text), expected=True)
    assert mention.value == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("e m m a", "Emma Lopez"),
        ("it's e m m a lopez", "Emma Lopez"),
        ("e m m a l o p e z", "Emma Lopez"),
        ("l o p e s", "Maria Lopes"),
        ("emma", "Emma Lopez"),
        ("it's hall", "Maria Hall"),
        ("maria", "Maria Lopez"),
        ("emma hall", "Emma Hall"),
        ("my name is emma", "Emma"),
    ],
)
def test_part_of_a_misheard_name_is_put_right(text: str, name: str) -> None:
    (mention,) = Names(["Maria"], ["Lopez", "Hall"]).put_right(Utterance.of(text), "Maria Lopez")
    assert mention.value == name


@pytest.mark.parametrize("text", ["i am", "a i", "at ten a m", "mike", "oscar charlie", "can i a"])
def test_words_that_are_letters_too_spell_nothing(text: str) -> None:
    assert find_spelled(Utterance.of(text)) == []


@pytest.mark.parametrize(
    "text", ["i want an appointment", "tomorrow at three", "yes", "what did you say", "let me think"]
)
def test_other_answers_are_no_names(text: str) -> None:
    assert NAMES.find(Utterance.of(text), expected=True) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a cleaning for maria lopez", ["Maria Lopez"]),
        ("my name is priya raman and i need a cleaning", ["Priya Raman"]),
        ("i'm fine thanks", []),
        ("a cleaning for tomorrow", []),
        ("for two people", []),
        ("this is important", []),
        ("no maria lopez forgot an a lopez", ["Maria Lopez"]),
        ("for maria lopez garcia", ["Maria Lopez Garcia"]),
        ("for maria lopez appointment", ["Maria Lopez"]),
    ],
)
def test_unasked_name_needs_a_sign(text: str, names: list[str]) -> None:
    assert [each.value for each in NAMES.find(Utterance.of(text))] == names


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "yes please",
        "yes please do",
        "yes do",
        "yeah that's right",
        "correct",
        "sounds good thank you",
        "um yes",
        "okay go ahead",
    ],
)
def test_clear_yes(text: str) -> None:
    acts = find_acts(Utterance.of(text))
    assert clear_yes(acts)
    assert not clear_no(acts)


@pytest.mark.parametrize(
    "text", ["no", "no thank you", "nope", "that's not right", "no that's all thanks", "i don't think so"]
)
def test_clear_no(text: str) -> None:
    acts = find_acts(Utterance.of(text))
    assert clear_no(acts)
    assert not clear_yes(acts)


@pytest.mark.parametrize(
    "text",
    ["yes but", "yes no", "not right", "is that right though", "yes i mean no", "yesterday", "no yes", "cancel it",
     "uh huh", "yes wait", "right turn", "not okay", "yes if it is free", "never", "don't", "hmm", "yes what",
     "okay so", "yes and"],
)  # fmt: skip
def test_doubtful_yes_is_none(text: str) -> None:
    assert not clear_yes(find_acts(Utterance.of(text)))


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("sorry what did you say", "repeat"),
        ("can i talk to a person please", "person"),
        ("thank you goodbye", "bye"),
        ("hold on a second", "wait"),
        ("i'd rather not say", "refuse"),
        ("never mind", "drop"),
        ("why do you need that", "why"),
        ("i don't mind", "any"),
    ],
)
def test_acts_are_recognised(text: str, act: str) -> None:
    assert act in find_acts(Utterance.of(text))  # type: ignore[operator]  # any string may be asked for


EXAMPLES = Examples(
    [
        ("book", "I'd like to book an appointment"),
        ("book", "I need a {treatment}"),
        ("move", "I'd like to move my appointment"),
        ("cancel", "I'd like to cancel my appointment"),
        ("price", "How much is a cleaning?"),
    ]
)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("hi um i was wondering if i could book an appointment please", "book"),
        ("i have to cancel my apointment", "cancel"),
        ("could you move the appointment", "move"),
        ("how much does a cleaning cost", "price"),
    ],
)
def test_paraphrase_is_likest_to_its_example(text: str, label: str) -> None:
    best, second, *_ = EXAMPLES.rank(Utterance.of(text).tokens)
    assert best.label == label
    assert best.score > second.score + 0.1


def test_noise_is_like_nothing() -> None:
    assert all(match.score < 0.3 for match in EXAMPLES.rank(Utterance.of("the purple dog sang a song").tokens))


@pytest.mark.parametrize("misheard", ["Thomas", "Thomas Wide", "Tom"])
def test_both_names_spelled_in_one_go_are_two_words(misheard: str) -> None:
    known = Names(["Thomas", "Maria"], ["White", "Lopez"])
    (mention,) = known.put_right(Utterance.of("t h o m a s w h i t e"), misheard)
    assert mention.value == "Thomas White"
    (asked,) = known.find(Utterance.of("it's m a r i a l o p e z"), expected=True)
    assert asked.value == "Maria Lopez"
