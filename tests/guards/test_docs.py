"""The documents tell the truth: their commands exist, their links lead somewhere, their reference pages are current."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

from tests.doubles.recorded_call import booking
from voicebot import events
from voicebot.latency import STAGES
from voicebot.store import views

LINK = re.compile(r"\]\((?!https?:|mailto:)(?P<file>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)|src=\"(?P<image>[^\"]+)\"")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4}(?P<line>\S.*)$", re.MULTILINE)
INLINE = re.compile(r"`(?P<line>[^`\n]+)`")
COMMAND = re.compile(r"(?:^|[|&;]\s*|\$ )(?P<call>(?:voicebot|make) [^|&;#]*)")


@pytest.fixture(scope="session")
def pages(root: Path) -> dict[Path, str]:
    paths = [root / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")]
    return {path: path.read_text() for path in [*paths, *sorted((root / "docs").glob("*.md"))]}


@pytest.fixture(scope="session")
def spoken_of(pages: dict[Path, str], root: Path) -> dict[Path, str]:
    """The pages, and those that `voicebot new` puts into a project."""
    templates = (root / "voicebot" / "templates").rglob("*.md")
    return pages | {path: path.read_text() for path in sorted(templates)}


def calls(text: str) -> list[list[str]]:
    """Every call of voicebot or make in the code blocks and code spans of a page, as words."""
    blocks = [line for block in FENCE.findall(text) for line in block.splitlines()[1:-1]]
    outside = FENCE.sub("", text)
    lines = [*blocks, *(match["line"] for code in (INDENTED, INLINE) for match in code.finditer(outside))]
    return [shlex.split(found["call"]) for line in lines for found in COMMAND.finditer(line.strip())]


def unknown(words: list[str], command: Any) -> str | None:
    """The first word after `voicebot` that the command line does not know: a command or an option."""
    rest = words[1:]
    while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
        name = rest.pop(0)
        if name not in command.commands:
            return name
        command = command.commands[name]
    options = {name for each in command.params for name in [*each.opts, *each.secondary_opts]} | {"--help"}
    return next((word for word in rest if word.startswith("-") and word.partition("=")[0] not in options), None)


def test_every_voicebot_command_in_the_documents_exists(spoken_of: dict[Path, str]) -> None:
    from voicebot.commands import app

    command = typer.main.get_command(app)
    found = [(path, words) for path, text in spoken_of.items() for words in calls(text) if words[0] == "voicebot"]
    assert len(found) >= 10
    wrong = [f"{path.name}: {' '.join(words)}: {unknown(words, command)}" for path, words in found]
    assert [line for line in wrong if not line.endswith(": None")] == []


def test_every_query_in_the_documents_runs(spoken_of: dict[Path, str], tmp_path: Path) -> None:
    booking().write(tmp_path, audio=False)
    asked = [words for text in spoken_of.values() for words in calls(text) if words[:2] == ["voicebot", "sql"]]
    queries = [word for words in asked for word in words[2:] if " " in word]
    assert queries
    with views.connect(tmp_path) as db:
        assert all(db.execute(query).fetchall() for query in queries)


def test_every_make_target_in_the_documents_exists(pages: dict[Path, str], root: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE))
    named = {word for text in pages.values() for words in calls(text) if words[0] == "make" for word in words[1:]}
    assert {"demo", "test"} <= named
    assert {word for word in named if "=" not in word} - targets == set()


def test_every_link_leads_somewhere(pages: dict[Path, str]) -> None:
    broken = []
    for path, text in pages.items():
        for link in LINK.finditer(FENCE.sub("", text)):
            target = path.parent / (link["file"] or link["image"] or path.name)
            if not target.exists() or (link["anchor"] and link["anchor"] not in anchors(target.read_text())):
                broken.append(f"{path.name}: {link[0]}")
    assert broken == []


def anchors(page: str) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_linked_from_the_readme(pages: dict[Path, str], root: Path) -> None:
    linked = {link["file"] for link in LINK.finditer(pages[root / "README.md"])}
    assert {f"docs/{path.name}" for path in pages if path.parent.name == "docs"} - linked == set()


def test_every_page_opens_with_a_command(pages: dict[Path, str]) -> None:
    openings = {path.name: text.split("\n\n")[1] for path, text in pages.items() if path.parent.name == "docs"}
    assert [name for name, opening in openings.items() if not calls(opening)] == []


def test_generated_pages_are_current(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(root / "docs" / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_waterfall_page_explains_every_stage_in_its_order(pages: dict[Path, str], root: Path) -> None:
    rows = re.findall(r"^\| `(\w+)` \|", pages[root / "docs" / "latency.md"], re.MULTILINE)
    assert tuple(rows) == STAGES


def test_every_event_says_what_it_means() -> None:
    kinds = get_args(get_args(events.Event)[0])
    assert len(kinds) > 15
    assert [kind.__name__ for kind in kinds if not kind.__dict__.get("__doc__")] == []
