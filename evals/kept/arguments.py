"""What decides which calls a run has: kept in its run.json, so that it can be gone on with and told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from voicebot import paths
from voicebot.errors import BadInput, did_you_mean
from voicebot.evals.case import Channel

from . import shard

if TYPE_CHECKING:
    from voicebot.evals.planned import Planned

CI = "ci"
"""The suite that is meant when there are several and none is named."""


class Arguments(BaseModel):
    """The options of `voicebot eval run` that calls depend on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    suite: str = ""
    runs: int | None = None
    """How often each call is made; None is as the suite says."""
    seed: int | None = None
    scenarios: list[str] = []
    """Names, parts of names, or patterns such as `books*`; nothing is everything."""
    personas: list[str] = []
    lines: list[str] = []
    channel: Channel | None = None
    """How every call reaches the agent, whatever suite and scenarios say."""
    shard: str = ""
    """'2/4' for a part of the suite."""
    real_time: bool = False
    judge: str | None = None
    """The language model that judges instead of the suite's."""

    def plan(self, root: Path) -> list[Planned]:
        """The calls there are to make in the project `root`. Raises BadInput, also when there are none."""
        from voicebot.evals import suite

        calls = suite.find(self.suite, root).plan(root, runs=self.runs, seed=self.seed, channel=self.channel)
        calls = _chosen(calls, self.scenarios, "scenario", lambda call: call.case.scenario)
        calls = _chosen(calls, self.personas, "persona", lambda call: call.case.persona)
        calls = _chosen(calls, self.lines, "line", lambda call: call.case.line)
        return shard.parse(self.shard).of_plan(calls) if self.shard else calls


def _chosen(calls: list[Planned], wanted: Sequence[str], what: str, name_of: Callable[[Planned], str]) -> list[Planned]:
    for each in wanted:
        if not any(_means(each, name_of(call)) for call in calls):
            names = {name_of(call) for call in calls}
            raise BadInput(f"the suite calls with no {what} like '{each}'.{did_you_mean(each, names)}")
    return [call for call in calls if not wanted or any(_means(each, name_of(call)) for each in wanted)]


def _means(wanted: str, name: str) -> bool:
    return fnmatchcase(name, wanted) or (not {*wanted} & {*"*?["} and wanted in name)


def suite_of(root: Path) -> str:
    """The suite that is meant when none is named: the only one, or 'ci', or without any 'all'. Raises BadInput."""
    from voicebot.evals import suite

    names = sorted(suite.files(root))
    if not names:
        return suite.EVERYTHING
    if len(names) == 1:
        return names[0]
    if CI in names:
        return CI
    raise BadInput(f"{paths.shown(suite.folder_of(root))} has several suites: say which of {', '.join(names)}.")
