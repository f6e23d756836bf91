from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

import voicebot
from voicebot import paths
from voicebot.errors import BadInput
from voicebot.personas import domain as domains
from voicebot.personas import persona as personas
from voicebot.personas.persona import Persona

TEMPLATES = Path(voicebot.__file__).parent / "templates"
DOMAINS = TEMPLATES / "dental/personas/domains"
_TODAY = date(2025, 11, 22)


def written(folder: Path, text: str) -> Path:
    shutil.copytree(DOMAINS, folder / "domains")
    path = folder / "someone.yaml"
    path.write_text(text)
    return path


def broken(folder: Path, text: str) -> str:
    with pytest.raises(BadInput) as error:
        Persona.load(written(folder, text))
    return str(error.value)


PLAIN = "name: Someone\ndomain: dental\ngoal: Book.\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (PLAIN + "vioce: {pitch: 3}\n", "someone.yaml:4:1 unknown key 'vioce'. Did you mean 'voice'?"),
        (PLAIN + "facts:\n  dya: monday\n", "someone.yaml:5:3 domain 'dental' has no fact 'dya'. Did you mean 'day'?"),
        (
            PLAIN + "temperament:\n  interrupts: {at: [asks dya]}\n",
            "someone.yaml:5:21 agents do not 'asks dya'. Did you mean 'asks day'?",
        ),
        (PLAIN + "temperament:\n  reaction_ms: [900, 300]\n", "someone.yaml:5:16 [900, 300] must be the lowest"),
        (PLAIN.replace("dental", "dentol"), "dentol.yaml does not exist. Did you mean 'dental'?"),
        (PLAIN + "says: {opening: ['a {treatment}, please']}\n", "someone.yaml:4:1 nothing to say for 'opening'"),
        (PLAIN + "refuses: ['(cancel']\n", "'(cancel' is not a regular expression"),
    ],
)
def test_a_broken_file_is_told_by_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    assert complaint in broken(tmp_path, text)


def test_a_fact_that_is_first_said_wrong_must_be_known(tmp_path: Path) -> None:
    text = PLAIN + "temperament:\n  corrects: {fact: day, first: [monday]}\n"
    assert "no fact 'day'" in broken(tmp_path, text)


def test_a_plain_value_is_a_fact_without_phrasings(tmp_path: Path) -> None:
    persona = Persona.load(written(tmp_path, PLAIN + "facts: {day: monday}\n"))
    assert persona.facts["day"].spoken == ["monday"]


def test_an_unknown_persona_names_its_neighbours() -> None:
    with pytest.raises(BadInput, match="Did you mean 'maria'"):
        personas.find("mario", TEMPLATES / "dental")


@pytest.mark.parametrize("template", ["blank", "dental", "orders"])
def test_every_template_has_personas_that_load_and_can_say_what_they_may_be_asked(template: str) -> None:
    files = paths.yaml_files(TEMPLATES / template / "personas")
    assert files
    for file in files:
        persona = Persona.load(file)
        said = persona.understanding.says
        assert {"opening", "yes", "correct", "goodbye", "give_up", *persona.facts} <= set(said), file


def test_a_domain_adds_to_what_its_language_understands() -> None:
    dental = domains.load("dental", DOMAINS.parent)
    english = domains.spoken("en")
    assert dental.hears["confirms"] == english.hears["confirms"]
    assert dental.listen("Which day would suit you?", _TODAY).question == "asks day"
    assert dental.listen("So that's all. Shall I book it?", _TODAY).question == "confirms"


@pytest.mark.parametrize(
    ("heard", "question"),
    [
        ("How can I help you?", "greets"),
        ("I'm having trouble understanding. Shall I put you through to a person?", "offers_person"),
        ("Is there anything else I can help you with?", "anything_else"),
        ("Are you still there? Which day would suit you?", "asks day"),
        ("Are you still there?", "still_there"),
        ("All right. What should I change?", "changes"),
        ("Just to be sure: Tuesday or Thursday?", "which"),
        ("We're open from eight to five.", None),
        ("Is that right?", "confirms"),
        ("One moment, I'll put you through.", None),
    ],
)
def test_the_last_question_is_understood(heard: str, question: str | None) -> None:
    assert domains.load("dental", DOMAINS.parent).listen(heard, _TODAY).question == question


@pytest.mark.parametrize(
    ("heard", "remark"),
    [
        ("Sorry, I didn't get that.", "not_understood"),
        ("Sorry, was that a yes or a no?", "not_understood"),
        ("I'm sorry, three o'clock on Thursday is taken.", "unavailable"),
        ("We're fully booked on Thursday.", "unavailable"),
        ("We don't have noon on Friday.", "unavailable"),
        ("Friday is too soon.", "unavailable"),
        ("You're booked for a cleaning.", "done"),
        ("One moment, I'll put you through.", "hands_over"),
        ("Thank you for calling. Goodbye!", "goodbye"),
    ],
)
def test_remarks_are_understood(heard: str, remark: str) -> None:
    assert remark in domains.load("dental", DOMAINS.parent).listen(heard, _TODAY).remarks
