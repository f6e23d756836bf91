"""What a call of `voicebot demo` is about: the scenario that fits the caller and the agent."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from voicebot import paths
from voicebot.errors import BadInput
from voicebot.evals import scenario
from voicebot.evals.scenario import Scenario
from voicebot.evals.suite import Planned, Suite
from voicebot.personas.kinds import Rules
from voicebot.personas.persona import Persona


def matter(agent_file: Path, persona: Persona) -> Scenario | None:
    """The scenario to play: one that names the caller, first one about what they want by themselves; for a caller
    that none names and that wants nothing by itself, the first that leaves something in the tools' store.

    None for a caller with a matter of their own that no scenario checks. Raises BadInput when there is nothing to play.
    """
    root = paths.root_of(agent_file)
    every = [scenario.load(path) for path in scenario.files(root).values()]
    of_agent = [each for each in every if each.agent == agent_file.stem]
    named = [each for each in of_agent if persona.id in each.persona]
    if named:
        own = [each for each in named if _is_own(persona, each, root)]
        return min(own or named, key=lambda each: bool(each.facts))
    if persona.domain:
        return None
    playable = [each for each in of_agent if isinstance(each.caller, Rules) and each.domain and each.facts]
    if not playable:
        where = paths.shown(paths.evals_dir(root))
        raise BadInput(
            f"persona '{persona.id}' has no matter of its own, and {where} has none to play for '{agent_file.stem}'."
        )
    return next((each for each in playable if each.checks.expect and not is_dated(each)), playable[0])


def _is_own(persona: Persona, each: Scenario, root: Path) -> bool:
    """Whether the scenario is about the very facts that stand in the persona's file."""
    if not (persona.facts and isinstance(each.caller, Rules)):
        return False
    played = persona.playing(each.role, root).facts
    return {fact: known.value for fact, known in played.items()} == {
        fact: known.value for fact, known in persona.facts.items()
    }


def is_dated(each: Scenario) -> bool:
    """Whether its data holds dates, which only fit the scenario's own clock."""
    return re.search(r"\d{4}-\d\d-\d\d", json.dumps(each.data)) is not None


def planned(each: Scenario, persona: Persona, root: Path, seed: int) -> Planned:
    """The call to make. The clock shows the time that it is, unless the data only fits the scenario's own."""
    (call,) = Suite(name="demo", scenarios=[each.id], personas=[persona.id]).plan(root, runs=1, seed=seed)
    return call if is_dated(each) else replace(call, at=None)
