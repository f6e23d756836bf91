from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

import voicebot
from voicebot import paths, yamlfile
from voicebot.errors import BadInput
from voicebot.personas import domain as domains
from voicebot.personas import persona as personas
from voicebot.personas.line import LINES
from voicebot.personas.persona import Persona
from voicebot.personas.role import Known, Role

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
        (PLAIN + "says: {openning: [hello]}\n", "someone.yaml:4:8 callers have nothing to say at 'openning'. Did you"),
        (PLAIN + "says: {'yes': []}\n", "someone.yaml:4:15 'yes' must have at least 1 item"),
        (PLAIN + "says: {day: ['{dya} please']}\n", "someone.yaml:4:14 nothing can stand for '{dya}'. Did you mean"),
        (PLAIN + "voice: {engine: en-us+f22}\n", "someone.yaml:4:17 eSpeak has no voice variant 'f22'. Did you mean"),
        (PLAIN + "voice: {engine: marsian+f2}\n", "someone.yaml:4:17 eSpeak has no voice 'marsian'."),
        (PLAIN + "line: streat\n", "someone.yaml:4:7 no line 'streat'. Did you mean 'street'?"),
        (PLAIN + "line: {noise: {kind: rain, snr_db: 3}}\n", "someone.yaml:4:22 'kind' cannot be 'rain'."),
        (PLAIN + "line: {loss: {percent: 80}}\n", "someone.yaml:4:24 'percent' must be less than or equal to 50."),
        (PLAIN + "temperament:\n  refuses_to_give: {fact: dya}\n", "someone.yaml:5:27 the caller has no fact 'dya'."),
        ("name: S\nfacts: {day: monday}\n", "someone.yaml:2:1 facts need a 'domain'"),
        ("name: S\nsays: {treatment: [a filling]}\n", "someone.yaml:2:8 callers have nothing to say at 'treatment'"),
        ("name: S\ntemperament: {interrupts: {at: asks day}}\n", "agents do not 'asks day'"),
    ],
)
def test_a_broken_file_is_told_by_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    assert complaint in broken(tmp_path, text)


def test_a_fact_that_is_first_said_wrong_must_be_known(tmp_path: Path) -> None:
    text = PLAIN + "temperament:\n  corrects: {fact: day, first: [monday]}\n"
    assert "someone.yaml:5:20 the caller has no fact 'day'" in broken(tmp_path, text)


# -- roles -----------------------------------------------------------------------------------------------------------

BOOKS = Role(
    domain="dental",
    goal="Book a filling.",
    facts={"treatment": Known(value="filling"), "day": Known(value="friday"), "name": Known(value="{caller}")},
    refuses=["cancel"],
)


def test_a_persona_without_a_matter_plays_the_role_of_a_scenario(tmp_path: Path) -> None:
    path = tmp_path / "stranger.yaml"
    path.write_text("name: Brian Hall\nsays: {'yes': [aye.]}\n")
    caller = Persona.load(path).playing(BOOKS, TEMPLATES / "dental")
    assert caller.name == "Brian Hall"
    assert caller.goal == "Book a filling."
    assert caller.facts["name"].spoken == ["Brian Hall"], "the persona's own name"
    assert caller.understanding.says["yes"] == ["aye."], "the persona's own words"
    assert caller.understanding.listen("Which day would suit you?", _TODAY).question == "asks day"


def test_what_a_role_says_wins_and_what_it_does_not_say_comes_from_the_persona() -> None:
    maria = personas.find("maria", TEMPLATES / "dental")
    role = Role(facts={"day": Known(value="monday"), "name": Known(value="{caller}")}, says={"opening": ["hi there."]})
    caller = maria.playing(role, TEMPLATES / "dental")
    assert set(caller.facts) == {"day", "name"}, "a role's facts are all the facts there are"
    assert caller.facts["name"].value == "Maria Davis", "the name that the persona gives, not the one it is called by"
    assert caller.understanding.says["opening"] == ["hi there."]
    assert caller.goal == maria.goal
    assert caller.refuses == maria.refuses
    assert maria.playing(None, TEMPLATES / "dental").facts == maria.facts


def test_the_matter_of_another_domain_is_left_at_home() -> None:
    maria = personas.find("maria", TEMPLATES / "dental")
    role = Role(domain="orders", facts={"order": Known(value="20117")}, says={"opening": ["where is my order?"]})
    caller = maria.playing(role, TEMPLATES / "orders")
    assert set(caller.facts) == {"order"}
    assert caller.goal == ""
    assert caller.refuses == []
    assert "treatment" not in caller.understanding.says


def test_the_role_of_one_persona_can_be_played_by_another() -> None:
    maria, stranger = (personas.find(name, TEMPLATES / "dental") for name in ("maria", "calm"))
    assert stranger.playing(maria.role, TEMPLATES / "dental").facts["treatment"].value == "cleaning"


def test_a_role_that_does_not_fit_is_told_by_its_place_in_the_scenario(tmp_path: Path) -> None:
    text = "name: Books\ncalls:\n  domain: dental\n  facts: {dya: friday}\n"
    document = yamlfile.parse(text, "evals/books.yaml")
    role = Role(domain="dental", facts={"dya": Known(value="friday")}).written_in(document, ("calls",))
    with pytest.raises(BadInput, match=r"evals/books.yaml:4:11 domain 'dental' has no fact 'dya'. Did you mean 'day'"):
        personas.find("calm", tmp_path).playing(role, TEMPLATES / "dental")


def test_nobody_can_call_about_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="persona 'calm' has no matter of its own"):
        personas.find("calm", tmp_path).playing(None, TEMPLATES / "dental")


def test_what_is_said_wrong_first_is_the_personas_or_the_facts_or_another_choice(tmp_path: Path) -> None:
    facts = "facts: {day: {value: monday, wrong: [sunday]}, treatment: filling, time: '10:00', name: Al}\n"
    text = PLAIN + facts + "temperament: {corrects: {fact: any}}\n"
    caller = Persona.load(written(tmp_path, text))
    assert caller.wrong_first("day") == ["sunday"]
    assert "filling" not in caller.wrong_first("treatment")
    assert "teeth whitening" in caller.wrong_first("treatment")
    assert caller.wrong_first("time") == caller.wrong_first("name") == caller.wrong_first("phone") == []
    (tmp_path / "someone.yaml").write_text(text.replace("fact: any", "fact: day, first: [tuesday]"))
    caller = Persona.load(tmp_path / "someone.yaml")
    assert caller.wrong_first("day") == ["tuesday"]
    assert caller.wrong_first("treatment") == []


# -- the library -----------------------------------------------------------------------------------------------------


def test_a_persona_of_the_project_comes_before_one_of_the_library(tmp_path: Path) -> None:
    assert personas.find("calm", tmp_path).name == "Laura Wilson"
    (tmp_path / "personas").mkdir()
    (tmp_path / "personas/calm.yaml").write_text("name: Somebody Else\n")
    assert personas.find("calm", tmp_path).name == "Somebody Else"
    assert personas.find("calm", tmp_path).id == "calm"


def test_the_library_is_large_differs_and_fits_every_template() -> None:
    library = {name: personas.find(name, TEMPLATES) for name in personas.library()}
    assert len(library) >= 24
    assert sum(not persona.hard for persona in library.values()) >= 20
    ways = {
        persona.model_copy(update={"name": "", "about": "", "says": {}}).model_dump_json()
        for persona in library.values()
    }
    assert len(ways) == len(library)
    roles = [personas.find("maria", TEMPLATES / "dental").role, personas.find("nora", TEMPLATES / "orders").role]
    for persona in library.values():
        assert persona.about
        assert not persona.domain
        for role, template in zip(roles, ("dental", "orders"), strict=True):
            assert persona.playing(role, TEMPLATES / template).understanding.facts


def test_every_habit_is_somebodys_in_the_library() -> None:
    library = [personas.find(name, TEMPLATES) for name in personas.library()]
    for habit in ("interrupts", "corrects", "refuses_to_give", "wants_human", "hangs_up", "digression", "backchannels",
                  "tics", "coughs", "side_speech", "silences", "repeats"):  # fmt: skip
        assert any(getattr(persona.temperament, habit) for persona in library), habit
    kinds = {persona.line.noise.kind for persona in library if persona.line.noise}
    assert kinds >= {"white", "hum", "babble", "street", "car", "cafe"}


def test_names_in_the_library_are_known_to_the_agents_of_the_templates() -> None:
    known = yamlfile.read(TEMPLATES / "dental/agents/ava.yaml").data["flow"]["names"]
    for name in personas.library():
        first, last = personas.find(name, TEMPLATES).name.split()
        assert first in known["first"]
        assert last in known["last"]


def test_a_line_is_given_by_name_or_by_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "someone.yaml"
    for text, line in (
        ("line: phone", LINES["phone"]),
        ("line: {rate_hz: 8000}", LINES["phone"]),
        ("", LINES["clean"]),
    ):
        path.write_text(f"name: Some One\n{text}\n")
        assert Persona.load(path).line == line


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
