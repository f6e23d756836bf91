"""`voicebot talk`: you and your agent, typed or from a sound file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import AgentFile, Json, NoColor, Quiet

if TYPE_CHECKING:
    from voicebot.agent import Agent
    from voicebot.call import Call
    from voicebot.events import CallEnded, Event

    from .terminal import Screen


def talk(
    name: Annotated[str | None, typer.Argument(metavar="AGENT", help="Agent file, or its name.")] = None,
    text: Annotated[bool, typer.Option("--text", help="Type instead of speaking; works in a pipe.")] = False,
    wav: Annotated[Path | None, typer.Option("--wav", metavar="FILE", help="The caller is this recording.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="With --wav: both sides, stereo.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="With --wav: skip the time in which everybody waits.")] = False,
    agent: AgentFile = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Talk to an agent: typed, or from a recording.

    The call is recorded in the project's calls/. --json prints every event as it happens.

    \b
    Examples:
      voicebot talk --text
      printf 'I need a cleaning\\nTuesday\\n' | voicebot talk --text
      voicebot talk --wav caller.wav --out call.wav
    """
    from voicebot.agent import Agent, find_agent
    from voicebot.errors import BadInput

    from .terminal import Screen

    if agent and name:
        raise BadInput(f"two agents are named, '{name}' and '{agent}'; which one?")
    if text and wav:
        raise BadInput("--text and --wav exclude each other.")
    if (out or fast) and not wav:
        raise BadInput("--out and --fast go with --wav.")
    if not text and not wav:
        raise BadInput(
            "the microphone is not part of this version yet. What works now: "
            "--text to type, --wav FILE to speak from a recording, voicebot demo for a whole spoken call."
        )
    screen = Screen(quiet=quiet, no_color=no_color)
    chosen = Agent.load(find_agent(agent or name))
    if wav:
        _from_file(screen, chosen, wav, out, skip_idle=fast, as_json=as_json)
    else:
        _typed(screen, chosen, as_json=as_json)


def _typed(screen: Screen, agent: Agent, *, as_json: bool) -> None:
    from .keyboard import LineReader, prompt, terminal_restored
    from .transcript import Transcript

    with screen.waiting("getting ready ..."):
        from voicebot import clock, paths
        from voicebot.call import Call
        from voicebot.transports.keyboard import Keyboard

    interactive = sys.stdin.isatty() and screen.out.is_terminal
    keyboard = Keyboard(LineReader(prompt(screen) if interactive and not as_json else ""))
    call = Call(agent, keyboard, record=paths.calls_dir(agent.root))
    call.subscribe(_events_to_stdout if as_json else Transcript(screen, show_caller=not interactive))
    call.subscribe(keyboard.on_event)
    with terminal_restored():
        ended = clock.run(call.run())
    _finish(screen, call, ended, as_json)


def _from_file(screen: Screen, agent: Agent, wav: Path, out: Path | None, *, skip_idle: bool, as_json: bool) -> None:
    with screen.waiting("getting ready ..."):
        from voicebot import clock, paths
        from voicebot.call import Call
        from voicebot.transports.wav import WavCaller

    from .live import LiveTranscript

    if out is not None:
        _check_writable(out)
    call = Call(agent, WavCaller(wav), record=paths.calls_dir(agent.root))
    watched = LiveTranscript(screen)
    call.subscribe(_events_to_stdout if as_json else watched)
    with watched:
        ended = clock.run(call.run(), skip_idle=skip_idle)
    if out is not None and call.folder is not None:
        import shutil

        shutil.copyfile(call.folder / "call.wav", out)
        screen.talk(f"wrote {out} (left: caller, right: agent)")
    _finish(screen, call, ended, as_json)


def _check_writable(out: Path) -> None:
    """Before the call, not after it. Raises BadInput."""
    from voicebot.errors import BadInput

    if out.is_dir() or not out.absolute().parent.is_dir():
        raise BadInput(f"--out {out}: {'is a folder' if out.is_dir() else 'there is no such folder'}. Name a WAV file.")


def _events_to_stdout(event: Event) -> None:
    sys.stdout.write(event.model_dump_json() + "\n")
    sys.stdout.flush()


def _finish(screen: Screen, call: Call, ended: CallEnded, as_json: bool) -> None:
    from voicebot import paths
    from voicebot.errors import Unavailable

    if call.folder is not None and not as_json:
        screen.talk(f"recorded in {paths.shown(call.folder)}", "dim")
    if ended.reason == "failed":
        raise Unavailable(f"the call failed: {ended.detail}")
