"""`voicebot persona` as a person uses it: list, show, try, generate."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import soundfile

import voicebot
from voicebot import yamlfile
from voicebot.commands import run
from voicebot.personas.persona import Persona

DENTAL = Path(voicebot.__file__).parent / "templates/dental"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert run(["persona", *words]) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_the_list_says_who_there_is_and_how_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = command(capsys, "list")
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in out.splitlines()}
    assert len(rows) >= 24
    assert rows["street"] == ["Mark Lewis", "plain", "en-us+edward, 160 wpm", "street", "embedded"]
    assert rows["whisper"][-1] == "hard"
    assert "too hard for the embedded recogniser" in err


def test_a_projects_own_personas_come_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(DENTAL, folder / "clinic")
    out, _ = command(capsys, "list", "--project", "clinic", "--json")
    found = json.loads(out)
    assert {each["from"] for each in found} == {"project", "library"}
    assert found[0]["from"] == "project"
    maria = next(each for each in found if each["name"] == "maria")
    assert maria["role"] == "dental"
    assert maria["manner"] == "digresses"


def test_measuring_lets_the_embedded_recogniser_listen(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = command(capsys, "list", "twice", "whisper", "--measure", "--n", "4", "--json")
    twice, whisper = json.loads(out)
    assert twice["n"] == whisper["n"] == 4
    assert twice["wer_pooled"] < 0.2 < whisper["wer_pooled"]


def test_a_persona_that_is_too_hard_and_not_marked_so_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "personas").mkdir()
    (folder / "personas/ghost.yaml").write_text("name: A Ghost\nvoice: {engine: en-us+whisper}\nline: babble\n")
    out, err = command(capsys, "list", "ghost", "--measure", "--n", "3")
    assert out.split("\t")[5:7] == ["embedded", "3"]
    assert "ghost should be marked 'hard: true'" in err


def test_show_is_words_for_a_person_and_a_file_for_a_project(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = command(capsys, "show", "thinker")
    assert "Is silent for 1.2 to 3.5 s before or within the answer" in err
    assert Persona.read(yamlfile.parse(out)).name == "Henry Davis"
    assert "alternatives: nearest" in out, "defaults are in force, too"
    out, _ = command(capsys, "show", "thinker", "--json")
    assert json.loads(out)["temperament"]["silence_ms"] == 15000


def test_try_writes_what_the_agent_would_hear(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.wav", "b.wav"):
        command(capsys, "try", "landline", "hello there", "--out", name)
    assert soundfile.info("a.wav").samplerate == 8000
    assert (folder / "a.wav").read_bytes() == (folder / "b.wav").read_bytes()
    out, _ = command(capsys, "try", "hesitant", "--out", "c.wav", "--json")
    assert json.loads(out)["seconds"] > 3


def test_generated_personas_can_be_found_and_are_not_overwritten(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = command(capsys, "generate", "--n", "3", "--seed", "7", "--out", "personas")
    names = [line.split("\t")[0] for line in out.splitlines()]
    assert len(names) == 3
    assert "wrote 3 files to personas/" in err
    command(capsys, "generate", "--n", "3", "--seed", "7", "--out", "personas")
    out, _ = command(capsys, "list", *names, "-q")
    assert out.splitlines() == names
    (folder / f"personas/{names[1]}.yaml").write_text("name: Mine\n")
    _, err = command(capsys, "generate", "--n", "3", "--seed", "7", "--out", "personas", code=2)
    assert f"personas/{names[1]}.yaml is there already and differs. --force replaces it." in err
    command(capsys, "generate", "--n", "3", "--seed", "7", "--out", "personas", "--force")
    assert Persona.load(folder / f"personas/{names[1]}.yaml").name != "Mine"


def test_generate_prints_files_when_it_is_not_told_where_to(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = command(capsys, "generate", "--n", "2")
    assert len([Persona.read(yamlfile.parse(text)) for text in out.split("---\n")]) == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["show", "scotish"], "Did you mean 'scottish'?"),
        (["list", "nobody"], "no persona 'nobody'"),
        (["generate", "--n", "1000"], "--n 1000: at most 400 at a time"),
        (["generate", "--base-url", "http://x"], "Name the model: --llm openai/NAME"),
        (["generate", "--llm", "opena/x"], "Did you mean 'openai'?"),
        (["generate", "--out", "a-file"], "--out a-file: "),
    ],
)
def test_what_is_wrong_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    (folder / "a-file").write_text("")
    _, err = command(capsys, *words, code=2)
    assert complaint in err


def test_a_model_without_a_key_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    _, err = command(capsys, "generate", "--llm", "openai/gpt-4.1-mini", code=3)
    assert "OPENAI_API_KEY" in err
