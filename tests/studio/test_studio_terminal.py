"""The studio in a real terminal, from the first agent to the waterfall of its answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.doubles.studio import talk_to_a_new_agent
from tests.doubles.terminal import Terminal, needs_tmux

VOICEBOT = str(Path(sys.executable).with_name("voicebot"))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


@needs_tmux
def test_a_developer_makes_an_agent_talks_to_it_and_sees_where_the_time_went(shop: Path) -> None:
    with Terminal([VOICEBOT, "studio"], shop) as terminal:
        talk_to_a_new_agent(terminal, "I need a cleaning")
        for columns, rows in [(40, 10), (200, 60), (30, 8), (80, 24)] * 4:
            terminal.resize(columns, rows)
        terminal.resize(40, 10)
        terminal.sees("2 Talk")
        terminal.sees("call ended")
        terminal.press("C-q")
        assert terminal.ends() == 0
    assert len(list((shop / "calls").iterdir())) == 1


def test_without_a_terminal_it_says_what_to_use_instead(shop: Path) -> None:
    done = subprocess.run([VOICEBOT, "studio", str(shop)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert "the studio needs a terminal" in done.stderr
