"""The pytest plugin, from the outside: projects with tests, run by pytest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from voicebot.evals import played
from voicebot.evals.planned import Planned
from voicebot.evals.result import Result
from voicebot.evals.running.cell import run_case
from voicebot.evals.running.jobs import Job, invalid
from voicebot.evals.trial import Trial

pytest_plugins = ["pytester"]

DENTAL = Path(__file__).parents[2] / "voicebot" / "templates" / "dental"
ASKS_PRICES = """
name: The price is told
goal: Hear what a cleaning costs.
agent: ava
persona: maria
channel: text
caller:
  turns:
    - say: how much is a cleaning?
    - {say: thanks, hang_up: true}
checks:
  ended: caller_hung_up
"""
INI = """
[pytest]
addopts = -p no:cacheprovider -p no:hypothesispytest -p no:langsmith_plugin -W ignore
asyncio_default_fixture_loop_scope = function
"""
"""Plugins that load a lot are left out, for the sake of speed."""
WANTS_TOO_MUCH = ASKS_PRICES + "  said: a free toothbrush\n"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Everything that a call imports: pytester forgets what is imported within it, and numpy cannot be loaded twice."""
    root = tmp_path_factory.mktemp("dental")
    shutil.copytree(DENTAL, root, dirs_exist_ok=True)
    (root / "evals" / "prices.yaml").write_text(ASKS_PRICES)
    assert played.play(played.plan(root, played.Wish(scenario="prices")), root / "calls").passed


@pytest.fixture
def project(pytester: pytest.Pytester, engine: None) -> pytest.Pytester:
    """A dental practice; `prices` passes and `toothbrush` fails."""
    shutil.copytree(DENTAL, pytester.path, dirs_exist_ok=True)
    for name, text in (("prices", ASKS_PRICES), ("toothbrush", WANTS_TOO_MUCH)):
        (pytester.path / "evals" / f"{name}.yaml").write_text(text)
    pytester.makeini(INI)
    return pytester


def test_a_call_that_passes_is_a_test_that_passes(project: pytest.Pytester) -> None:
    project.makepyfile("""
        def test_price(voice_eval):
            call = voice_eval("prices")
            call.should_pass()
            assert call.passed and len(call.measures) == 1
            assert [finding.check for finding in call.findings] == ["ended"]
            assert "caller  how much is a cleaning?" in call.transcript
            assert all((folder / "events.jsonl").exists() for folder in call.folders)
    """)
    project.runpytest_inprocess().assert_outcomes(passed=1)


def test_a_call_that_fails_says_what_was_wanted_what_was_said_and_where_it_lies(project: pytest.Pytester) -> None:
    project.makepyfile("""
        def test_price(voice_eval):
            call = voice_eval("toothbrush", persona="corrector", seed=4)
            assert not call.passed
            call.should_pass()
    """)
    done = project.runpytest_inprocess()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "*AssertionError: toothbrush/corrector/typed#4 failed: 1 of 2 checks",
            "*[[]brain[]] said: *a free toothbrush*",
            "*transcript:*",
            "*caller  how much is a cleaning?*",
            "*call: *toothbrush.corrector.typed.4*",
        ]
    )
    assert "DEBUG" not in done.stdout.str()


def test_a_share_of_calls_may_be_enough(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import pytest

        def test_some(voice_eval):
            calls = voice_eval("toothbrush", persona=["maria", "corrector"], runs=2)
            assert len(calls.calls) == 4
            calls.should_pass(at_least=0)
            with pytest.raises(AssertionError, match="4 of 4 calls failed"):
                calls.should_pass(at_least=0.25)
    """)
    project.runpytest_inprocess().assert_outcomes(passed=1)


def test_an_asynchronous_test_may_call_too(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import pytest

        @pytest.mark.asyncio
        async def test_price(voice_eval):
            voice_eval("prices").should_pass()
    """)
    project.runpytest_inprocess().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ('"prizes"', "no scenario 'prizes' in *Did you mean 'prices'?"),
        ('"prices", persona="mario"', "*no persona 'mario'*Did you mean 'maria'?"),
        ('"prices", channel="audio", line="phne"', "*no line 'phne'*Did you mean 'phone'?"),
        ('"prices", runs=0', "*runs*"),
    ],
)
def test_a_slip_of_the_pen_is_told_in_one_sentence(project: pytest.Pytester, call: str, says: str) -> None:
    project.makepyfile(f"def test_price(voice_eval): voice_eval({call})")
    done = project.runpytest_inprocess()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines([says])
    assert "During handling" not in done.stdout.str()


def test_a_scenario_file_is_a_test_for_each_of_its_callers(project: pytest.Pytester) -> None:
    tests = project.mkdir("tests")
    (tests / "price.voice.yaml").write_text(WANTS_TOO_MUCH.replace("maria", "[maria, corrector]"))
    done = project.runpytest_inprocess("-v", "--voice-runs=2")
    done.assert_outcomes(failed=4)
    done.stdout.fnmatch_lines(["*price.voice.yaml::price.voice/maria/typed#0 FAILED*"])
    done.stdout.fnmatch_lines(["price.voice/maria/typed#0 failed: 1 of 2 checks", "*said: *a free toothbrush*"])
    assert "pytest_plugin.py" not in done.stdout.str()  # nobody wants to see our own code


def test_a_list_of_calls_is_a_test_each(project: pytest.Pytester) -> None:
    (project.path / "all.voice.yaml").write_text(
        "calls:\n  - {scenario: prices, persona: [maria, corrector]}\n  - {scenario: toothbrush, runs: 2, seed: 7}\n"
    )
    done = project.runpytest_inprocess("-v", "-k", "toothbrush or corrector")
    done.assert_outcomes(passed=1, failed=2, deselected=1)
    done.stdout.fnmatch_lines(["*::toothbrush/maria/typed#7 *", "*::toothbrush/maria/typed#8 *"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("calls: [{scenario: prizes}]", "*no scenario 'prizes'*"),
        ("calls: [{scenarios: prices}]", "*bad.voice.yaml:1:10 unknown key 'scenarios'*"),
        ("calls: []", "*bad.voice.yaml:1:8 *"),
        ("name: [", "*bad.voice.yaml:2:1 *"),
    ],
)
def test_a_file_with_a_slip_of_the_pen_is_an_error_with_its_place(
    project: pytest.Pytester, text: str, says: str
) -> None:
    (project.path / "bad.voice.yaml").write_text(text)
    done = project.runpytest_inprocess()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines([says])
    assert "Traceback" not in done.stdout.str()


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """The first so many attempts at every call are invalid; gives back the list of attempts."""

    def breaks(times: int) -> list[int]:
        attempts: list[int] = []

        def breaking(planned: Planned, folder: Path, *, attempt: int) -> tuple[Trial, Result]:
            attempts.append(attempt)
            if attempt > times:
                return run_case(planned, folder, attempt=attempt)
            return invalid(Job(planned, folder, attempt), "the caller's voice did not start")

        monkeypatch.setattr(played, "run_case", breaking)
        return attempts

    return breaks


def test_an_invalid_run_is_tried_again(project: pytest.Pytester, broken: Callable[[int], list[int]]) -> None:
    attempts = broken(1)
    project.makepyfile("def test_price(voice_eval): voice_eval('prices').should_pass()")
    project.runpytest_inprocess().assert_outcomes(passed=1)
    assert attempts == [1, 2]


def test_a_run_that_stays_invalid_is_an_error_and_no_failure(
    project: pytest.Pytester, broken: Callable[[int], list[int]]
) -> None:
    attempts = broken(99)
    project.makepyfile("def test_price(voice_eval): voice_eval('prices').should_pass()")
    (project.path / "all.voice.yaml").write_text("calls: [{scenario: prices}]")
    done = project.runpytest_inprocess("-v")
    done.assert_outcomes(errors=2)
    assert done.ret == 1
    assert attempts == [1, 2, 3] * 2
    done.stdout.fnmatch_lines(["*test_price INVALID*"])
    done.stdout.fnmatch_lines(
        ["*invalid run of prices/maria/typed#0 (the simulation broke, not the agent)*voice did not*"]
    )


def test_calls_are_shared_out_over_processes(project: pytest.Pytester) -> None:
    (project.path / "all.voice.yaml").write_text("calls: [{scenario: toothbrush}]")
    done = project.runpytest_subprocess("-n", "1")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["toothbrush/maria/typed#0 failed: 1 of 2 checks"])


def test_a_project_may_lie_elsewhere(pytester: pytest.Pytester, engine: None) -> None:
    shutil.copytree(DENTAL, pytester.path / "bot")
    (pytester.path / "bot" / "evals" / "prices.yaml").write_text(ASKS_PRICES)
    pytester.makepyfile("def test_price(voice_eval): voice_eval('prices').should_pass()")
    lost = pytester.runpytest_inprocess()
    lost.assert_outcomes(failed=1)
    lost.stdout.fnmatch_lines(["no agents/ in *Set voice_project *"])
    pytester.makeini(f"{INI}voice_project = bot\n")
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_pytest_starts_without_loading_an_engine(tmp_path: Path) -> None:
    """Whoever has voicebot installed runs pytest in all their other projects, too."""
    (tmp_path / "test_other.py").write_text(
        "import sys\n\ndef test_nothing():\n"
        "    assert 'voicebot.evals.pytest_plugin' in sys.modules\n"
        "    heavy = ('pydantic', 'pipecat', 'numpy', 'yaml', 'jinja2', 'loguru', 'voicebot.errors')\n"
        "    assert [name for name in heavy if name in sys.modules] == []\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "voicebot", "-p", "no:cacheprovider", str(tmp_path)]
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # other plugins load what they like
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=alone)
    assert done.returncode == 0, done.stdout + done.stderr
