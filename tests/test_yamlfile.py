"""Reading YAML: values with their places, and one clear line for whatever a person can get wrong."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from voicebot import yamlfile
from voicebot.errors import BadInput


def refusal(text: str) -> str:
    with pytest.raises(BadInput) as caught:
        yamlfile.parse(text, "a.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("text", "text"),
        ("no", "no"),  # Norwegian, not false
        ("on", "on"),
        ("08:00", "08:00"),  # a time, not 480
        ("007", "007"),
        ("+4930123", "+4930123"),
        ("2026-12-01", "2026-12-01"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'12'", "12"),
        ('"true"', "true"),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("[1, two, {three: 4}]", [1, "two", {"three": 4}]),
        ("9" * 30, "9" * 30),  # a code, not a number that loses digits
    ],
)
def test_a_value_means_what_its_writer_sees(written: str, value: object) -> None:
    found = yamlfile.parse(f"key: {written}").data["key"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_always_text() -> None:
    assert yamlfile.parse("yes: 1\n12: 2\nnull: 3\n").data == {"yes": 1, "12": 2, "null": 3}


def test_every_value_knows_its_place() -> None:
    document = yamlfile.parse("name: Ava\nvoice:\n  stt: [sphinx, 'whisper']\n", "a.yaml")
    assert document.place(("name",)) == "a.yaml:1:7"
    assert document.place(("name",), of_key=True) == "a.yaml:1:1"
    assert document.place(("voice", "stt", 1)) == "a.yaml:3:17"
    assert document.place(("voice", "stt"), of_key=True) == "a.yaml:3:3"


def test_place_of_what_is_not_there_is_the_deepest_part_that_is() -> None:
    document = yamlfile.parse("voice:\n  stt: sphinx\n", "a.yaml")
    assert document.place(("voice", "stt", 0)) == "a.yaml:2:8"
    assert document.place(("voice", "tts", 0)) == "a.yaml:2:3"
    assert document.place(("brain",)) == "a.yaml:1:1"
    assert document.holds(("voice", "stt"))
    assert not document.holds(("voice", "stt", 0))


def test_an_alias_repeats_its_anchor() -> None:
    data = yamlfile.parse("a: &who {name: Ava}\nb: *who\n").data
    assert data == {"a": {"name": "Ava"}, "b": {"name": "Ava"}}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("voice:\n\tstt: x\n", "a.yaml:2:1 a tab is used for indentation. Use spaces."),
        ("name: 'Ava\nx: y\n", "a.yaml:1:7 this quote is never closed."),
        ("name: @ava", "a.yaml:1:7 a value cannot start with '@'. Put it in quotes."),
        ('name: "a\\qb"', "a.yaml:1:9 unknown escape after '\\'. Put text with backslashes in single quotes."),
        ("tools: [a, b\nname: x\n", "a.yaml:1:8 this '[' is not closed, or a comma is missing in it."),
        ("turns: {a: 1\nb: 2\n", "a.yaml:1:8 this '{' is not closed, or a comma is missing in it."),
        (
            "name: Ava: the bot",
            "a.yaml:1:10 unexpected ':'. Put text that contains a colon in quotes, or check the indentation.",
        ),
        ("tools: - a", "a.yaml:1:8 a list item ('- ...') starts on a line of its own."),
        ("name: Ava\nlanguage\nx: y", "a.yaml:2:1 expected 'key: value'."),
        ("name: 'it's'", "a.yaml:1:11 unexpected text after the value. Inside '...' a quote is written twice ('')."),
        ("a:\n  b: 1\n c: 2\n", "a.yaml:3:2 this line does not fit the lines above it. Check its indentation."),
        ("name: !!python/object/apply:os.system [ls]", "a.yaml:1:7 the tag"),
        ("name: *who", "a.yaml:1:7 no anchor '&who' stands before this alias."),
        ("a: &x\n  b: *x\n", "a.yaml:2:6 no anchor '&x' stands before this alias."),
        ("name: a\x07b", "a.yaml:1:8 the character U+0007 is not allowed in YAML. Remove it."),
        ("", "a.yaml:1:1 the file is empty."),
        ("# nothing\n", "a.yaml:1:1 the file is empty."),
        ("---\n", "a.yaml:1:1 the file is empty."),
        ("- a\n- b\n", "a.yaml:1:1 expected 'key: value' lines at the top of the file."),
        ("just words", "a.yaml:1:1 expected 'key: value' lines at the top of the file."),
        ("a: 1\n---\nb: 2\n", "a.yaml:2:1 the file holds a second document ('---'). Put it in a file of its own."),
        ("? [a]\n: b\n", "a.yaml:1:3 a key must be a plain word."),
        ("a: " + "[" * 50_000, "a.yaml:1:68 nested more than 64 levels deep."),
        ("x: " + "9" * 5000 + ": 1", "a.yaml:1:5004 unexpected ':'."),
    ],
)
def test_a_mistake_is_one_line_that_names_its_place(text: str, line: str) -> None:
    said = refusal(text)
    assert said.startswith(line)
    assert "\n" not in said


def test_every_repeated_key_is_named_with_the_line_of_the_first() -> None:
    assert refusal("a: 1\nb: 2\na: 3\nb: 4\n").splitlines() == [
        "a.yaml:3:1 duplicate key 'a'; it is already in line 1.",
        "a.yaml:4:1 duplicate key 'b'; it is already in line 2.",
    ]


def test_aliases_cannot_grow_without_bound() -> None:
    lines = ["a: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    began_s = time.perf_counter()
    assert "more than 100000 values" in refusal("\n".join(lines))
    assert time.perf_counter() - began_s < 1.0


def test_sha256_is_of_the_bytes_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: \xc3\x84va\r\n")
    document = yamlfile.read(path)
    assert document.data == {"name": "Äva"}
    assert document.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_is_called_as_it_would_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "ava.yaml").write_text("name: a: b")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=r"^agents/ava\.yaml:1:8 unexpected"):
        yamlfile.read(tmp_path / "agents" / "ava.yaml")


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    (tmp_path / "ava.yaml").write_bytes(b"name: x\nlast: M\xfcller\n")
    (tmp_path / "large.yaml").write_text("# x\n" * 300_000)
    os.mkfifo(tmp_path / "pipe.yaml")
    for name, sentence in {
        "ava.yaml": "ava.yaml:2:1 not UTF-8 text. Save the file as UTF-8.",
        "av.yaml": "av.yaml does not exist. Did you mean 'ava.yaml'?",
        "large.yaml": "large.yaml is larger than 1000 kB, too large for a file written by hand.",
        "pipe.yaml": "pipe.yaml is not a regular file.",
        ".": " is a folder, not a YAML file.",
    }.items():
        with pytest.raises(BadInput) as caught:
            yamlfile.read(tmp_path / name)
        assert str(caught.value).endswith(sentence)
