"""A persona calls an agent, in a process of its own: whatever the call computes or breaks, the studio goes on."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal

from voicebot import events, paths
from voicebot.errors import VoicebotError
from voicebot.evals import played
from voicebot.events import Event

_SPAWN = get_context("spawn")
Message = tuple[Literal["event", "kept", "wrong"], str]


@dataclass(frozen=True)
class Wanted:
    """Who calls whom, and about what."""

    agent: Path
    persona: str
    scenario: str = ""
    """What it is about; '' where the persona has a matter of its own."""
    typed: bool = False
    seed: int = 1


@dataclass
class Calling:
    """`run` blocks until the call is over: it is for a thread. `stop` may come from another one."""

    wanted: Wanted
    _process: BaseProcess | None = None
    _stopped: bool = False
    _log: Path = field(default_factory=lambda: Path(tempfile.mkstemp(prefix="voicebot-call-")[1]))

    def run(self, tell: Callable[[Event], None]) -> tuple[Path | None, str]:
        """The record of the call, and what went wrong in a sentence ('' for nothing)."""
        ours, theirs = _SPAWN.Pipe()
        with redirect_stderr(sys.__stderr__):  # the stand-in that Textual puts there has no number to be inherited
            resource_tracker.ensure_running()
        self._process = _SPAWN.Process(target=_serve, args=(theirs, self.wanted, self._log), daemon=True)
        self._process.start()
        theirs.close()
        try:
            return self._heard(ours, tell)
        finally:
            self.stop()
            ours.close()
            self._log.unlink(missing_ok=True)

    def _heard(self, ours: Connection, tell: Callable[[Event], None]) -> tuple[Path | None, str]:
        while True:
            try:
                kind, text = ours.recv()
            except (EOFError, OSError):
                return None, "" if self._stopped else f"The process of the call died. {self._last_words()}".strip()
            if kind == "event":
                tell(events.parse(text))
            elif kind == "kept":
                return Path(text), ""
            else:
                return None, text

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"It said: {lines[-1]}" if lines else ""

    @property
    def pid(self) -> int | None:
        """Of its process, once that runs."""
        return self._process.pid if self._process else None

    def stop(self) -> None:
        """The call ends now; its record has no end, as that of any call whose process dies."""
        self._stopped = True
        if self._process is not None and self._process.is_alive():
            self._process.kill()
            self._process.join(5)


def _serve(connection: Connection, wanted: Wanted, log: Path) -> None:
    """The process. What libraries print must not fall into the studio's screen."""
    target = os.open(log, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(target, stream)
    try:
        connection.send(
            ("kept", str(_called(wanted, lambda event: connection.send(("event", event.model_dump_json())))))
        )
    except VoicebotError as error:
        connection.send(("wrong", str(error)))
    except BrokenPipeError:
        return  # nobody is interested any more
    except Exception as error:  # noqa: BLE001 - whatever broke in the call is told where somebody sees it
        traceback.print_exc()
        connection.send(("wrong", f"{type(error).__name__}: {error}"))


def _called(wanted: Wanted, face: Callable[[Event], None]) -> Path | None:
    """The record of the call. Raises VoicebotError."""
    from voicebot.personas.run import simulate

    root = paths.root_of(wanted.agent)
    about: dict[str, Any] = {"channel": "text" if wanted.typed else "audio", "seed": wanted.seed}
    about |= {"faces": [face], "calls_dir": paths.calls_dir(root).absolute()}
    if not wanted.scenario:
        return simulate(wanted.agent, wanted.persona, **about).folder
    wish = played.Wish(scenario=wanted.scenario, persona=[wanted.persona])
    planned = played.plan(root, wish)[0]
    about |= {"role": planned.role, "kind": planned.kind, "line": planned.line, "at": planned.at}
    with planned.prepared() as agent:
        return simulate(agent, planned.persona, **about).folder
