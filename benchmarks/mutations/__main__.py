"""Does a suite notice what is wrong? 24 faults are planted in the dental template, one after the other.

    python -m benchmarks.mutations                  # every fault once, and 20 runs of the unchanged agent
    python -m benchmarks.mutations --fault drops-a-write --fault adds-300-ms --same 0

Each faulty agent is called by the suite `suites/gate.yaml` and compared with the good one: the comparison has to say
*regressed* and to name a stage at which the fault is. The unchanged agent must never be said to have regressed. The
exit code is 1 when any of that is not so.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from voicebot import project
from voicebot.evals import compare, suite
from voicebot.evals.compare import Comparison
from voicebot.evals.kept import runs
from voicebot.evals.kept.arguments import Arguments
from voicebot.evals.result import Result
from voicebot.evals.running import runner
from voicebot.evals.running.jobs import Job, Progress
from voicebot.evals.running.pool import Pool
from voicebot.evals.trial import Trial

from .faults import FAULTS, Fault

SUITE = "gate"


class Silent:
    """Nobody watches."""

    def began(self, job: Job) -> None: ...

    def moved(self, progress: Progress) -> None: ...

    def ended(self, job: Job, trial: Trial, result: Result, *, again: bool) -> None: ...

    def tick(self) -> None: ...


@dataclass(frozen=True)
class Seen:
    """What the comparison made of one agent."""

    fault: str
    what: str
    expected: Sequence[str]
    verdict: str
    stages: Sequence[str]
    """Those that are said to be worse, the first reason first."""
    says: str
    broken: int
    pairs: int
    seconds: float

    @property
    def good(self) -> bool:
        if not self.expected:
            return self.verdict == "no evidence"
        return self.verdict == "regressed" and bool({*self.stages} & {*self.expected})


def main(arguments: Sequence[str] | None = None) -> int:
    wanted = _parsed(arguments)
    with tempfile.TemporaryDirectory(prefix="voicebot-") as folder:
        good = Path(folder).resolve() / "good"
        project.create(good, "dental")
        shutil.copytree(Path(__file__).parent / "suites", suite.folder_of(good), dirs_exist_ok=True)
        base = _run(good, wanted)
        _say(f"the good agent: {_passed(base)}")
        seen = []
        for fault in _faults(wanted.fault):
            seen.append(_worse(good, fault, base, wanted))
            _say(_line(seen[-1]))
        for number in range(wanted.same):
            seen.append(_seen(f"unchanged {number + 1}", "nothing is wrong", (), good, base, wanted))
            _say(_line(seen[-1]))
    _report(seen, wanted.json)
    return 0 if all(each.good for each in seen) else 1


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutations", description=__doc__.splitlines()[0])
    names = [fault.name for fault in FAULTS]
    parser.add_argument("--fault", action="append", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--same", type=int, default=20, metavar="N", help="runs of the unchanged agent (20)")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="every call so often, with other dice")
    parser.add_argument("--persona", action="append", metavar="NAME", help="who calls (everybody in PERSONAS)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="calls at a time (2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    return parser.parse_args(arguments)


def _faults(names: Iterable[str] | None) -> list[Fault]:
    return [fault for fault in FAULTS if names is None or fault.name in names]


def _worse(good: Path, fault: Fault, base: list[Result], wanted: argparse.Namespace) -> Seen:
    bad = good.parent / fault.name
    shutil.copytree(good, bad, ignore=shutil.ignore_patterns(runs.RUNS))
    fault.change(bad)
    try:
        return _seen(fault.name, fault.what, sorted(fault.stages), bad, base, wanted)
    finally:
        shutil.rmtree(bad)


def _seen(
    name: str, what: str, expected: Sequence[str], root: Path, base: list[Result], wanted: argparse.Namespace
) -> Seen:
    began = time.monotonic()
    comparison = compare.compare(base, _run(root, wanted))
    seconds = time.monotonic() - began
    stages = list(dict.fromkeys(reason.stage for reason in comparison.reasons if reason.verdict == "regressed"))
    broken = len(comparison.flips.broken)
    says = _first_reason(comparison)
    return Seen(name, what, list(expected), comparison.verdict, stages, says, broken, comparison.pairs, seconds)


def _first_reason(comparison: Comparison) -> str:
    return next((reason.says for reason in comparison.reasons if reason.verdict == "regressed"), comparison.says)


def _run(root: Path, wanted: argparse.Namespace) -> list[Result]:
    asked = Arguments(suite=SUITE, runs=wanted.runs, personas=wanted.persona or [])
    plan = asked.plan(root)
    run = runs.begin(root, asked, [planned.case for planned in plan])
    pool = Pool(wanted.jobs, runner.play, run.folder / "workers.log")
    runner.make(run, runner.jobs(run, plan), pool, watch=Silent())
    return run.final()


def _passed(results: list[Result]) -> str:
    counted = [result for result in results if result.verdict != "invalid"]
    passed = sum(result.verdict == "passed" for result in counted)
    return f"{passed} of {len(counted)} calls passed"


def _line(seen: Seen) -> str:
    mark = "ok    " if seen.good else "MISSED"
    stages = ", ".join(seen.stages) or "-"
    wanted = f" (wanted {' or '.join(seen.expected)})" if seen.expected and not seen.good else ""
    return f"{mark} {seen.fault:22} {seen.verdict:12} {stages}{wanted}: {seen.says}  [{seen.seconds:.0f} s]"


def _report(seen: list[Seen], file: Path | None) -> None:
    faulty = [each for each in seen if each.expected]
    same = [each for each in seen if not each.expected]
    _say(f"\n{sum(each.good for each in faulty)} of {len(faulty)} faults found and their stage named")
    if same:
        _say(f"{sum(each.good for each in same)} of {len(same)} runs of the unchanged agent called 'no evidence'")
    if file:
        rows = [asdict(each) | {"good": each.good} for each in seen]
        file.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
