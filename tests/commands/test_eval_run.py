"""`voicebot eval run` from outside: what it shows, keeps, writes and returns. Most calls are staged, two are real."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pexpect
import pytest

import voicebot
from tests.doubles import staged
from voicebot.commands import run
from voicebot.commands.eval_outcome import Asked
from voicebot.evals.kept import runs
from voicebot.evals.result import Verdict
from voicebot.evals.running import runner

TEMPLATE = Path(voicebot.__file__).parent / "templates/blank"
SCENARIO = """\
name: The call back is noted
goal: Be called back on Thursday.
agent: agent
channel: text
domain: frontdesk
facts: {name: "{caller}", day: thursday}
persona: [good]
at: 2027-03-01 09:30
data: {data/callbacks.json: []}
checks:
  expect:
    - file: data/callbacks.json
"""
STAGED = """
import sys
from tests.doubles import staged
from voicebot.evals.running import runner
runner.play, runner.warm = staged.play, None
from voicebot.commands import run
from voicebot.commands.eval_outcome import Asked
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "desk"
    shutil.copytree(TEMPLATE, root, ignore=shutil.ignore_patterns("evals"))
    (root / "evals").mkdir()
    (root / "evals/noted.yaml").write_text(SCENARIO)
    for name in ("good", "bad", "invalid", "slow", "misspelt"):
        shutil.copy(root / "personas/peter.yaml", root / f"personas/{name}.yaml")
    monkeypatch.chdir(root)
    for variable in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(variable, raising=False)
    return root


@pytest.fixture(autouse=True)
def _staged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "play", staged.play)
    monkeypatch.setattr(runner, "warm", None)


def callers(project: Path, *names: str) -> None:
    scenario = project / "evals/noted.yaml"
    scenario.write_text(SCENARIO.replace("[good]", f"[{', '.join(names)}]"))


def last(project: Path) -> runs.Run:
    return runs.find("last", project)


def test_a_plain_line_for_every_call_then_the_table(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    callers(project, "good", "bad")
    assert run(["eval", "run", "--jobs", "1"]) == 1
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert err.splitlines()[0].startswith("all: 2 calls, 1 at a time, about ")
    assert "[1/2] ✓ passed   noted/good/typed#0  30 s in 2.0 s" in err
    assert "[2/2] ✗ failed   noted/bad/typed#0  30 s in 2.0 s  tools: expected 1 record, found none" in err
    assert "noted\t50% (9-91)\t2 few\t700 ms\t" in out
    assert '  tools: expected 1 record, found none  at 0:12.3  "two"' in out
    assert f"  voicebot calls show evals/runs/{last(project).id}/calls/noted.bad.typed.0" in out
    assert f"next: voicebot eval report {last(project).id}" in err


def test_everything_that_decides_a_figure_is_kept(project: Path) -> None:
    assert run(["eval", "run", "--runs", "2", "--seed", "5", "--quiet"]) == 0
    meta = last(project).meta
    assert [case.id for case in meta.planned] == ["noted/good/typed#5", "noted/good/typed#6"]
    assert (meta.arguments.runs, meta.arguments.seed, meta.state) == (2, 5, "done")
    assert {"voicebot", "pipecat-ai"} <= set(meta.versions)
    assert {"agents", "personas", "scenarios", "tools"} <= set(meta.hashes)
    assert meta.machine.cores > 0


@pytest.mark.parametrize(
    ("verdicts", "fail_under", "code"),
    [
        (["passed", "passed"], None, 0),
        (["passed", "failed"], None, 1),
        (["passed", "failed"], 0.5, 0),
        (["passed", "failed"], 0.6, 1),
        (["passed", "invalid"], None, 3),
        (["failed", "invalid"], None, 1),
        (["passed", "invalid"], 0.9, 3),
        (["invalid"], 0.9, 3),
    ],
)
def test_exit_codes_say_what_happened(
    tmp_path: Path, verdicts: list[Verdict], fail_under: float | None, code: int
) -> None:
    results = [staged.result(staged.case(seed=seed), verdict) for seed, verdict in enumerate(verdicts)]
    made = staged.kept(tmp_path, *results)
    assert Asked(fail_under=fail_under).exit_code(made, None) == code
    made.meta.state = "interrupted"
    assert Asked(fail_under=fail_under).exit_code(made, None) == 130


def test_what_stays_invalid_is_shown_apart(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    callers(project, "good", "invalid")
    assert run(["eval", "run", "-q"]) == 3
    out = capsys.readouterr().out
    assert "noted\t100% (21-100)\t1 few\t" in out
    assert "! noted/invalid/typed#0  the line broke (3 attempts)" in out


def test_a_file_of_the_user_that_is_wrong_ends_the_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    callers(project, "misspelt")
    assert run(["eval", "run", "-q"]) == 2
    assert "unknown key 'brian'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["ci"], "no suite 'ci'"),
        (["-k", "notd"], "no scenario like 'notd'. Did you mean 'noted'?"),
        (["--persona", "goood"], "no persona like 'goood'. Did you mean 'good'?"),
        (["--shard", "3/2"], "Write it as 1/4"),
        (["--max-time", "soon"], "Write it as 90s, 10m or 1h30m"),
        (["--compare", "baseline"], "no baseline of the suite 'all'"),
        (["--resume"], "Make one: voicebot eval run"),
    ],
)
def test_what_is_wrong_is_said_before_the_first_call(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert run(["eval", "run", *words]) == 2
    assert sentence in capsys.readouterr().err
    assert not (project / "evals/runs").exists()


def test_which_suite_is_meant_when_none_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suites = project / "evals/suites"
    suites.mkdir()
    (suites / "night.yaml").write_text("{name: Night, scenarios: [noted]}")
    assert run(["eval", "run", "--dry-run", "--json"]) == 0
    (suites / "day.yaml").write_text("{name: Day, scenarios: [noted]}")
    assert run(["eval", "run", "--dry-run"]) == 2
    assert "has several suites: say which of day, night" in capsys.readouterr().err
    (suites / "ci.yaml").write_text("{name: CI, scenarios: [noted]}")
    assert run(["eval", "run", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["suite"] == "ci"


def test_a_dry_run_shows_the_calls_and_makes_none(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    callers(project, "good", "bad")
    assert run(["eval", "run", "--dry-run", "--runs", "3"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == ["noted\tgood\ttyped\ttext\t0-2", "noted\tbad\ttyped\ttext\t0-2"]
    assert "6 calls, about " in err
    assert not (project / "evals/runs").exists()


def test_files_for_a_build_server(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    callers(project, "bad")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "step.md"))
    assert run(["eval", "run", "--junit", "out/results.xml", "--markdown", "out/summary.md", "--json"]) == 1
    out, err = capsys.readouterr()
    assert "::error title=noted%3A expect data/appointments.json,file=evals/noted.yaml,line=11::" in err
    facts = json.loads(out)
    assert (facts["exit_code"], facts["failed"][0]["case"]) == (1, "noted/bad/typed#0")
    assert ElementTree.parse("out/results.xml").getroot()[0].get("failures") == "1"
    assert Path("out/summary.md").read_text() == (project / "step.md").read_text()


def test_a_baseline_decides_when_it_is_asked_to(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Failures that were there before are no regression; new ones are, and they name their stage."""
    callers(project, "good", "bad")
    assert run(["eval", "run", "-q", "--runs", "4"]) == 1
    assert run(["eval", "baseline", "set", "last"]) == 0
    assert run(["eval", "run", "-q", "--runs", "4", "--compare", "baseline"]) == 0
    path = project / "evals/baselines/all.jsonl"
    path.write_text(
        path.read_text().replace('"verdict":"failed"', '"verdict":"passed"').replace('"ok":false', '"ok":true')
    )
    capsys.readouterr()
    assert run(["eval", "compare", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "regressed"
    assert "tools" in {reason["stage"] for reason in found["reasons"]}
    assert run(["eval", "compare"]) == 1
    assert capsys.readouterr().out.startswith("regressed")
    assert run(["eval", "baseline", "rm", "all"]) == 0
    assert not path.exists()


def test_parts_made_apart_are_merged_into_the_whole(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    callers(project, "good", "bad", "slow")
    for part in ("1/2", "2/2"):
        run(["eval", "run", "-q", "--shard", part])
    made = [folder.name for folder in runs.newest_first(project)]
    capsys.readouterr()
    assert run(["eval", "merge", *made, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["planned"], facts["missing"]) == (3, [])
    whole = last(project)
    assert [case.persona for case in whole.meta.planned] == ["good", "bad", "slow"]
    assert whole.meta.merged == made


def test_ctrl_c_keeps_what_is_done_and_resume_goes_on(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", STAGED, "eval", "run", "--persona", "slow", "--runs", "8", "--jobs", "1"]
    callers(project, "slow")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("[1/8]"):
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it, too
        said = process.communicate(timeout=30)[1]
        assert process.returncode == 130
    assert "interrupted; what is done is kept. Go on with: voicebot eval run --resume" in said
    half = last(project)
    done = len(half.final())
    assert half.meta.state == "interrupted"
    assert 1 <= done < 8
    assert run(["eval", "run", "--resume"]) == 0
    assert f"all: {8 - done} calls" in capsys.readouterr().err
    whole = last(project)
    assert (whole.id, whole.meta.state, len(whole.final())) == (half.id, "done", 8)
    assert len(runs.newest_first(project)) == 1


def test_a_run_that_is_being_made_is_left_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = staged.run(project, staged.plan("good"), suite="all")
    made.meta.pid = os.getpid()
    made.save()
    assert run(["eval", "run", "--resume"]) == 2
    assert f"is being made by process {os.getpid()}" in capsys.readouterr().err


def test_what_changed_since_is_said_on_resume(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    callers(project, "good", "bad")
    assert run(["eval", "run", "-q", "--budget", "0"]) == 3
    callers(project, "bad")
    assert run(["eval", "run", "--resume", "-q"]) == 1
    said = capsys.readouterr().err
    assert "since this run began, these have changed: scenarios" in said
    assert "1 calls of this run are no longer in the suite" in said


@pytest.mark.parametrize("command", ["run", "compare", "list", "show", "rescore", "merge", "report", "sql", "baseline"])
def test_every_command_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", command, "--help"]) == 0
    assert "voicebot eval " in capsys.readouterr().out.partition("Example")[2]


def test_two_real_calls_on_a_terminal(project: Path) -> None:
    """Nothing is staged here: the engine, two workers, a pseudo-terminal."""
    callers(project, "good", "slow")
    terminal = pexpect.spawn(
        sys.executable,
        ["-c", "import sys; from voicebot.commands import main; sys.exit(main())", "eval", "run"],
        cwd=str(project),
        env={**os.environ, "TERM": "xterm-256color"},
        encoding="utf-8",
        timeout=120,
        dimensions=(30, 110),
    )
    terminal.expect("scenario.*passed.*calls")
    terminal.expect("2 of 2 calls")
    terminal.expect(r"next: voicebot eval report (\S+)")
    assert terminal.wait() == 0
    good, slow = last(project).final()
    assert (good.verdict, slow.verdict) == ("passed", "passed")
    trial = last(project).trials()[0]
    assert trial.hashes["agent"]
    assert trial.after["data/callbacks.json"]
    assert {event.type for event in trial.events} >= {"call_started", "tool_returned", "call_ended"}
