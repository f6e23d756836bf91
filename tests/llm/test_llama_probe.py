from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("llama_cpp", reason="the extra 'llama' is not installed; get it with: make llama")

from tests.doubles.project import project
from voicebot import clock
from voicebot.commands import local_models
from voicebot.llm.llama import machine
from voicebot.llm.llama.probe import Speed, probe


def test_a_model_is_measured_by_running_it(gibberish: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine, "cores", lambda: 1)
    speed = probe(gibberish)
    assert min(speed.prompt_tokens_s, speed.answer_tokens_s) > 10
    assert speed.conversational


def test_four_tokens_a_second_are_no_conversation():
    assert not Speed(load_ms=1, prompt_tokens_s=20, answer_tokens_s=4).conversational


def test_the_doctor_measures_what_the_agents_name(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine, "cores", lambda: 1)
    monkeypatch.setenv("VOICEBOT_MODELS", str(tmp_path / "none"))
    assert clock.run(local_models.speeds(tmp_path)) == []
    project(tmp_path, {"llm": [f"llama/{tiny}", "llama/llama-3.1-8b-instruct"], "prompt": "You are Ava."})
    (check,) = clock.run(local_models.speeds(tmp_path))
    assert (check.section, check.name, check.state) == ("models", str(tiny), "ok")
    assert "tokens a second" in check.detail


def test_a_slow_model_is_said_to_be_too_slow(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch):
    from voicebot.llm.llama import probe as probing

    monkeypatch.setattr(probing, "probe", lambda _: Speed(1000, 20, 4))
    project(tmp_path, {"llm": [f"llama/{tiny}"], "prompt": "You are Ava."})
    (check,) = clock.run(local_models.speeds(tmp_path))
    assert check.state == "absent"
    assert check.detail == "writes 4.0 tokens a second, reads 20 (loads in 1.0 s): too slow to talk with, which takes 8"


@pytest.mark.parametrize("cpu_max", ["max 100000", "150000 100000"])
def test_a_container_gets_as_many_threads_as_it_has_cores(
    cpu_max: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for cpu in range(4):
        folder = tmp_path / "cpus" / f"cpu{cpu}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text("0-1" if cpu < 2 else "2-3")
    (tmp_path / "cpu.max").write_text(cpu_max)
    monkeypatch.setattr(machine, "CPUS", tmp_path / "cpus")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(machine, "_allowed", lambda: {0, 1, 2, 3})
    assert machine.cores() == (2 if cpu_max.startswith("max") else 1)
