"""The whole way in one real terminal: an agent, a talk, its waterfall, a test made of it, and the test passes."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.doubles.studio import talk_to_a_new_agent
from tests.doubles.terminal import Terminal, needs_tmux
from voicebot.evals.kept import runs

VOICEBOT = str(Path(sys.executable).with_name("voicebot"))


@needs_tmux
def test_from_a_new_agent_to_a_test_that_passes(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    with Terminal([VOICEBOT, "studio"], folder) as terminal:
        talk_to_a_new_agent(terminal, "how much is a cleaning")
        terminal.press("Escape")
        terminal.sees(r"(?<!\^)r Call")
        terminal.press("3")
        terminal.sees("1 call")
        terminal.press("t")
        terminal.sees("Make a test of this call")
        terminal.press("Enter")
        terminal.sees("1 not called")
        terminal.press("r")
        terminal.sees("1 passed")
        terminal.press("C-q")
        assert terminal.ends() == 0
    (result,) = runs.find("last", folder).final()
    assert result.verdict == "passed"
