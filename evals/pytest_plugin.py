"""The pytest plugin: simulated calls as tests.

    def test_booking(voice_eval):
        voice_eval("booking", persona="impatient").should_pass()

and every file `*.voice.yaml` is collected, one test a call. pytest loads this module at its start in every project of
whoever has voicebot installed: it imports nothing but pytest, and the engine only when a test needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from voicebot.evals.planned import Planned
    from voicebot.evals.played import Played

ENDING = ".voice.yaml"
_INVALID = "voice_invalid"
"""On the report of a test whose calls were invalid; survives the way from a worker of pytest-xdist."""


class VoiceEval(Protocol):
    """What the fixture `voice_eval` is."""

    def __call__(
        self,
        scenario: str,
        *,
        persona: str | list[str] | None = None,
        runs: int | None = None,
        line: str | None = None,
        channel: str | None = None,
        seed: int = 0,
    ) -> Played:
        """Make the calls of a scenario and judge them.

        `persona`: who calls, instead of those that the scenario names. `runs`: how often, each time with the next
        `seed`. `line`: over which line ('phone', 'street' ...). `channel`: 'audio', 'phone' or 'text', instead of the
        scenario's own.
        """


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("voicebot", "simulated calls to voice agents")
    group.addoption("--voice-runs", type=int, metavar="N", help="make every simulated call N times, with other dice")
    group.addoption("--voice-channel", choices=["audio", "phone", "text"], help="make every simulated call so")
    parser.addini("voice_project", "the folder with agents/, when it is not the test's own or one above it", default="")


@pytest.fixture
def voice_eval(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> VoiceEval:
    """Calls an agent of the project: `voice_eval("booking", persona="impatient").should_pass()`."""
    config = request.config

    def evaluate(
        scenario: str,
        *,
        persona: str | list[str] | None = None,
        runs: int | None = None,
        line: str | None = None,
        channel: str | None = None,
        seed: int = 0,
    ) -> Played:
        __tracebackhide__ = True
        from voicebot.errors import VoicebotError
        from voicebot.evals import played

        try:
            root = played.root_of(request.path, config.rootpath, config.getini("voice_project"))
            plan = played.plan(
                root,
                played.Wish(scenario=scenario, persona=persona or [], runs=runs, line=line, channel=channel, seed=seed),
                runs=config.getoption("--voice-runs"),
                channel=config.getoption("--voice-channel"),
            )
            return played.play(plan, tmp_path_factory.mktemp("voice"))
        except VoicebotError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None

    return evaluate


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    return VoiceFile.from_parent(parent, path=file_path) if file_path.name.endswith(ENDING) else None


class VoiceFile(pytest.File):
    """A file of calls: a scenario, or a list of {scenario, persona, runs, line, channel, seed}."""

    def collect(self) -> Iterator[pytest.Item]:
        from voicebot.errors import VoicebotError
        from voicebot.evals import played

        config = self.config
        try:
            root = played.root_of(self.path, config.rootpath, config.getini("voice_project"))
            runs, channel = config.getoption("--voice-runs"), config.getoption("--voice-channel")
            plans = played.planned_in(self.path, root, runs=runs, channel=channel)
        except VoicebotError as error:
            raise self.CollectError(str(error)) from None
        for planned in plans:
            yield VoiceItem.from_parent(self, name=planned.case.id, planned=planned)


class VoiceItem(pytest.Item):
    """One call of a file."""

    def __init__(self, *, planned: Planned, **about: Any) -> None:
        super().__init__(**about)
        self._planned = planned

    def runtest(self) -> None:
        from voicebot.errors import VoicebotError
        from voicebot.evals import played

        folders: pytest.TempPathFactory = self.config._tmp_path_factory  # type: ignore[attr-defined]  # an item has no fixtures to ask for it
        try:
            played.play([self._planned], folders.mktemp("voice")).should_pass()
        except VoicebotError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What failed in the call; nobody wants to see where in this file it was found out."""
        if isinstance(excinfo.value, AssertionError) or _is_invalid(excinfo):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.path.name}: {self.name}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    report = yield
    if call.excinfo is not None and _is_invalid(call.excinfo):
        setattr(report, _INVALID, True)
    return report


def pytest_report_teststatus(report: pytest.CollectReport | pytest.TestReport) -> tuple[str, str, str] | None:
    """An invalid run is an error, as a broken fixture is one: it is seen, and it is not the agent's failure."""
    return ("error", "E", "INVALID") if getattr(report, _INVALID, False) else None


def _is_invalid(raised: pytest.ExceptionInfo[BaseException]) -> bool:
    """Told by name: the class lives where the engine does, which must not be imported for every failing test."""
    return raised.typename == "InvalidRun"
