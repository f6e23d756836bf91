"""Tool files are loaded under names of their own, and their mistakes are said with file and line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from voicebot.brain.tools.python import load
from voicebot.errors import BadInput

BOOK = '''
LOADED = []

def book(day: str) -> str:
    """Book."""
    LOADED.append(day)
    return f"{__name__}"
'''


def write(root: Path, text: str) -> Path:
    root.mkdir(exist_ok=True)
    (root / "tools.py").write_text(text)
    return root


async def test_a_function_of_a_file_is_a_tool(tmp_path: Path):
    tool = load("tools.py:book", write(tmp_path, BOOK))
    assert (tool.name, tool.description) == ("book", "Book.")
    assert (await tool.run({"day": "Monday"})).ok


async def test_two_projects_may_both_have_a_tools_py(tmp_path: Path):
    one = load("tools.py:book", write(tmp_path / "a", BOOK))
    two = load("tools.py:book", write(tmp_path / "b", BOOK))
    assert (await one.run({"day": "x"})).result != (await two.run({"day": "x"})).result
    assert "tools" not in sys.modules


def test_a_file_is_loaded_once(tmp_path: Path):
    root = write(tmp_path, BOOK)
    one, two = (load("tools.py:book", root) for _ in "ab")
    assert one.function is two.function


async def test_an_edit_is_seen_even_in_the_same_second(tmp_path: Path):
    results = []
    for number in range(3):
        root = write(tmp_path, BOOK.replace("{__name__}", f"{number}"))
        tool = load("tools.py:book", root)
        results.append((await tool.run({"day": "x"})).result)
    assert results == ["0", "1", "2"]


def test_the_projects_folder_does_not_get_onto_the_import_path(tmp_path: Path):
    before = list(sys.path)
    load("tools.py:book", write(tmp_path, BOOK))
    assert sys.path == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import json\n\nimport nonsense_package\n", "tools.py:3 ModuleNotFoundError: No module named"),
        ("x = 1\ndef book(:\n", "tools.py:2 SyntaxError: invalid syntax"),
        ("def go():\n    return {}['a']\n\ngo()\n", "tools.py:2 KeyError: 'a'"),
        ("import sys\nsys.exit(3)\n", "tools.py:2 SystemExit: 3"),
        ("import json\njson.loads('{')\n", "tools.py:2 JSONDecodeError:"),
    ],
)
def test_a_file_that_does_not_load_is_named_with_the_line(tmp_path: Path, text: str, said: str):
    root = write(tmp_path, text)
    for _ in "ab":  # a failed module is not left behind
        with pytest.raises(BadInput) as error:
            load("tools.py:book", root)
        assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tools.py:bok", "tools.py has no function 'bok'. Did you mean 'book'?"),
        ("tools.py:LOADED", "tool 'tools.py:LOADED' is not a function but list."),
        ("tools:book", "must name a file and a function in it, as in tools.py:book"),
        ("tools.py", "must name a file and a function in it, as in tools.py:book"),
        ("more.py:book", "tool file more.py cannot be read: No such file or directory"),
    ],
)
def test_a_wrong_name_says_what_exists(tmp_path: Path, name: str, said: str):
    with pytest.raises(BadInput) as error:
        load(name, write(tmp_path, BOOK))
    assert said in str(error.value)
