"""The benchmark that asks whether a server lasts, made small: its verdict is that of the large one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CALLS, BURST, LIMIT = 40, 30, 10


def test_nobody_is_dropped_or_degraded_or_forgotten() -> None:
    options = ["--calls", str(CALLS), "--burst", str(BURST), "--limit", str(LIMIT)]
    command = [sys.executable, "-m", "benchmarks.endurance", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    heads, one_by_one, at_once, verdict = done.stdout.strip().splitlines()
    assert re.split(r"\s{2,}", heads.strip())[1:5] == ["answered", "refused", "degraded", "dropped"]
    assert re.split(r"\s{2,}", one_by_one.strip())[:5] == ["1 to 40", "40", "0", "0", "0"]
    assert re.split(r"\s{2,}", at_once.strip())[:5] == ["30 at once", str(LIMIT), str(BURST - LIMIT), "0", "0"]
    assert verdict == "Nothing was dropped, degraded or forgotten."
