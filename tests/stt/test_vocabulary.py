from __future__ import annotations

import random

import pytest

from voicebot.agent import Agent
from voicebot.stt import pronunciations, vocabulary
from voicebot.stt.templates import sample

FLOW = """
name: Bike shop
greeting: Velo Works, hello.
flow:
  slots:
    part: {type: choice, ask: Which part?, values: {derailleur: [gears], saddle: []}}
  goals:
    fix: {title: fix a bike, examples: ["my {part} is squeaking"], ask: [part]}
"""
PROMPTED = """
name: Library
brain: {llm: openai/gpt-4.1-mini, prompt: "You answer for the Tyndale library. Microfiche is upstairs."}
"""


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory):
    return tmp_path_factory.mktemp("project")


def test_an_agents_own_words_are_heard_most(folder) -> None:
    sentences = vocabulary.sentences(Agent.parse(FLOW, folder))
    by_weight = sorted(sentences, key=sentences.__getitem__)
    assert by_weight.index("my derailleur is squeaking") > 0.9 * len(by_weight)
    assert "velo works hello" in sentences
    assert all(sentence == sentence.lower() and not any(map(str.isdigit, sentence)) for sentence in sentences)


def test_an_agent_without_a_flow_is_heard_by_its_prompt(folder) -> None:
    words = {word for sentence in vocabulary.sentences(Agent.parse(PROMPTED, folder)) for word in sentence.split()}
    assert {"tyndale", "microfiche", "yes", "thursday"} <= words


def test_choices_appear_in_everyday_sentences(folder) -> None:
    sentences = vocabulary.sentences(Agent.parse(FLOW, folder))
    assert sum("derailleur" in sentence.split() for sentence in sentences) > 20


def test_the_same_agent_is_heard_the_same_way_each_time(folder) -> None:
    agent = Agent.parse(FLOW, folder)
    assert vocabulary.sentences(agent) == vocabulary.sentences(agent)


def test_templates_are_filled_to_the_last_choice() -> None:
    chance = random.Random(1)
    classes = {"day": ["monday", "the {ordinal}"], "ordinal": ["first", "second"], "none": []}
    made = {sample("(on|by|) {day} ({none}please|)", classes, chance) for _ in range(300)}
    assert {"on monday", "by the first please", "the second"} <= made
    assert not any(mark in sentence for sentence in made for mark in "(){}|")
    with pytest.raises(KeyError):
        sample("{unknown}", classes, chance)


def test_known_words_keep_all_their_pronunciations_and_others_get_one() -> None:
    lines = dict(line.split(" ", 1) for line in pronunciations.dictionary(["read", "toothache", "yes"]).splitlines())
    assert {lines["read"], lines["read(2)"]} == {"R EH D", "R IY D"}
    assert lines["toothache"] == "T UW TH EY K"
    assert lines["yes"] == "Y EH S"


def test_invented_words_use_only_the_recognisers_phonemes() -> None:
    phones = {phone for entries in pronunciations._known().values() for entry in entries for phone in entry.split()}
    words = ["microfiche", "voicebot", "quokka", "jalapeno", "nguyen", "zyzzyva", "smorgasbord", "priya", "croissant"]
    lines = pronunciations.dictionary(words).splitlines()
    assert {line.split()[0] for line in lines} >= set(words)
    assert {phone for line in lines for phone in line.split()[1:]} <= phones
