"""The files for Prometheus, read by its own tool; each alert fires when it should, and not else."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.doubles.prometheus_server import program

CASES = Path(__file__).with_name("alerts_test.yaml")
BLOCK = re.compile(r"```yaml\n(scrape_configs:.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def promtool() -> str:
    return program("promtool")


def said(*command: str | Path) -> str:
    """What it says of good files. Raises AssertionError with what it says of others."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_rule_is_valid(promtool: str, deploy: Path) -> None:
    rules = deploy / "observe" / "alerts.yaml"
    assert f"{rules.read_text().count('- alert: ')} rules found" in said(promtool, "check", "rules", rules)


def test_the_configurations_are_valid(promtool: str, deploy: Path, root: Path, tmp_path: Path) -> None:
    [block] = BLOCK.findall((root / "docs" / "metrics-server.md").read_text())
    (tmp_path / "of-the-page.yaml").write_text(block)
    for config in (deploy / "observe" / "prometheus.yaml", tmp_path / "of-the-page.yaml"):
        said(promtool, "check", "config", "--syntax-only", config)  # the key is elsewhere


def test_every_alert_fires_when_it_should_and_not_else(promtool: str) -> None:
    said(promtool, "test", "rules", CASES)


def test_there_is_a_case_for_every_alert(deploy: Path) -> None:
    rules = yaml.safe_load((deploy / "observe" / "alerts.yaml").read_text())
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert set(re.findall(r'alertname="(\w+)"', CASES.read_text())) == alerts
