"""`voicebot persona try`: hear a simulated caller."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Json, NoColor, Project, Quiet

if TYPE_CHECKING:
    from voicebot.personas.persona import Persona

HERE = Path()
TEXT = "hello, I have a question about next Thursday. could you help me with that, please?"
"""What a caller says who has no matter of their own."""


def try_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A persona of the project or of the library.")],
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="What they say.", show_default=False)] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The caller's dice.")] = 1,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write a WAV file, play nothing.")] = None,
    loudspeaker: Annotated[str | None, typer.Option("--output", metavar="DEVICE", help="Name or number.")] = None,
    project: Project = HERE,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Hear a simulated caller as the agent would: the voice, with its habits of speech, in its room, over its line.

    \b
    Examples:
      voicebot persona try parent
      voicebot persona try mobile "I'd like to book a cleaning." --out mobile.wav
    """
    from voicebot import clock, paths
    from voicebot.personas import persona as personas
    from voicebot.personas import sample

    from .loudspeaker import Loudspeaker, sounding, write_wav
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    persona = personas.find(name, paths.project_root(project))
    words = text if text is not None else _words(persona, seed)
    pcm, rate_hz = clock.run(sample.heard(persona, words, seed), skip_idle=True), persona.line.rate_hz
    if out is not None:
        write_wav(out, pcm, rate_hz)
    else:
        with sounding(Loudspeaker(loudspeaker)) as speaker:
            speaker.play(pcm, rate_hz)
    if as_json:
        seconds = len(pcm) / 2 / rate_hz
        screen.json({"name": name, "text": words, "seconds": seconds, "rate_hz": rate_hz, "file": str(out or "")})
        return
    screen.talk(f"{persona.name}: {words}")
    if out is not None:
        screen.talk(f"wrote {out}", "good")


def _words(persona: Persona, seed: int) -> str:
    """How this caller opens a call about their own matter."""
    from voicebot.personas import sample

    return sample.opening(persona, seed) if persona.domain else TEXT
