"""A recorded call as a scenario: what once happened to a caller can happen to every later build.

    make(Path("calls/20270301-093000-ab12"), root, "maria-again")

The scenario replays the caller's own sound (or says their words, where there is none), and proposes checks from what
the agent did then. What is private is taken out of both, see `redaction.py` and `recorded.py`.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from voicebot import events, paths
from voicebot.agent import Agent
from voicebot.errors import BadInput, did_you_mean
from voicebot.evals import scenario
from voicebot.evals.checks.ending import Ending
from voicebot.store import calls
from voicebot.store.calls import CallRecord

from . import recorded
from .redaction import STAND_INS, Redactor

RECORDINGS = "recordings"
PERSONA = "recorded"
_NAME = re.compile(r"[\w-]+")
_ENDINGS: tuple[Ending, ...] = ("caller_hung_up", "agent_hung_up", "handed_over", "input_ended")
_OF_THE_CALL = ("end_call", "hand_over")
"""Tools whose effect has checks of its own."""
_PERSONA = """\
name: Maria Davis
about: Whoever is heard in a recorded call, and the voice that speaks again what was private in it.
"""


def make(call_folder: Path, root: Path, name: str) -> list[Path]:
    """Turn the call recorded in `call_folder` into the scenario `name` of the project `root`. Returns what was written:
    the scenario, its recording, and the persona of recorded callers if there was none. All of it or nothing.

    Raises BadInput when the call cannot be replayed, its agent is gone, or there is something of that name already.
    """
    record = calls.read(call_folder)
    _check(record, root, name)
    agent_file, agent = _agent(record, root)
    redactor = Redactor(record.events, agent.language, [agent.greeting or ""])
    try:
        with tempfile.TemporaryDirectory(prefix=".from-call-", dir=_folder(paths.evals_dir(root))) as aside:
            recording, draft = Path(aside, "recording"), Path(aside, f"{name}.yaml")
            recording.mkdir()
            again = recorded.write(record, redactor, recording) if record.audio else 0
            draft.write_text(_written(record, redactor, agent_file.stem, name, again), encoding="utf-8")
            scenario.load(draft)
            return [*_persona(root), *_moved(draft, recording if record.audio else None, root, name)]
    except OSError as error:
        raise BadInput(f"cannot write {paths.shown(paths.evals_dir(root))}: {error.strerror}.") from None


def _check(record: CallRecord, root: Path, name: str) -> None:
    """Raises BadInput when no scenario can or may be made."""
    call = record.folder.name
    if not _NAME.fullmatch(name):
        raise BadInput(f"'{name}' cannot be the name of a scenario. Use letters, digits, '-' and '_'.")
    for taken in (paths.evals_dir(root) / f"{name}.yaml", paths.evals_dir(root) / RECORDINGS / name):
        if taken.exists():
            raise BadInput(f"{paths.shown(taken)} exists already. Choose another name with --name, or remove it.")
    if record.ended is None:
        raise BadInput(f"{call} has no end ({record.how_it_ended}), so nobody knows how it should have ended.")
    if not any(isinstance(event, events.TurnEnded) and event.text for event in record.events):
        raise BadInput(f"{call} holds nothing that a caller said, so there is nobody to call again.")


def _agent(record: CallRecord, root: Path) -> tuple[Path, Agent]:
    """The agent of the call, as it is now: by what the file held then, else by its name."""
    known: dict[str, tuple[Path, Agent]] = {}
    for file in paths.agent_files(root):
        agent = Agent.load(file)
        if agent.sha256 == record.started.agent_sha256:
            return file, agent
        known[agent.name] = (file, agent)
    name = record.started.agent
    if name not in known:
        folder = paths.shown(root / paths.AGENTS)
        raise BadInput(f"the agent '{name}' of this call is not in {folder} any more.{did_you_mean(name, known)}")
    return known[name]


def _persona(root: Path) -> list[Path]:
    path = paths.personas_dir(root) / f"{PERSONA}.yaml"
    if path.exists():
        return []
    _folder(path.parent)
    path.write_text(_PERSONA, encoding="utf-8")
    return [path]


def _moved(draft: Path, recording: Path | None, root: Path, name: str) -> list[Path]:
    """Put both in their place, the scenario last: it is what makes the recording be used."""
    moved = []
    if recording is not None:
        moved.append(_folder(paths.evals_dir(root) / RECORDINGS) / name)
        shutil.move(recording, moved[0])
    file = paths.evals_dir(root) / f"{name}.yaml"
    draft.rename(file)
    return [file, *moved]


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _written(record: CallRecord, redactor: Redactor, agent: str, name: str, again: int) -> str:
    lines = [
        *_head(record, redactor, again),
        f"name: {_yaml(f'{record.started.agent}: call {record.folder.name} again')}",
        f"goal: {_yaml(_goal(record, redactor))}",
        f"agent: {_yaml(agent)}",
        f"persona: {PERSONA}",
        *([] if record.audio or record.started.rate_hz else ["channel: text"]),
        "# The clocks show the time of the recorded call, so that 'tomorrow' is the same day again.",
        f"at: {datetime.fromisoformat(record.started.started_at):%Y-%m-%d %H:%M}",
        "# What the tools' files held before that call is not known: write it here, or the project's own data is used.",
        "# data: {data/NAME.json: [...]}",
        *_caller(record, redactor, name),
        "",
        "# Proposed from what the agent did in that call. Keep what has to be so, take out what was chance.",
        "checks:",
        *_checks(record, redactor),
    ]
    return "\n".join(lines) + "\n"


def _head(record: CallRecord, redactor: Redactor, again: int) -> Iterator[str]:
    yield f"# Made by `voicebot eval from-call {record.folder.name}`."
    yield f"# Private data was replaced by invented values, such as '{STAND_INS['name'][0]}'."
    if again:
        yield f"# In the sound, {again} of the caller's turns were private and are spoken by a synthetic voice."
    if record.audio:
        yield "# Voices in the background and what no detector knows are still in it: listen before you share it."
    for turn in redactor.doubtful:
        yield f"# Turn {turn} answers a question for private data, and nothing private was found in it: look at it."


def _goal(record: CallRecord, redactor: Redactor) -> str:
    first = next(event.text for event in record.events if isinstance(event, events.TurnEnded) and event.text)
    return f"What the caller of {record.started.started_at[:10]} wanted: {redactor.text(first)}"


def _caller(record: CallRecord, redactor: Redactor, name: str) -> Iterator[str]:
    if record.audio:
        yield f"caller: {{call: {_yaml(f'{paths.EVALS}/{RECORDINGS}/{name}')}}}"
        return
    yield "caller:"
    yield "  turns:"
    for event in record.events:
        if isinstance(event, events.TurnEnded) and event.text:
            yield f"    - say: {_yaml(redactor.text(event.text))}"
    if record.ended and record.ended.reason == "caller_hung_up":
        yield "    - hang_up: true"


def _checks(record: CallRecord, redactor: Redactor) -> Iterator[str]:
    ended = record.ended
    if ended is not None and ended.reason in _ENDINGS:
        yield f"  ended: {ended.reason}"
    elif ended is not None:
        yield f"  # The call ended with '{ended.reason}', which nobody can want."
        yield f"  ended: [{', '.join(_ENDINGS[:3])}]"
    handed = [event.to for event in record.events if isinstance(event, events.HandedOver)]
    if handed:
        yield f"  handed_over: {_yaml(redactor.text(handed[-1]))}"
    if done := list(_called(record.events, redactor)):
        yield "  called:"
        yield from done
    yield from _said(record.events, redactor)


def _called(happened: Sequence[events.Event], redactor: Redactor) -> Iterator[str]:
    """Every call of a tool that went well, with those arguments that do not depend on anything private."""
    good = {event.id for event in happened if isinstance(event, events.ToolReturned) and event.ok}
    seen: list[tuple[str, Any]] = []
    for event in happened:
        if not isinstance(event, events.ToolCalled) or event.name in _OF_THE_CALL or event.id not in good:
            continue
        given = {key: value for key, value in event.arguments.items() if redactor.value(value) == value}
        if (event.name, given) in seen:
            continue
        seen.append((event.name, given))
        yield f"    - tool: {_yaml(event.name)}"
        if given:
            yield f"      with: {_yaml(given)}"
        if left := sorted(event.arguments.keys() - given.keys()):
            yield f"      # private, and so not checked: {', '.join(map(_plain, left))}"


def _said(happened: Sequence[events.Event], redactor: Redactor) -> Iterator[str]:
    """What the agent said after a tool had run: often what matters, and seldom said in the same words again."""
    told = list(_after_tools(happened))
    if told:
        yield "  # The agent's words after its tools had run. Make patterns of what must be heard; take out the '#'."
        yield "  # said:"
        for text in told:
            yield f"  #   - {_yaml(re.escape(redactor.text(text)).replace(chr(92) + ' ', ' '))}"


def _after_tools(happened: Sequence[events.Event]) -> Iterator[str]:
    ran = False
    for event in happened:
        if isinstance(event, events.ToolReturned):
            ran = event.name not in _OF_THE_CALL
        elif isinstance(event, events.AgentSpeechStopped) and ran and event.heard:
            yield event.heard
            ran = False


def _yaml(value: Any) -> str:
    """The value in a line of YAML, which is JSON with everything escaped that cannot be seen."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in text)


def _plain(name: str) -> str:
    """A word that cannot end a comment."""
    return name if name.isprintable() else repr(name)
