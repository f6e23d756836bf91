"""What several processes count, added up; the next one in a place goes on where the last one stopped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("prometheus_client", reason='not installed: pip install "voicebot[server]"')

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from voicebot.observe.metrics import Merged

COUNTS = """
import os, signal, sys
from pathlib import Path
from voicebot.observe.metrics import Meters, share
share(Path(sys.argv[1]), int(sys.argv[2]))
meters = Meters()
meters.talk.barge_ins.labels("ava").inc(3)
meters.talk.v2v.labels("ava").observe(0.3)
meters.talk.v2v.labels("ava").observe(1.1)
meters.providers.passed_over("tts", "a/b", yes=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def count(folder: Path, *places: int) -> None:
    """In a process for each place, all at once; each is killed in the middle of its work."""
    started = [subprocess.Popen([sys.executable, "-c", COUNTS, str(folder), str(place)]) for place in places]
    assert [process.wait(60) for process in started] == [-9] * len(places)


def figures(folder: Path, *taken: int) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(Merged(folder, taken))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_processes_add_up_and_their_successors_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "figures"
    folder.mkdir()
    count(folder, 0, 1)
    both = figures(folder, 0, 1)
    assert both["voicebot_barge_ins_total ava"] == 6
    assert both["voicebot_v2v_seconds_count ava"] == 4
    assert both["voicebot_v2v_seconds_sum ava"] == pytest.approx(2.8)
    assert both["voicebot_v2v_seconds_bucket ava 0.3"] == 2
    assert both["voicebot_v2v_seconds_bucket ava +Inf"] == 4
    assert both["voicebot_provider_passed_over tts a/b"] == 2

    left = figures(folder, 0)  # nobody sits in 1: what it counted stays, what was then is over
    assert left["voicebot_barge_ins_total ava"] == 6
    assert left["voicebot_provider_passed_over tts a/b"] == 1

    count(folder, 1)
    again = figures(folder, 0, 1)
    assert again["voicebot_barge_ins_total ava"] == 9
    assert again["voicebot_v2v_seconds_bucket ava 0.3"] == 3
    assert again["voicebot_provider_passed_over tts a/b"] == 2
    assert len(list(folder.iterdir())) == 6


def test_only_the_user_of_the_server_can_read_them(tmp_path: Path) -> None:
    count(tmp_path / "figures", 0)
    assert (tmp_path / "figures").stat().st_mode & 0o777 == 0o700
