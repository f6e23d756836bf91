from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from pathlib import Path

import pexpect
import pytest

from tests.doubles.model_hub import ModelHub, Trouble
from voicebot import models
from voicebot.commands import run
from voicebot.models import catalogue, store
from voicebot.models.catalogue import Entry, File

DATA = b"GGUF" + bytes(range(256)) * 8000
TINY = Entry(
    name="tiny-test",
    kind="llm",
    what="A test",
    license="MIT",
    files=(File(hub="o/r", revision="a", name="t.gguf", size=len(DATA), sha256=hashlib.sha256(DATA).hexdigest()),),
)
HUB_FILES = {"o/r/a/t.gguf": DATA}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VOICEBOT_MODELS", str(tmp_path))
    for module in (models, catalogue, store):
        monkeypatch.setattr(module, "entries", lambda: (TINY,))
    return tmp_path


def command(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert run(["models", *words]) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_list_says_what_is_here_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(capsys, "list")[0] == "tiny-test\tllm\t2.0 MB\t-\tMIT\tA test\n"
    path = store.path_of(TINY)
    path.parent.mkdir()
    store.part_of(path).write_bytes(DATA[: len(DATA) // 2])
    assert command(capsys, "list")[0].split("\t")[3] == "50 %"
    path.write_bytes(DATA)
    store.part_of(path).unlink()
    assert command(capsys, "list")[0].split("\t")[3] == "yes"
    assert command(capsys, "list", "--quiet")[0] == "tiny-test\n"


def test_list_as_json_says_where_each_file_comes_from_and_belongs(capsys: pytest.CaptureFixture[str]) -> None:
    (facts,) = json.loads(command(capsys, "list", "--json")[0])
    assert (facts["name"], facts["on_disk"], facts["size"]) == ("tiny-test", False, len(DATA))
    assert facts["files"][0]["path"] == str(store.path_of(TINY))
    assert facts["files"][0]["url"].endswith("/o/r/resolve/a/t.gguf")


def test_pull_prints_plain_lines_in_a_pipe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelHub(HUB_FILES) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        out, err = command(capsys, "pull", "tiny-test")
    assert out == ""
    lines = err.splitlines()
    assert lines[0] == "tiny-test: 2.0 MB, MIT"
    assert "fetching 100 % of 2.0 MB" in lines
    assert "checking 100 % of 2.0 MB" in lines
    assert len(lines) < 28
    assert "brain: {llm: llama/tiny-test}" in err
    assert "\r" not in err
    assert store.path_of(TINY).read_bytes() == DATA
    assert "is here already" in command(capsys, "pull", "tiny-test")[1]


def test_pull_quietly_says_nothing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelHub(HUB_FILES) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert command(capsys, "pull", "tiny-test", "--quiet") == ("", "")


def test_pull_without_a_network_says_what_to_place_where(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    _, err = command(capsys, "pull", "tiny-test", code=3)
    assert "http://127.0.0.1:9/o/r/resolve/a/t.gguf" in err
    assert str(store.path_of(TINY)) in err
    assert TINY.files[0].sha256 in err
    assert err.splitlines()[-1].startswith("error: 127.0.0.1:9 cannot be reached")


def test_an_unknown_name_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    _, err = command(capsys, "pull", "tiny-tset", code=2)
    assert err == "error: unknown model 'tiny-tset'. Did you mean 'tiny-test'?\n"


def test_rm_asks_and_without_a_terminal_wants_yes(capsys: pytest.CaptureFixture[str]) -> None:
    path = store.path_of(TINY)
    path.parent.mkdir()
    path.write_bytes(DATA)
    assert "add --yes" in command(capsys, "rm", "tiny-test", code=2)[1]
    assert path.exists()
    assert "2.0 MB are free again" in command(capsys, "rm", "tiny-test", "--yes")[1]
    assert not path.exists()
    assert "is not on this machine" in command(capsys, "rm", "tiny-test", code=2)[1]


ON_A_TERMINAL = """
import sys
from voicebot import models
from voicebot.commands import main
from voicebot.models import catalogue
from tests.commands.test_models import TINY
models.entries = catalogue.entries = lambda: (TINY,)
sys.argv = ["voicebot", "models", "pull", "tiny-test"]
main()
"""


def test_on_a_terminal_a_bar_moves_and_ctrl_c_says_how_to_go_on(root: Path) -> None:
    more = threading.Event()
    with ModelHub(HUB_FILES, Trouble(cut_after=len(DATA) // 2, wait=more)) as hub:
        env = {**os.environ, "HF_ENDPOINT": hub.url, "TERM": "xterm", "PYTHONPATH": str(root)}
        terminal = pexpect.spawn(sys.executable, ["-c", ON_A_TERMINAL], env=env, cwd=root, timeout=20)
        terminal.expect("fetching")
        terminal.expect("1.0/2.0 MB")
        terminal.sendintr()
        terminal.expect("stopped at 50 %; the same command goes on from there")
        terminal.expect(pexpect.EOF)
        terminal.close()
        more.set()
    assert terminal.exitstatus == 130
    assert store.part_of(store.path_of(TINY)).stat().st_size == len(DATA) // 2


@pytest.fixture
def root() -> Path:
    return Path(__file__).parents[2]
