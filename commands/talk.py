"""`voicebot talk`: you and your agent, by microphone, typed or from a sound file."""

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
    from voicebot.transports.mic import Microphone

    from .terminal import Screen


def talk(
    name: Annotated[str | None, typer.Argument(metavar="AGENT", help="Agent file, or its name.")] = None,
    text: Annotated[bool, typer.Option("--text", help="Type instead of speaking; works in a pipe.")] = False,
    wav: Annotated[Path | None, typer.Option("--wav", metavar="FILE", help="The caller is this recording.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="With --wav: both sides, stereo.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="With --wav: skip the time in which everybody waits.")] = False,
    microphone: Annotated[
        str | None, typer.Option("--input", metavar="DEVICE", help="Microphone: name or number.")
    ] = None,
    loudspeaker: Annotated[
        str | None, typer.Option("--output", metavar="DEVICE", help="Loudspeaker: name or number.")
    ] = None,
    push_to_talk: Annotated[
        bool, typer.Option("--push-to-talk", help="Space opens and closes the microphone.")
    ] = False,
    headphones: Annotated[bool, typer.Option("--headphones", help="No echo cancellation: nothing echoes.")] = False,
    package: Annotated[
        str | None, typer.Option("--sound", metavar="PACKAGE", help="sounddevice or pyaudio; the first that works.")
    ] = None,
    agent: AgentFile = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Talk to an agent: by microphone, typed, or from a recording.

    Speak when it has greeted you; interrupt it as you would a person. Its own voice is taken out of the microphone, so
    open speakers work. Tab mutes, a typed line counts as said, Ctrl-C hangs up. The devices: voicebot doctor.
    The call is recorded in the project's calls/. --json prints every event as it happens.

    \b
    Examples:
      voicebot talk
      voicebot talk front-desk --input "USB" --headphones
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
    for_sound = (microphone, loudspeaker, package, push_to_talk or None, headphones or None)
    if (text or wav) and any(option is not None for option in for_sound):
        raise BadInput("--input, --output, --sound, --push-to-talk and --headphones go with the microphone.")
    if package is not None and package not in ("sounddevice", "pyaudio"):
        raise BadInput(f"--sound {package}: there is only sounddevice and pyaudio.")
    screen = Screen(quiet=quiet, no_color=no_color)
    chosen = Agent.load(find_agent(agent or name))
    if wav:
        _from_file(screen, chosen, wav, out, skip_idle=fast, as_json=as_json)
    elif text:
        _typed(screen, chosen, as_json=as_json)
    else:
        caller = _microphone(package, microphone, loudspeaker, headphones=headphones)
        _spoken(screen, chosen, caller, push_to_talk=push_to_talk, as_json=as_json)


def _microphone(
    package: str | None, microphone: str | None, loudspeaker: str | None, *, headphones: bool
) -> Microphone:
    from voicebot.transports import cards
    from voicebot.transports.mic import Microphone

    found = cards.cards(package)
    devices = found.devices()
    pair = (cards.choose(devices, "input", microphone), cards.choose(devices, "output", loudspeaker))
    return Microphone(found, pair, echo_cancellation=not headphones)


def _spoken(screen: Screen, agent: Agent, caller: Microphone, *, push_to_talk: bool, as_json: bool) -> None:
    with screen.waiting("getting ready ..."):
        from voicebot import clock, paths
        from voicebot.call import Call

    from .handset import Handset, on_the_line

    call = Call(agent, caller, record=paths.calls_dir(agent.root))
    handset = Handset(screen, caller.sound, call.text, caller.hang_up, push_to_talk=push_to_talk)
    call.subscribe(_events_to_stdout if as_json else handset)
    with handset:
        ended = clock.run(on_the_line(call, handset, caller))
    _finish(screen, call, ended, as_json)


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
