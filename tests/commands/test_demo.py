"""`voicebot demo` over the real engine: the caller is heard, understood and served."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import pytest

from voicebot import project
from voicebot.commands import demo_calls, demo_matter, run
from voicebot.errors import BadInput
from voicebot.events import CallEnded
from voicebot.personas.persona import find
from voicebot.personas.run import SimulatedCall
from voicebot.store import calls


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder in which `voicebot demo --fast` has run, and what it printed.

    Speech is not the same twice, and one caller in twenty may be misunderstood: they may call again, twice.
    """
    folder = tmp_path_factory.mktemp("demo")
    for seed in ("1", "2", "3"):
        command = [sys.executable, "-c", "from voicebot.commands import main; main()", "demo", "--fast", "--seed", seed]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert "WRONG" not in done.stdout
        if done.returncode == 0:
            break
    return folder, done


def test_a_caller_gets_an_appointment_that_is_really_in_the_store(shown) -> None:
    folder, done = shown
    assert done.returncode == 0, done.stdout + done.stderr
    kept = json.loads((folder / "voicebot-demo" / "data" / "appointments.json").read_text())
    wanted = find("maria", folder / "voicebot-demo").facts
    assert [{fact: record[fact] for fact in ("name", "treatment", "time")} for record in kept] == [
        {fact: wanted[fact].value for fact in ("name", "treatment", "time")}
    ]
    assert "goal       reached  Maria, seed " in done.stdout
    assert f"written    voicebot-demo/data/appointments.json  {json.dumps(kept[0])}" in done.stdout


def test_the_demo_ends_with_where_everything_is(shown) -> None:
    folder, done = shown
    lines = dict(line.split("  ", 1) for line in done.stdout.splitlines() if line.startswith(("recording", "events")))
    with wave.open(str(folder / lines["recording"].strip())) as recording:
        assert recording.getnchannels() == 2
        assert recording.getnframes() > 20 * recording.getframerate()
    record = calls.read((folder / lines["events"].strip()).parent)
    assert record.broken == ()
    assert record.latency is not None
    assert f"n {record.latency.n} of {len(record.waterfalls)} turns  p50 {record.latency.p50:.0f} ms" in done.stdout
    assert "x real time" in done.stdout


def test_the_transcript_is_on_stdout_and_the_talk_on_stderr(shown) -> None:
    _, done = shown
    assert "agent   Bright Smile Dental, this is Ava. How can I help you?" in done.stdout
    assert "⚙ book(" in done.stdout
    assert "voicebot-demo/ (template dental)" in done.stderr
    assert "agent " not in done.stderr
    assert "pipecat" not in (done.stdout + done.stderr).lower()
    assert "DEBUG" not in done.stderr


def test_the_demos_calls_are_found_from_where_it_ran(
    shown, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = shown
    monkeypatch.chdir(folder)
    assert run(["calls", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["end"] == "agent hung up"


def call_of(outcome: Any, problems: list[str], persona: str = "Maria", seed: int = 1) -> demo_calls.Run:
    return demo_calls.Run(SimulatedCall(persona, seed, seconds=60, wall_seconds=5), [], outcome, problems)


@pytest.fixture
def outcomes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """In a project of the user's own, calls end as the test says."""
    project.create(tmp_path / "mine", "dental")
    monkeypatch.chdir(tmp_path / "mine")

    def install(*wanted: str) -> None:
        calls_to_come = iter(wanted)

        def called(path: Path, persona: Any, seed: int, **_: Any) -> demo_calls.Run:
            outcome = next(calls_to_come)
            return call_of(outcome, [] if outcome == "reached" else ["[red]no appointment[/]"], persona.name, seed)

        monkeypatch.setattr(demo_calls, "call", called)

    return install


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (["reached"] * 20, 0),
        (["reached"] * 19 + ["handed_over"], 0),
        (["reached"] * 18 + ["handed_over", "failed"], 1),
        (["reached"] * 19 + ["wrong"], 1),
        (["reached"] * 19 + ["invalid"], 0),
        (["invalid"] * 20, 1),
    ],
)
def test_many_calls_pass_when_none_is_wrong_and_nearly_all_reach_their_goal(
    ended: list[str], code: int, outcomes, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes(*ended)
    assert run(["demo", "--runs", "20", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["calls"] == 20
    assert told["reached"] == ended.count("reached")
    assert [each["seed"] for each in told["runs"]] == list(range(1, 21))


def test_what_went_wrong_is_named_with_its_seed(outcomes, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes("reached", "wrong", "handed_over", "reached")
    assert run(["demo", "--runs", "4", "--seed", "7", "--persona", "all"]) == 1
    captured = capsys.readouterr()
    assert "seed 8: WRONG; [red]no appointment[/]" in captured.err
    assert "seed 9: handed over politely" in captured.err
    assert captured.out.splitlines()[-1].split("\t")[:2] == ["all", "4"]


def test_one_call_that_fails_its_goal_exits_with_1_and_says_why(outcomes, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes("failed")
    assert run(["demo"]) == 1
    shown = capsys.readouterr().out
    assert "goal       nothing done" in shown
    assert "[red]no appointment[/]" in shown


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--persona", "mary"], "no persona 'mary' in personas or in the library. Did you mean 'maria'?"),
        (["--agent", "eva"], "no agent 'eva' in agents. Did you mean 'ava'?"),
        (["--template", "dentel", "--out", "x"], "no template 'dentel'. Did you mean 'dental'?"),
        (["--out", "agents"], "agents exists and was not made by voicebot demo."),
    ],
)
def test_what_does_not_exist_is_one_sentence(
    words: list[str], sentence: str, outcomes, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes()
    assert run(["demo", *words]) == 2
    said = capsys.readouterr().err
    assert f"error: {sentence}" in said
    assert said.count("\n") == 1


def test_the_plainest_caller_is_the_one_by_default(tmp_path: Path) -> None:
    project.create(tmp_path / "mine", "dental")
    (caller,) = demo_calls.callers(tmp_path / "mine", None)
    assert caller.name == "Maria"


def test_a_users_own_data_is_left_as_it_was(tmp_path: Path) -> None:
    project.create(tmp_path / "mine", "dental")
    before = (tmp_path / "mine" / "data" / "appointments.json").read_bytes()
    written = demo_calls.Run(call_of("reached", []).call, [], data={"appointments.json": [1]})
    demo_calls.keep(tmp_path / "mine", written)
    assert (tmp_path / "mine" / "data" / "appointments.json").read_bytes() == before


@pytest.mark.parametrize(
    ("template", "agent", "persona", "scenario"),
    [
        ("dental", "ava", "maria", "books"),
        ("dental", "ava", "corrector", "books"),
        ("dental", "ava", "human", "hands-over"),
        ("dental", "ava", "calm", "books-cleaning"),
        ("orders", "max", "greg", "status"),
        ("orders", "max", "nora", "delivery"),
        ("orders", "max", "calm", "delivery"),
        ("blank", "agent", "peter", "is-noted"),
        ("blank", "agent", "calm", "is-noted"),
    ],
)
def test_a_caller_plays_the_scenario_that_fits(
    template: str, agent: str, persona: str, scenario: str, tmp_path: Path
) -> None:
    """Of the project or of the library: what they want by themselves, or else the first that leaves something."""
    root = tmp_path / "mine"
    project.create(root, template)
    played = demo_matter.matter(root / "agents" / f"{agent}.yaml", find(persona, root))
    assert played is not None
    assert played.id == scenario


def test_a_caller_with_a_matter_that_no_scenario_checks_has_none(tmp_path: Path) -> None:
    root = tmp_path / "mine"
    project.create(root, "dental")
    shutil.copy(root / "personas" / "maria.yaml", root / "personas" / "anybody.yaml")
    assert demo_matter.matter(root / "agents" / "ava.yaml", find("anybody", root)) is None


def test_a_library_caller_without_anything_to_play_is_told(tmp_path: Path) -> None:
    root = tmp_path / "mine"
    project.create(root, "dental")
    shutil.rmtree(root / "evals")
    with pytest.raises(BadInput, match="persona 'calm' has no matter of its own"):
        demo_matter.matter(root / "agents" / "ava.yaml", find("calm", root))


@pytest.mark.parametrize(
    ("about", "wants_human", "outcome"),
    [
        ({"content": True}, False, "reached"),
        ({}, False, "failed"),
        ({"handed_over": "reception"}, False, "handed_over"),
        ({"handed_over": "reception"}, True, "reached"),
        ({"content": True}, True, "failed"),
        ({"broke": "the line"}, False, "invalid"),
        ({"ended": CallEnded(t_ms=1, reason="failed", detail="boom"), "content": True}, False, "failed"),
    ],
)
def test_without_a_scenario_the_caller_decides(about: dict[str, Any], wants_human: bool, outcome: str) -> None:
    persona = find("no-machines" if wants_human else "calm", Path("nowhere"))
    assert demo_calls.believed(persona, SimulatedCall("x", 1, **about))[0] == outcome
